"""Grants: what a part of a deployment gives to a function. The function's code doesn't know that part."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pulumi


@dataclass(frozen=True, kw_only=True)
class Grant:
    """The permissions and environment variables that a part of the deployment gives to a function."""

    name: str
    """Name of the part: the policy is named after it, so each grant of a function has its own."""
    statements: pulumi.Input[Sequence[Mapping[str, object]]] = ()
    """Statements of an IAM policy; whatever is in them may be an output, such as `"Resource": table.arn`."""
    policy_arns: Sequence[pulumi.Input[str]] = ()
    """ARNs of managed policies."""
    variables: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Environment variables."""
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    """Texts for variables that the application can rely on, while the image's build imports it once."""


def stand_ins(grants: Iterable[Grant]) -> dict[str, str]:
    """Returns the texts that stand in for the variables of several grants."""
    return {name: text for grant in grants for name, text in grant.stand_ins.items()}
