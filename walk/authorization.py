"""Whether a route lets a request through: by a token, by a signature with AWS credentials, or by a function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dualmode.gateway.http.message import Request
from walk.account import Account
from walk.caller import Signer, UnsignedError, cannot_tell
from walk.jwt import TokenError, checked_claims, scopes_of, told
from walk.key_sets import KeySets
from walk.lambda_authorizer import LambdaAuthorizer, authorizer_of, find_function
from walk.policy import Act
from walk.queries import read
from walk.routed import Routed
from walk.trace import RequestRefusedError, Trace, forbidden, server_error

_HEADER = "$request.header."


def _cannot_ask(
    authorizer: LambdaAuthorizer, _routed: Routed, _request: Request, _trace: Trace
) -> Mapping[str, object] | None:
    raise server_error("authorizer", authorizer.id, "nothing here runs the authorizer's function")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What tells who sends a request: the keys of issuers, who has signed it, and the answers of Lambda authorizers.

    `asks` returns the context that a Lambda authorizer gives for a request, or raises `RequestRefusedError`.
    """

    key_sets: KeySets = field(default_factory=KeySets)
    signer: Signer = cannot_tell
    asks: Callable[[LambdaAuthorizer, Routed, Request, Trace], Mapping[str, object] | None] = _cannot_ask


def authorize(
    account: Account, routed: Routed, request: Request, credentials: Credentials, trace: Trace
) -> Mapping[str, object] | None:
    """Return what the route's authorization tells the function of the client, None if it asks for none.

    Raises:
        RequestRefusedError: 401 or 403, as API Gateway answers; 500 if it can't decide.
    """
    kind = routed.match.route.get("AuthorizationType", "NONE")
    if kind == "NONE":
        return None
    if kind == "AWS_IAM":
        return {"iam": _by_signature(account, routed, request, credentials, trace)}
    named = str(routed.match.route.get("AuthorizerId") or "")
    authorizer = named and _authorizer(account, routed)
    if not authorizer:
        raise server_error("authorizer", named or "(none)", f"route {routed.match.key} has no authorizer")
    wanted = _TYPES.get(kind)
    if authorizer.get("AuthorizerType") != wanted:
        reason = f"route {routed.match.key} needs {kind} authorization, but its authorizer is of another type"
        raise server_error("authorizer", named, reason)
    if kind == "JWT":
        return {"jwt": _by_token(authorizer, routed, request, credentials.key_sets, trace)}
    return {"lambda": credentials.asks(authorizer_of(authorizer, routed), routed, request, trace)}


_TYPES = {"JWT": "JWT", "CUSTOM": "REQUEST"}
"""The type of authorizer for each authorization type of a route."""


def _authorizer(account: Account, routed: Routed) -> Any:
    """The description of a route's authorizer, None where it does not exist."""
    return read(
        account.client("apigatewayv2"),
        "get_authorizer",
        absent="NotFoundException",
        ApiId=routed.address.api_id,
        AuthorizerId=str(routed.match.route["AuthorizerId"]),
    )


def _by_token(
    authorizer: Mapping[str, Any], routed: Routed, request: Request, key_sets: KeySets, trace: Trace
) -> Mapping[str, object]:
    authorizer_id = str(authorizer["AuthorizerId"])
    wanted = list(routed.match.route.get("AuthorizationScopes") or ())
    configuration = authorizer["JwtConfiguration"]
    issuer = str(configuration.get("Issuer"))
    token = _token(request, authorizer.get("IdentitySource") or ())
    if token is None:
        raise _unauthorized(authorizer_id, "the request has no token", "Bearer")
    try:
        claims = checked_claims(token, issuer=issuer, audiences=configuration.get("Audience") or (), key_sets=key_sets)
    except TokenError as error:
        challenge = f'Bearer scope="{" ".join(wanted)}" error="invalid_token" error_description="{error}"'
        raise _unauthorized(authorizer_id, str(error), challenge) from error
    scopes = scopes_of(claims)
    if wanted and not set(wanted) & set(scopes):
        reason = f"the token has the scopes {', '.join(scopes) or '(none)'}, and needs one of {', '.join(wanted)}"
        raise RequestRefusedError(
            403, "Forbidden", hop="authorizer", id=authorizer_id, reason=reason, cause="authorizer"
        )
    trace.add("authorizer", authorizer_id, f"JWT of {issuer}, subject {claims.get('sub', '(none)')}")
    return {"claims": told(claims), "scopes": scopes if wanted else None}


