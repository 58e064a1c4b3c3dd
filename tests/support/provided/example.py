"""What a test needs to know about a resource type: one example of it, and what can be done with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Example:
    """One resource; inputs that need other resources are a function of those made: `made["Role"].outputs["arn"]`."""

    pulumi_type: str
    inputs: Mapping[str, Any] | Callable[[Any], Mapping[str, Any]]
    updates: Mapping[str, Any] = field(default_factory=dict)
    """Inputs that an update changes in place, with other values."""
    follow: frozenset[str] = frozenset()
    """Outputs that such an update changes as well."""
    replaces: Mapping[str, Any] = field(default_factory=dict)
    """An input whose change makes a new resource."""
    valueless: frozenset[str] = frozenset()
    """Outputs that AWS has no value for in this example."""
    gone: str = "gone"
    """The id of a resource that doesn't exist."""
    name: str = ""

    @property
    def key(self) -> str:
        """The name by which tests ask for it: the type's, unless another type has the same."""
        return self.name or self.pulumi_type.rpartition(":")[2]
