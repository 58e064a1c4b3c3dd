"""The inputs of a resource, read key by key: a key that no rule reads is a mistake, and is reported."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.provider.refusals import InvalidInputsError


class Unknown:
    """A value that is known only after the deployment, as in a preview."""

    def __repr__(self) -> str:
        return "[unknown]"

    def __deepcopy__(self, memo: dict[int, Any]) -> "Unknown":
        return self


UNKNOWN: Final[Any] = Unknown()


def is_known(value: object) -> bool:
    """Return whether a value is fully known, at every depth."""
    if isinstance(value, Mapping):
        return all(is_known(item) for item in value.values())
    if isinstance(value, list | tuple):
        return all(is_known(item) for item in value)
    return value is not UNKNOWN


class Inputs:
    """Reads inputs as the types that a rule asks for, and remembers which were read.

    The scalars are as lenient as the real provider: "512" is a number, "true" a boolean.
    """

    def __init__(
        self, values: Mapping[str, Any], path: str = "", failures: list[tuple[str, str]] | None = None
    ) -> None:
        self._values = {key: value for key, value in values.items() if value is not None and not key.startswith("__")}
        self._path = path
        self._read: set[str] = set()
        self._blocks: list[Inputs] = []
        self._everything_unknown = False
        self.failures: list[tuple[str, str]] = [] if failures is None else failures

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def path(self, key: str) -> str:
        """The key with the keys above it: `imageConfig.entryPoints`."""
        return f"{self._path}.{key}" if self._path else key

    def fail(self, key: str, reason: str) -> None:
        """Note that an input can't be taken."""
        self.failures.append((self.path(key), reason))

    def any(self, key: str) -> Any:
        """Return the given value, or None."""
        self._read.add(key)
        return UNKNOWN if self._everything_unknown else self._values.get(key)

    def text(self, key: str, default: str | None = None) -> Any:
        """Return a text, or the default."""
        value = self.any(key)
        if value is None:
            return default
        if value is UNKNOWN or isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return str(int(value)) if value == int(value) else str(value)
        self.fail(key, f"must be a string, but is {_shown(value)}")
        return UNKNOWN

    def required(self, key: str) -> Any:
        """Return a text that must be there, and not empty."""
        value = self.text(key)
        if value is None or value == "":
            self.fail(key, "is missing")
            return UNKNOWN
        return value

    def integer(self, key: str, default: int | None = None) -> Any:
        """Return a whole number, or the default."""
        number = self.number(key, default)
        if isinstance(number, float):
            if number == int(number):
                return int(number)
            self.fail(key, f"must be a whole number, but is {number}")
            return UNKNOWN
        return number

    def number(self, key: str, default: float | None = None) -> Any:
        """Return a number, or the default."""
        value = self.any(key)
        if value is None or value is UNKNOWN:
            return default if value is None else UNKNOWN
        if isinstance(value, str):
            try:
                return float(value)
            except ValueError:
                pass
        elif isinstance(value, int | float) and not isinstance(value, bool):
            return value
        self.fail(key, f"must be a number, but is {_shown(value)}")
        return UNKNOWN

    def boolean(self, key: str, default: bool | None = None) -> Any:
        """Return a boolean, or the default."""
        value = self.any(key)
        if value is None:
            return default
        if value is UNKNOWN or isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return value == "true"
        self.fail(key, f"must be true or false, but is {_shown(value)}")
        return UNKNOWN

    def texts(self, key: str) -> Any:
        """Return a list of texts, or None."""
        value = self.any(key)
        if value is None or value is UNKNOWN:
            return value
        if isinstance(value, list) and all(item is UNKNOWN or isinstance(item, str) for item in value):
            return value
        self.fail(key, f"must be a list of strings, but is {_shown(value)}")
        return UNKNOWN

    def json_text(self, key: str) -> Any:
        """Return a text that must be there and be JSON, such as a policy."""
        value = self.required(key)
        if value is not UNKNOWN:
            try:
                json.loads(value)
            except ValueError as error:
                self.fail(key, f"must be JSON ({error})")
        return value

    def names(self, key: str) -> Any:
        """Return a map whose keys are the user's own, such as tags or variables, each value as text; or None."""
        value = self.any(key)
        if value is None or value is UNKNOWN:
            return value
        if not isinstance(value, Mapping):
            self.fail(key, f"must be a map, but is {_shown(value)}")
            return UNKNOWN
        entries = Inputs(value, self.path(key), self.failures)
        return {name: entries.text(name) for name in value}

    def block(self, key: str) -> "Inputs | None":
        """Return a nested object, or None."""
        value = self.any(key)
        if value is None:
            return None
        return self._block(value, key)

    def blocks(self, key: str) -> "list[Inputs]":
        """Return a list of nested objects, empty where there is none."""
        value = self.any(key)
        if value is None:
            return []
        if value is UNKNOWN:
            return [self._block(value, key)]
        if not isinstance(value, list):
            self.fail(key, f"must be a list, but is {_shown(value)}")
            return []
        return [self._block(item, f"{key}[{index}]") for index, item in enumerate(value)]

    def only(self, key: str) -> "Inputs | None":
        """Return the single object of a list that holds one at most, or None."""
        blocks = self.blocks(key)
        if len(blocks) > 1:
            self.fail(key, f"holds one object at most, but has {len(blocks)}")
        return blocks[0] if blocks else None

    def unsupported(self, *keys: str) -> None:
        """Refuse inputs that AWS knows and this provider doesn't, rather than ignore them."""
        for key in keys:
            if self.any(key) not in (None, False, "", [], {}):
                self.fail(key, "is not supported by the sandbox's provider")

    def unread(self) -> Iterator[str]:
        """Yield the path of every input that no rule read."""
        if not self._everything_unknown:
            yield from (self.path(key) for key in self._values if key not in self._read)
        for block in self._blocks:
            yield from block.unread()

    def close(self) -> None:
        """Refuse the inputs that were wrong or that nothing read.

        Raises:
            InvalidInputsError: naming all of them.
        """
        failures = [
            *self.failures,
            *((path, "is not an input of this type: check its spelling") for path in self.unread()),
        ]
        if failures:
            raise InvalidInputsError(failures)

    def _block(self, value: object, name: str) -> "Inputs":
        block = Inputs(value if isinstance(value, Mapping) else {}, self.path(name), self.failures)
        block._everything_unknown = value is UNKNOWN
        if value is not UNKNOWN and not isinstance(value, Mapping):
            self.fail(name, f"must be an object, but is {_shown(value)}")
        self._blocks.append(block)
        return block


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str | int | float | bool) else f"a {type(value).__name__}"
