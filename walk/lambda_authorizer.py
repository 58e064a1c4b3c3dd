"""A Lambda authorizer of an HTTP API: how it is set, and the function that it calls.

Source: "Control access to HTTP APIs with AWS Lambda authorizers in API Gateway", API Gateway Developer Guide.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from walk.account import Account
from walk.call import function_at, with_stage_variables
from walk.function_version import FunctionVersion, describe, invoke_verdict, one_of, refuses, shares_of
from walk.policy import Act, evaluate
from walk.queries import read
from walk.role_permission import role_verdict
from walk.routed import Routed
from walk.trace import RequestRefusedError, Trace, WalkEndsError, server_error

SERVICE = "apigateway.amazonaws.com"
_INVOKE = "lambda:InvokeFunction"


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaAuthorizer:
    """The settings of an authorizer of type REQUEST; `seconds` is how long it keeps an answer.

    `uri` has the stage's variables filled in. Without a `role` the function's resource policy lets API Gateway in.
    """

    id: str
    name: str
    uri: str
    role: str
    payload_version: str
    has_simple_responses: bool
    identity_sources: tuple[str, ...]
    seconds: int

    @property
    def keeps_answers(self) -> bool:
        """Whether an answer is used again: without identity sources there is nothing to know the client by."""
        return self.seconds > 0 and bool(self.identity_sources)

    def api_arn(self, account: Account, api_id: str) -> str:
        """How policies name the API, in the partition that the function is in."""
        partition = self.uri.split(":")[1] if self.uri.count(":") else "aws"
        return account.api_arn(partition, api_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizerFunction:
    """The version that an authorizer invokes, and the qualifier that leads to it."""

    version: FunctionVersion
    qualifier: str


def authorizer_of(found: Mapping[str, Any], routed: Routed) -> LambdaAuthorizer:
    """Return what an authorizer's description says, for one stage."""
    return LambdaAuthorizer(
        id=str(found["AuthorizerId"]),
        name=str(found.get("Name") or ""),
        uri=with_stage_variables(str(found.get("AuthorizerUri") or ""), routed.stage_variables),
        role=str(found.get("AuthorizerCredentialsArn") or ""),
        payload_version=str(found.get("AuthorizerPayloadFormatVersion") or "1.0"),
        has_simple_responses=bool(found.get("EnableSimpleResponses")),
        identity_sources=tuple(map(str, found.get("IdentitySource") or ())),
        seconds=int(found.get("AuthorizerResultTtlInSeconds") or 0),
    )


def find_function(account: Account, api_id: str, authorizer: LambdaAuthorizer, trace: Trace) -> AuthorizerFunction:
    """Follow an authorizer to the version of the function that it invokes.

    Raises:
        RequestRefusedError: 500, API Gateway can't invoke it.
        WalkEndsError: the trace explains, and the function is in another account or region.
    """
    function = function_at(authorizer.uri)
    if function is None:
        reason = f"the URI of {authorizer.name}, {authorizer.uri!r}, is not the ARN that invokes a Lambda function"
        raise server_error("authorizer", authorizer.id, reason, "authorizer-uri")
    name, qualifier = function["name"], function["qualifier"] or ""
    if (function["region"], function["account"]) != (account.region, account.account_id):
        reason = f"its function {name} is in account {function['account']}, region {function['region']}"
        if trace.explains:
            raise WalkEndsError(hop="authorizer", id=authorizer.id, reason=reason, cause="function-elsewhere")
        raise server_error("authorizer", authorizer.id, reason)
    within = Trace(explains=trace.explains)
    try:
        version = describe(account, name, one_of(shares_of(account, name, qualifier)), within)
    except RequestRefusedError as refused:
        hop = refused.hop
        reason = f"{authorizer.name} can't invoke its function {name}: {hop.hop} {hop.id}: {hop.detail}"
        raise server_error("authorizer", authorizer.id, reason, "authorizer-function") from refused
    trace.hops += [hop for hop in within.hops if hop.unread]
    trace.notes += within.notes
    invoked = f"{function['arn']}:{qualifier}" if qualifier else function["arn"]
    with trace.reading():
        if authorizer.role:
            _check_role(account, authorizer, invoked, trace)
        else:
            _check_permission(account, api_id, authorizer, invoked, trace)
    return AuthorizerFunction(version=version, qualifier=qualifier)


def _check_permission(account: Account, api_id: str, authorizer: LambdaAuthorizer, invoked: str, trace: Trace) -> None:
    source = f"{authorizer.api_arn(account, api_id)}/authorizers/{authorizer.id}"
    verdict = invoke_verdict(account, invoked, SERVICE, source)
    if not refuses(verdict, trace, "authorizer", authorizer.id):
        return
    reason = f"the resource policy of {invoked} does not let {SERVICE} invoke it from {source}: {verdict.reason}"
    raise server_error("authorizer", authorizer.id, reason, "authorizer-permission")


def _check_role(account: Account, authorizer: LambdaAuthorizer, invoked: str, trace: Trace) -> None:
    """Check that API Gateway may take the role of an authorizer, and that this may invoke the function."""
    name = authorizer.role.rpartition("/")[2]
    role = read(account.client("iam"), "get_role", absent="NoSuchEntity", RoleName=name)
    if not role:
        reason = f"the role of {authorizer.name}, {authorizer.role}, does not exist"
        raise server_error("authorizer", authorizer.id, reason, "authorizer-role")
    verdict = evaluate(role["Role"]["AssumeRolePolicyDocument"], Act(service=SERVICE, action="sts:AssumeRole"))
    reason = f"the trust policy of its role {name} does not let {SERVICE} assume it: {verdict.reason}"
    if verdict.allowed:
        verdict = role_verdict(account, authorizer.role, _INVOKE, invoked)
        reason = f"its role {name} may not invoke {invoked}: {verdict.reason}"
    if refuses(replace(verdict, reason=reason), trace, "authorizer", authorizer.id):
        raise server_error("authorizer", authorizer.id, reason, "authorizer-role")
