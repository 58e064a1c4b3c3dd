"""The resources of a deployment, as both drivers report them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ROOT_TYPE = "pulumi:pulumi:Stack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource: a component, or something that AWS has. Secrets are masked."""

    type: str
    name: str
    urn: str
    parent_urn: str
    id: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    """URNs of the resources that it was made after."""


def make_urn(stack: str, project: str, parent_urn: str, pulumi_type: str, name: str) -> str:
    """Return a resource's URN, as the engine makes them: its parents' types, without the stack's, before its own."""
    parents = qualified_type(parent_urn) if parent_urn else ROOT_TYPE
    qualified = pulumi_type if parents == ROOT_TYPE else f"{parents}${pulumi_type}"
    return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"


def qualified_type(urn: str) -> str:
    """Return the type part of a URN, parents included."""
    return urn.split("::", 3)[2]


def name_of(urn: str) -> str:
    """Return the name part of a URN."""
    return urn.split("::", 3)[3]


def short_type(pulumi_type: str) -> str:
    """Return a type as the command shows it: `aws:iam:Role` for `aws:iam/role:Role`."""
    package, _, rest = pulumi_type.partition(":")
    module, _, name = rest.partition(":")
    return f"{package}:{module.partition('/')[0]}:{name}"