def _token(request: Request, sources: Any) -> str | None:
    """The token of the first source that has one, without the word Bearer."""
    for source in sources:
        if not str(source).startswith(_HEADER):
            continue
        given = (request.header(str(source).removeprefix(_HEADER)) or "").strip()
        word, _, rest = given.partition(" ")
        token = rest.strip() if word.lower() == "bearer" else given
        if token:
            return token
    return None


def _unauthorized(authorizer_id: str, reason: str, challenge: str) -> RequestRefusedError:
    return RequestRefusedError(
        401,
        "Unauthorized",
        hop="authorizer",
        id=authorizer_id,
        reason=reason,
        headers={"www-authenticate": challenge},
    )


def _by_signature(
    account: Account, routed: Routed, request: Request, credentials: Credentials, trace: Trace
) -> Mapping[str, object]:
    try:
        caller = credentials.signer(request, account.region, "execute-api")
    except UnsignedError as error:
        raise forbidden("authorizer", "AWS_IAM", str(error)) from error
    partition = account.client("apigatewayv2").meta.partition
    api_arn = account.api_arn(partition, routed.address.api_id)
    act = Act(action="execute-api:Invoke", resource=routed.request_arn(api_arn, request.method))
    verdict = caller.own(act)  # an HTTP API has no resource policy
    if not verdict.allowed:
        reason = f"{caller.arn} may not call {act.action} on {act.resource}: {verdict.reason}"
        raise forbidden("authorizer", "AWS_IAM", reason)
    trace.add("authorizer", "AWS_IAM", f"route {routed.match.key}, signed by {caller.arn}")
    return caller.iam


def explain_authorization(account: Account, routed: Routed, trace: Trace) -> None:
    """Say whose requests a route takes: the request that is explained has no token and no signature.

    Raises:
        RequestRefusedError: 500, API Gateway can't decide: the authorizer does not exist, or can't invoke its function.
        WalkEndsError: its function is in another account or region.
    """
    kind = routed.match.route.get("AuthorizationType", "NONE")
    if kind == "NONE":
        return
    named = routed.match.route.get("AuthorizerId", kind)
    details = f"{kind} for route {routed.match.key}"
    authorizer: Any = None
    with trace.reading():
        authorizer = _authorizer(account, routed) if "AuthorizerId" in routed.match.route else {}
        if authorizer is None:
            reason = f"route {routed.match.key} needs it, but it does not exist"
            raise server_error("authorizer", named, reason, "authorizer-missing")
        if authorizer:
            issuer = (authorizer.get("JwtConfiguration") or {}).get("Issuer") or authorizer.get("AuthorizerUri") or ""
            details = f"{authorizer['Name']}, {kind} for route {routed.match.key}{', by ' + issuer if issuer else ''}"
    trace.add("authorizer", named, details)
    if kind == "CUSTOM" and authorizer:
        _explain_function(account, routed, authorizer_of(authorizer, routed), trace)
        return
    status = "403 Forbidden" if kind == "AWS_IAM" else "401 Unauthorized"
    trace.note("authorizer", "authorizer", named, f"a request that it does not accept is answered with {status}")


def _explain_function(account: Account, routed: Routed, authorizer: LambdaAuthorizer, trace: Trace) -> None:
    """Look for what keeps API Gateway from asking the function: what this would answer can't be known from here."""
    if authorizer.identity_sources:
        sources = ", ".join(authorizer.identity_sources)
        detail = f"a request without {sources} is answered with 401 Unauthorized, and its function is not invoked"
        trace.note("authorizer", "authorizer", authorizer.id, detail)
    with trace.reading():
        find_function(account, routed.address.api_id, authorizer, trace)
    wanted = "isAuthorized" if authorizer.has_simple_responses else "principalId and policyDocument"
    detail = (
        "whether its function lets a request through is not known before it is invoked: if not, the answer is 403 "
        f"Forbidden, and 500 Internal Server Error if the function fails or returns no {wanted}"
    )
    trace.note("authorizer-function-decides", "authorizer", authorizer.id, detail)
