"""Values as Pulumi sends them: a protobuf struct in which secrets and references are objects with a signature.

Source: pulumi/pulumi, sdk/go/common/resource/plugin/rpc.go.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format, struct_pb2  # type: ignore[import-untyped]

from sandbox.provider.inputs import UNKNOWN

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  a tag, published in Pulumi's source
_RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
_UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS = frozenset(
    {
        _UNKNOWN_TEXT,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # a boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # a number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # a list
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # an object
    }
)
_TELLTALE = 2  # characters: shorter texts occur in every sentence, and are not secrets


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that is never shown."""

    value: Any

    def __repr__(self) -> str:
        return "[secret]"


def decode(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Return the values of a message: whole numbers as int, secrets as `Secret`, unknowns as UNKNOWN."""
    values = _decoded(json_format.MessageToDict(struct))
    return values if isinstance(values, dict) else {}


def decode_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of an exported state, which has the same signatures."""
    decoded = _decoded(values)
    return decoded if isinstance(decoded, dict) else {}


def encode(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Return values as a message."""
    struct = struct_pb2.Struct()
    struct.update({key: _encoded(value) for key, value in values.items()})
    return struct


def reveal(value: Any) -> Any:
    """Return a value without its secrets' wrapping."""
    if isinstance(value, Secret):
        return reveal(value.value)
    if isinstance(value, Mapping):
        return {key: reveal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [reveal(item) for item in value]
    return value


def mask(value: Any) -> Any:
    """Return a value to show: secrets are replaced by `[secret]`."""
    if isinstance(value, Secret):
        return repr(value)
    if isinstance(value, Mapping):
        return {key: mask(item) for key, item in value.items()}
    if isinstance(value, list):
        return [mask(item) for item in value]
    return value


def secret_keys(values: Mapping[str, Any]) -> frozenset[str]:
    """Return the keys under which something is secret, at any depth."""
    return frozenset(key for key, value in values.items() if _has_secret(value))


def conceal(values: Mapping[str, Any], keys: frozenset[str]) -> dict[str, Any]:
    """Return the values with those of the keys as secrets."""
    return {key: Secret(reveal(value)) if key in keys else value for key, value in values.items()}


def censor(sentence: str, values: Mapping[str, Any]) -> str:
    """Return a sentence without the secrets among the values."""
    texts = {str(text) for secret in _secrets(values) for text in _leaves(reveal(secret))}
    for text in sorted(texts, key=len, reverse=True):
        if len(text) > _TELLTALE:
            sentence = sentence.replace(text, repr(Secret(text)))
    return sentence


def _secrets(value: Any) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _secrets(item)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _leaves(item)
    elif value is not None and not isinstance(value, bool):
        yield value


def _has_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_secret(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_secret(item) for item in value)
    return isinstance(value, Secret)


def _decoded(value: Any) -> Any:
    if isinstance(value, Mapping):
        signature = value.get(_SIGNATURE)
        if signature == _SECRET:
            # An exported state has secrets as JSON, in clear or encrypted.
            return Secret(_decoded(json.loads(value["plaintext"]) if "plaintext" in value else value.get("value")))
        if signature == _RESOURCE:
            return _decoded(value.get("id") or value.get("urn"))
        # A message's keys have no order: theirs is another from one process, and one message, to the next.
        return {key: _decoded(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return UNKNOWN if isinstance(value, str) and value in _UNKNOWNS else value


def _encoded(value: Any) -> Any:
    if value is UNKNOWN:
        return _UNKNOWN_TEXT
    if isinstance(value, Secret):
        return {_SIGNATURE: _SECRET, "value": _encoded(value.value)}
    if isinstance(value, Mapping):
        return {str(key): _encoded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encoded(item) for item in value]
    return value
