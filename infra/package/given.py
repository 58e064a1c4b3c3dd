"""What a program in another language gave for a component, as the component takes it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_origin

import pulumi

from infra.rules import is_known, key_of, refuse
from infra.settings import kind_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Section = TypeVar("Section", bound=DataclassInstance)

CONVERSIONS: Mapping[object, Callable[[Any], object]] = {int: int, Sequence: tuple}
"""How a value of a type is made of what the engine sends: all numbers come as floats."""


class Given:
    """The inputs of one component, by their keys."""

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        self._inputs = {key: value for key, value in inputs.items() if value is not None}

    def section(self, section: type[Section]) -> Section:
        """Makes a section of settings from its keys.

        Raises:
            ConfigError: a value isn't known yet where it must be, or can't work.
        """
        given = {}
        for field in fields(section):
            key = key_of(field.name)
            if key in self._inputs:
                value = self._inputs[key]
                if not is_known(value) and not takes_outputs(section, field.name):
                    refuse(key, "an output", "it must be known before anything is made", "write the value itself")
                given[field.name] = converted(value, kind_of(section, field.name))
        return section(**given)

    def arguments(self, kinds: Mapping[str, object]) -> dict[str, Any]:
        """Returns the inputs beside the settings, as keyword arguments."""
        keys = {name: key_of(name) for name in kinds}
        return {name: converted(self._inputs[key], kinds[name]) for name, key in keys.items() if key in self._inputs}


def takes_outputs(section: type[DataclassInstance], field_name: str) -> bool:
    """Says whether a setting may be an output: its type is an `Input` then."""
    annotation: Any = inspect.get_annotations(section, eval_str=True)[field_name]
    return get_origin(annotation) is Union


def converted(value: Any, kind: object) -> Any:
    """Returns a value, or an output, with the type that a component takes."""
    convert = CONVERSIONS.get(kind)
    if convert is None:
        return value
    return convert(value) if is_known(value) else pulumi.Output.from_input(value).apply(convert)
