"""The forms of a value: how it is read from a program's inputs, and how it is written into the outputs."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sandbox.provider.inputs import UNKNOWN, Inputs


class Form(Protocol):
    """How one kind of value is translated: Pulumi's side has camelCase names, AWS's side has boto3's."""

    def empty(self) -> Any:
        """Return the output where AWS has no value."""

    def read(self, inputs: Inputs, key: str) -> Any:
        """Return an input as AWS takes it, None where the program doesn't give it."""

    def output(self, found: Any) -> Any:
        """Return the output for what AWS answered."""

    def emptied(self) -> Any:
        """Return what an update sends to empty the value, None where it can't be emptied."""

    def holds(self, found: Any, wanted: Any) -> bool:
        """Say whether an output has what is wanted, which is as AWS takes it."""

    def bound(self, shape: Any) -> "Form":
        """Return the form with what botocore's shape says of its members."""


@dataclass(frozen=True, slots=True)
class Plain:
    """The form of a value that has no fields of its own."""

    reader: Callable[[Inputs, str], Any]
    written: Callable[[Any], Any]
    empty: Callable[[], Any]

    def read(self, inputs: Inputs, key: str) -> Any:
        """See `Form`."""
        return self.reader(inputs, key)

    def output(self, found: Any) -> Any:
        """See `Form`."""
        return self.written(found)

    def emptied(self) -> Any:
        """See `Form`: a number or boolean is never empty."""
        empty = self.empty()
        return empty if isinstance(empty, str | list | dict) else None

    def holds(self, found: Any, wanted: Any) -> bool:
        """See `Form`: exactly that, so that a key of a map which is no longer wanted makes a difference."""
        return bool(found == self.written(wanted))

    def bound(self, shape: Any) -> "Plain":
        """See `Form`."""
        return self


def document(found: object) -> str:
    """Return a JSON document as text: boto3 decodes some policies and not others."""
    return found if isinstance(found, str) else json.dumps(found, separators=(",", ":"))


def as_text(value: Any) -> Any:
    """Return a number or boolean as a map of attributes takes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value is None or value is UNKNOWN else str(value)


def _json_text(inputs: Inputs, key: str) -> Any:
    return inputs.json_text(key) if key in inputs else None


def _numbers(inputs: Inputs, key: str) -> Any:
    found = inputs.any(key)
    if not isinstance(found, Mapping):
        return found
    entries = Inputs(found, inputs.path(key), inputs.failures)
    return {name: entries.number(name) for name in found}


def _text(found: Any) -> Any:
    return found.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(found, datetime) else found


def _truth(found: Any) -> bool:
    return found.lower() == "true" if isinstance(found, str) else bool(found)


TEXT = Plain(Inputs.text, _text, str)
JSON = Plain(_json_text, document, str)
INTEGER = Plain(Inputs.integer, int, int)
NUMBER = Plain(Inputs.number, lambda found: float(found) if isinstance(found, str) else found, int)
BOOLEAN = Plain(Inputs.boolean, _truth, bool)
ONLY_TRUE = Plain(lambda inputs, key: inputs.boolean(key) or None, _truth, bool)
"""A boolean that AWS takes only where it is true."""
TEXTS = Plain(Inputs.texts, list, list)
SORTED_TEXTS = Plain(Inputs.texts, sorted, list)
"""A list whose order doesn't matter."""
MAP = Plain(Inputs.names, dict, dict)
"""A map from the user's own keys to texts."""
NUMBERS = Plain(_numbers, dict, dict)
"""A map from the user's own keys to numbers."""
ANYTHING = Plain(Inputs.any, _text, lambda: None)
"""Any value; it is passed on as it is."""
WRITTEN_AS_TEXT = (INTEGER, NUMBER, BOOLEAN, ONLY_TRUE)
"""The forms that a map of attributes takes as text."""

_BY_TYPE: Mapping[str, Form] = {
    **dict.fromkeys(("string", "character", "blob", "timestamp"), TEXT),
    **dict.fromkeys(("integer", "long"), INTEGER),
    **dict.fromkeys(("float", "double"), NUMBER),
    "boolean": BOOLEAN,
    "list": TEXTS,
    "map": MAP,
}


def form_of(shape: Any) -> Form | None:
    """Return the form of a shape in botocore's model; None where it has members, so that a table must say which."""
    inner = {"list": "member", "map": "value"}.get(shape.type_name)
    if shape.type_name == "structure" or (inner and getattr(shape, inner).type_name in ("structure", "list", "map")):
        return None
    return _BY_TYPE[shape.type_name]
