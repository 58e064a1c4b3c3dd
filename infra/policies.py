"""Permissions that an application needs beside those of the other settings, such as for S3."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi  # noqa: TC002 - the settings' loader evaluates the annotations

from infra.grants import Grant
from infra.rules import check, checked_by, is_known, refuse

POLICY_ARN = re.compile(r"arn:[a-z-]+:iam::(?:aws|[0-9]{12}):policy/[!-~]+")

MOST_POLICIES = 10
"""Managed policies of a role. Source: "IAM and AWS STS quotas", IAM User Guide; AWS raises it to 20 on request."""

MOST_CHARACTERS = 10_240
"""Characters of all policies that a role holds itself, without white space. Source: "IAM and AWS STS quotas"."""

WHERE = "set a JSON policy, its list of statements or one of them, with Effect, Action and Resource each"


def check_policy(key: str, given: str) -> None:
    """A policy must be JSON, and each of its statements one that a role may have."""
    if not given:
        return
    try:
        statements = statements_of(given)
    except ValueError as error:
        refuse(key, shortened(given), f"that is not JSON ({error})", WHERE)
    size = len(json.dumps(statements, separators=(",", ":"), ensure_ascii=False))
    if size > MOST_CHARACTERS:
        refuse(key, shortened(given), f"it has {size} characters, and a role holds {MOST_CHARACTERS}", "use policyArns")
    if not statements:
        refuse(key, shortened(given), "it has no statement", WHERE)
    for statement in statements:
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            refuse(key, shortened(given), "a statement says Allow or Deny as its Effect", WHERE)
        if {"Principal", "NotPrincipal"} & statement.keys():
            refuse(key, shortened(given), "a role's own policy can't have a Principal", "remove it")
        if not {"Action", "NotAction"} & statement.keys() or not {"Resource", "NotResource"} & statement.keys():
            refuse(key, shortened(given), "a statement names an Action and a Resource", WHERE)


def check_arns(key: str, given: Sequence[pulumi.Input[str]]) -> None:
    """Each policy must be named by its ARN."""
    if len(given) > MOST_POLICIES:
        refuse(key, len(given), f"IAM attaches {MOST_POLICIES} policies to a role", "write the rest into policy")
    for place, arn in enumerate(given):
        if is_known(arn) and not POLICY_ARN.fullmatch(str(arn)):
            refuse(
                f"{key}[{place}]",
                arn,
                "that is not the ARN of a policy",
                "set one such as arn:aws:iam::123456789012:policy/NAME, or arn:aws:iam::aws:policy/NAME for AWS's own",
            )
        if arn in given[:place]:
            refuse(f"{key}[{place}]", arn, "it is in the list already", "remove it")


@dataclass(frozen=True, kw_only=True)
class PolicySettings:
    """Permissions of the function, in the words of IAM."""

    policy_arns: Sequence[pulumi.Input[str]] = field(default=(), metadata=checked_by(check_arns))
    policy: str = field(default="", metadata=checked_by(check_policy))

    def __post_init__(self) -> None:
        """Checks the settings that are already known.

        Raises:
            ConfigError: a policy is one that IAM doesn't take.
        """
        check(self)

    @property
    def grant(self) -> Grant:
        """The permissions."""
        statements = statements_of(self.policy) if self.policy else []
        return Grant(name="policy", statements=statements, policy_arns=self.policy_arns)


def statements_of(policy: str) -> list[Mapping[str, Any]]:
    """Returns the statements of a policy, of a list of statements, or of one.

    Raises:
        ValueError: it isn't JSON.
    """
    found = json.loads(policy)
    if isinstance(found, dict) and "Statement" in found:
        found = found["Statement"]
    return found if isinstance(found, list) else [found]


def shortened(text: str) -> str:
    """Returns the beginning of a text, for a message."""
    return text if len(text) <= 60 else f"{text[:57]}..."
