"""Rules for the fields of a settings dataclass, and the error message for a value that breaks one.

The limits are next to each field, in its component's file.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NoReturn

import pulumi

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Rule = Callable[[str, Any], None]
"""Takes a setting's key and its value, and raises the `ConfigError` that says why it can't have it."""


class ConfigError(pulumi.RunError):
    """A setting is refused: the message names key, value, rule and fix, and Pulumi shows it without a traceback."""


def refuse(key: str, value: object, rule: str, remedy: str) -> NoReturn:
    """Raises the `ConfigError` that says why a setting can't have this value, and what to do."""
    shown = key if key.isprintable() else repr(key)  # a part of it may be a name of the user's, with a line break in it
    raise ConfigError(f"{shown} is {value!r}, but {rule}: {remedy}.")


def checked_by(*rules: Rule) -> Mapping[str, tuple[Rule, ...]]:
    """Returns the metadata of a field whose value must follow all of these rules."""
    return {"rules": rules}


def check(section: DataclassInstance) -> None:
    """Checks the values of a section that are known before the deployment against the rules of their fields.

    Raises:
        ConfigError: a value breaks a rule.
    """
    for field in fields(section):
        value = getattr(section, field.name)
        if is_known(value):
            for rule in field.metadata.get("rules", ()):
                rule(key_of(field.name), value)


def is_known(value: object) -> bool:
    """Says whether an input is a plain value: another resource's output has none until that resource exists."""
    return not isinstance(value, pulumi.Output) and not inspect.isawaitable(value)


def key_of(field_name: str) -> str:
    """Returns the key of a field in `Pulumi.yaml`: `memorySize` for `memory_size`."""
    first, *others = field_name.split("_")
    return first + "".join(word.capitalize() for word in others)


def at_least(least: int, why: str) -> Rule:
    """A number must not be smaller than this."""

    def rule(key: str, value: int) -> None:
        if value < least:
            refuse(key, value, why, f"set {least} or more")

    return rule


def at_most(most: int, why: str) -> Rule:
    """A number must not be greater than this."""

    def rule(key: str, value: int) -> None:
        if value > most:
            refuse(key, value, why, f"set {most} or less")

    return rule


def one_of(values: Collection[object], why: str, remedy: str) -> Rule:
    """A value must be one of these."""

    def rule(key: str, value: object) -> None:
        if value not in values:
            refuse(key, value, why, remedy)

    return rule
