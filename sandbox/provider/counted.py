"""The forms of CloudFront's lists: structures of the items and how many there are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.provider.blocks import Block, Blocks
from sandbox.provider.inputs import UNKNOWN, Inputs


@dataclass(frozen=True, slots=True)
class CountedTexts:
    """A list of texts."""

    def empty(self) -> Any:
        """See `Form`."""
        return []

    def read(self, inputs: Inputs, key: str) -> Any:
        """See `Form`."""
        found = inputs.texts(key)
        return found if found in (None, UNKNOWN) else counted(found)

    def output(self, found: Any) -> Any:
        """See `Form`."""
        return list(found.get("Items") or [])

    def emptied(self) -> Any:
        """See `Form`."""
        return counted([])

    def holds(self, found: Any, wanted: Any) -> bool:
        """See `Form`."""
        return bool(found == self.output(wanted))

    def bound(self, shape: Any) -> "CountedTexts":
        """See `Form`."""
        return self


class CountedBlocks(Blocks):
    """A list of nested objects."""

    def read(self, inputs: Inputs, key: str) -> Any:
        """See `Form`."""
        return counted([self.request(block) for block in inputs.blocks(key)])

    def output(self, found: Any) -> Any:
        """See `Form`."""
        return super().output(found.get("Items") or [])

    def holds(self, found: Any, wanted: Any) -> bool:
        """See `Form`."""
        return super().holds(found, wanted.get("Items") or [])

    def emptied(self) -> Any:
        """See `Form`."""
        return counted([])

    def bound(self, shape: Any) -> Any:
        """See `Form`."""
        return super().bound(shape and shape.members["Items"])


class CountedBlock(Block):
    """A nested object, one of whose members is a list with its length beside it."""

    def request(self, block: Inputs) -> dict[str, Any]:
        """Return AWS's structure for one object."""
        request = super().request(block)
        return {**request, "Quantity": len(request.get("Items") or [])}


def counted(items: list[Any]) -> Mapping[str, Any]:
    """Return a list as CloudFront takes it."""
    return {"Quantity": len(items), "Items": items} if items else {"Quantity": 0}
