"""What the function of a Lambda authorizer answers, and what that means for a request.

Source: "Control access to HTTP APIs with AWS Lambda authorizers in API Gateway", API Gateway Developer Guide;
docs/http-api.md, R72 to R74 and G33.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from walk.lambda_authorizer import LambdaAuthorizer
from walk.policy import Act, evaluate
from walk.trace import RequestRefusedError


class InvalidAnswerError(Exception):
    """What a function answered is not an authorizer's answer; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizerAnswer:
    """A function's answer: whether it lets every request through, or its policy; and what it tells of the client."""

    is_authorized: bool = False
    policy: Mapping[str, Any] | None = None
    context: Mapping[str, object] | None = None

    def check(self, authorizer: LambdaAuthorizer, route_arn: str) -> None:
        """Let a request through or not: a policy is decided for each request, also where it was kept from another.

        Raises:
            RequestRefusedError: 403.
        """
        if self.policy is not None:
            verdict = evaluate(self.policy, Act(service="", action="execute-api:Invoke", resource=route_arn))
            allowed, reason = verdict.allowed, f"its policy does not allow {route_arn}: {verdict.reason}"
        else:
            allowed, reason = self.is_authorized, f"{authorizer.name} answered isAuthorized: false"
        if not allowed:
            raise RequestRefusedError(403, "Forbidden", hop="authorizer", id=authorizer.id, reason=reason)


def read_answer(authorizer: LambdaAuthorizer, payload: bytes) -> AuthorizerAnswer:
    """Return what a function answered.

    Raises:
        InvalidAnswerError: it is not in the format that the authorizer is set to.
    """
    try:
        found = json.loads(payload)
    except ValueError as error:
        raise InvalidAnswerError(f"it is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise InvalidAnswerError("it is not a JSON object")
    context = found.get("context")
    if context is not None and not isinstance(context, dict):
        raise InvalidAnswerError("its context is not an object")
    if authorizer.has_simple_responses:
        if not isinstance(found.get("isAuthorized"), bool):
            raise InvalidAnswerError("its isAuthorized is not true or false")
        return AuthorizerAnswer(is_authorized=found["isAuthorized"], context=context)
    if not isinstance(found.get("principalId"), str):
        raise InvalidAnswerError("it has no principalId")
    return AuthorizerAnswer(policy=_policy(found.get("policyDocument")), context=context)


def _policy(document: object) -> Mapping[str, Any]:
    if not isinstance(document, dict):
        raise InvalidAnswerError("its policyDocument is not an object")
    statements = document.get("Statement")
    listed = statements if isinstance(statements, list) else [statements]
    for statement in listed:
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            raise InvalidAnswerError("its policyDocument has no Statement with an Effect")
    return document
