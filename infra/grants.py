"""Grants: what a part of a deployment gives to a function. The function's code doesn't know that part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi


@dataclass(frozen=True, kw_only=True)
class Grant:
    """The permissions and environment variables that a part of the deployment gives to a function."""

    name: str
    """Name of the part: the policy is named after it, so each grant of a function has its own."""
    statements: Sequence[Mapping[str, object]] = ()
    """Statements of an IAM policy; whatever is in them may be an output, such as `"Resource": table.arn`."""
    variables: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Environment variables."""
