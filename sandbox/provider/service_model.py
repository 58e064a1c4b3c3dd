"""botocore's own service model, and the constraints in it that botocore doesn't enforce: enum, maximum, pattern."""

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.provider.inputs import UNKNOWN

_TEXTS = ("string", "character", "blob")
_NUMBERS = ("integer", "long", "float", "double")


def violations(client: Any, operation: str, request: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the path and the broken constraint of every value that the operation's input shape doesn't allow.

    Unknown values break no constraint. The sentences are AWS's own.
    """
    return list(_walk(input_shape(client, operation), request, ""))


def input_shape(client: Any, operation: str) -> Any:
    """Return what the model says of an operation's request."""
    return client.meta.service_model.operation_model(operation).input_shape


def _walk(shape: Any, value: object, path: str) -> Iterator[tuple[str, str]]:
    if value is UNKNOWN or value is None:
        return
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for name in shape.required_members:
            if value.get(name) is None:
                yield _join(path, name), "Member must not be null"
        for name, member in shape.members.items():
            yield from _walk(member, value.get(name), _join(path, name))
    elif shape.type_name == "list" and isinstance(value, list | tuple):
        yield from _size(shape, len(value), value, path, "length")
        for index, item in enumerate(value):
            yield from _walk(shape.member, item, f"{path}.{index + 1}.member")
    elif shape.type_name == "map" and isinstance(value, Mapping):
        yield from _size(shape, len(value), dict(value), path, "length")
        for key, item in value.items():
            yield from _walk(shape.key, key, f"{path}.{key}.key")
            yield from _walk(shape.value, item, f"{path}.{key}.member")
    elif shape.type_name in _TEXTS and isinstance(value, str | bytes):
        yield from _text(shape, value, path)
    elif shape.type_name in _NUMBERS and isinstance(value, int | float):
        yield from _size(shape, value, value, path, "value")


def _text(shape: Any, value: str | bytes, path: str) -> Iterator[tuple[str, str]]:
    yield from _size(shape, len(value), value, path, "length")
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield path, _sentence(value, path, f"satisfy enum value set: [{', '.join(allowed)}]")
    pattern = shape.metadata.get("pattern")
    compiled = _compiled(pattern) if pattern and isinstance(value, str) else None
    if compiled is not None and isinstance(value, str) and not compiled.fullmatch(value):
        yield path, _sentence(value, path, f"satisfy regular expression pattern: {pattern}")


def _size(shape: Any, size: float, value: object, path: str, what: str) -> Iterator[tuple[str, str]]:
    smallest, largest = shape.metadata.get("min"), shape.metadata.get("max")
    if smallest is not None and size < smallest:
        yield path, _sentence(value, path, f"have {what} greater than or equal to {smallest}")
    if largest is not None and size > largest:
        yield path, _sentence(value, path, f"have {what} less than or equal to {largest}")


def _sentence(value: object, path: str, constraint: str) -> str:
    shown = str(value)
    if len(shown) > 80:
        shown = f"{shown[:77]}..."
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: Member must {constraint}"


def _join(path: str, name: str) -> str:
    own = name[0].lower() + name[1:]  # AWS's answers write names like this, whatever case the model has
    return f"{path}.{own}" if path else own


@functools.lru_cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern)
    except re.error:  # a few patterns are in a dialect that Python doesn't read: they are not checked
        return None
