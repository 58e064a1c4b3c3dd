"""Who signed a request with AWS credentials, and whether policies let them make a call.

Source: "Policy evaluation for requests within a single account", IAM User Guide.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dualmode.gateway.http.message import Request
from walk.policy import Act, Verdict, evaluate


class UnsignedError(Exception):
    """A request isn't signed with credentials that are known; the sentence says why, the code is AWS's for it."""

    def __init__(self, sentence: str, code: str = "") -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who signed a request.

    `iam` is what a function is told of them, `names` are the ARNs by which a resource policy can name them, and `own`
    decides by their own policies.
    """

    iam: Mapping[str, object]
    names: frozenset[str]
    own: Callable[[Act], Verdict]

    @property
    def arn(self) -> str:
        """The ARN of the user or of the role's session."""
        return str(self.iam.get("userArn"))

    def verdict(self, resource_policy: str | Mapping[str, Any] | None, act: Act) -> Verdict:
        """Decide as IAM does within one account: a Deny of either side wins, and one side's Allow is enough."""
        own = self.own(act)
        theirs = evaluate(resource_policy, replace(act, principals=self.names))
        denied = next((each for each in (own, theirs) if each.statement and not each.allowed), None)
        if denied is not None or own.allowed:
            return denied or own
        if theirs.allowed:
            return theirs
        return Verdict(allowed=False, reason=f"{own.reason}; in the resource policy: {theirs.reason}")


Signer = Callable[[Request, str, str], Caller]
"""Tells who signed a request for a region and a service, or raises `UnsignedError`."""


def cannot_tell(_request: Request, _region: str, _service: str) -> Caller:
    """A signer where nobody's keys are known.

    Raises:
        UnsignedError: always.
    """
    raise UnsignedError("only AWS knows the secret keys that it could be signed with")
