"""The forms of nested objects: their own tables of fields."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import jmespath  # type: ignore[import-untyped]

from sandbox.provider.fields import Field, Property, bind, place
from sandbox.provider.inputs import Inputs


class Block:
    """A nested object: one of AWS's structures."""

    def __init__(self, *fields: Property | str) -> None:
        self._fields = fields
        self._bound: tuple[Property, ...] = ()

    def empty(self) -> Any:
        """See `Form`."""
        return None

    def read(self, inputs: Inputs, key: str) -> Any:
        """See `Form`."""
        block = inputs.block(key)
        return self.request(block) if block else None

    def output(self, found: Any) -> Any:
        """See `Form`."""
        return self.outputs(found)

    def emptied(self) -> Any:
        """See `Form`: most structures have a call of their own for that."""
        return None

    def holds(self, found: Any, wanted: Any) -> bool:
        """See `Form`: field by field, since AWS adds members to some structures."""
        sent = (field for field in self._bound if isinstance(field, Field) and field.sent)
        return isinstance(found, Mapping) and all(
            field.holds(found.get(field.name), jmespath.search(field.at, wanted)) for field in sent
        )

    def bound(self, shape: Any) -> "Block":
        """See `Form`."""
        while shape is not None and shape.type_name in ("list", "map"):
            shape = shape.member if shape.type_name == "list" else shape.value
        bound = copy.copy(self)
        bound._bound = bind(self._fields, shape)
        return bound

    def added(self) -> Iterator[str]:
        """Yield the members that AWS adds where the program doesn't give them."""
        return (field.name for field in self._bound if field.added)

    def request(self, block: Inputs) -> dict[str, Any]:
        """Return AWS's structure for one object."""
        request: dict[str, Any] = {}
        for field in self._bound:
            if isinstance(field, Field):
                value = field.read(block)
                if field.sent:
                    place(request, field.path, value)
        return request

    def outputs(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Return the object for one of AWS's structures."""
        return {field.name: field.output(found, {}) for field in self._bound}

    def paths(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Yield the path of each field in AWS's structure, and its name."""
        return ((field.path, field.name) for field in self._bound if isinstance(field, Field) and field.sent)


class OneBlock(Block):
    """A structure that Pulumi has as a list of at most one object."""

    def empty(self) -> Any:
        """See `Form`."""
        return []

    def read(self, inputs: Inputs, key: str) -> Any:
        """See `Form`."""
        block = inputs.only(key)
        return self.request(block) if block else None

    def output(self, found: Any) -> Any:
        """See `Form`."""
        return [self.outputs(found)]

    def holds(self, found: Any, wanted: Any) -> bool:
        """See `Form`."""
        return isinstance(found, list) and len(found) == 1 and super().holds(found[0], wanted)


class Blocks(Block):
    """A list of nested objects."""

    def empty(self) -> Any:
        """See `Form`."""
        return []

    def read(self, inputs: Inputs, key: str) -> Any:
        """See `Form`."""
        return [self.request(block) for block in inputs.blocks(key)] or None

    def output(self, found: Any) -> Any:
        """See `Form`."""
        return [self.outputs(item) for item in found]

    def holds(self, found: Any, wanted: Any) -> bool:
        """See `Form`: object by object."""
        return isinstance(found, list) and len(found) == len(wanted) and all(map(super().holds, found, wanted))

    def emptied(self) -> Any:
        """See `Form`."""
        return []


class KeyedBlocks(Block):
    """A list of nested objects that AWS has as a map of structures, by one input of theirs."""

    def __init__(self, key: str, *fields: Property | str) -> None:
        super().__init__(*fields)
        self._key = key

    def empty(self) -> Any:
        """See `Form`."""
        return []

    def read(self, inputs: Inputs, key: str) -> Any:
        """See `Form`."""
        return {str(block.required(self._key)): self.request(block) for block in inputs.blocks(key)} or None

    def output(self, found: Any) -> Any:
        """See `Form`."""
        return [{self._key: key, **self.outputs(item)} for key, item in sorted(found.items())]

    def holds(self, found: Any, wanted: Any) -> bool:
        """See `Form`: object by object, in any order."""
        if not isinstance(found, list) or len(found) != len(wanted):
            return False
        holds = super().holds
        return all(item[self._key] in wanted and holds(item, wanted[item[self._key]]) for item in found)

    def emptied(self) -> Any:
        """See `Form`."""
        return {}
