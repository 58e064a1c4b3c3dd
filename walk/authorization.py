"""Whether a route lets a request through: by a token, or by a signature with AWS credentials."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dualmode.gateway.http.message import Request
from walk.account import Account
from walk.jwt import TokenError, checked_claims, scopes_of, told
from walk.key_sets import KeySets
from walk.queries import read
from walk.route import Match
from walk.trace import RequestRefusedError, Trace, server_error

_HEADER = "$request.header."


class UnsignedError(Exception):
    """A request isn't signed with credentials that may call the API; the sentence says why."""


def _cannot_tell(request: Request, region: str) -> Mapping[str, object]:
    raise UnsignedError("only AWS knows the secret keys that it could be signed with")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What tells who sends a request: the keys of issuers, and who has signed it.

    `signer` takes a request and a region, and returns `requestContext.authorizer.iam`, or raises `UnsignedError`.
    """

    key_sets: KeySets = field(default_factory=KeySets)
    signer: Callable[[Request, str], Mapping[str, object]] = _cannot_tell


def authorize(
    account: Account, api_id: str, match: Match, request: Request, credentials: Credentials, trace: Trace
) -> Mapping[str, object] | None:
    """Return what the route's authorization tells the function of the client, None if it asks for none.

    Raises:
        RequestRefusedError: 401 or 403, as API Gateway answers.
    """
    kind = match.route.get("AuthorizationType", "NONE")
    if kind == "NONE":
        return None
    if kind == "JWT":
        return {"jwt": _by_token(account, api_id, match, request, credentials.key_sets, trace)}
    if kind == "AWS_IAM":
        return {"iam": _by_signature(account, match, request, credentials, trace)}
    reason = f"route {match.key} needs {kind} authorization, which the sandbox can't grant"
    raise RequestRefusedError(
        401, "Unauthorized", hop="authorizer", id=match.route.get("AuthorizerId", kind), reason=reason
    )


def _by_token(
    account: Account, api_id: str, match: Match, request: Request, key_sets: KeySets, trace: Trace
) -> Mapping[str, object]:
    authorizer_id = str(match.route.get("AuthorizerId") or "")
    authorizer = authorizer_id and read(
        account.client("apigatewayv2"),
        "get_authorizer",
        absent="NotFoundException",
        ApiId=api_id,
        AuthorizerId=authorizer_id,
    )
    if not authorizer:
        raise server_error("authorizer", authorizer_id or "(none)", f"route {match.key} has no authorizer")
    wanted = list(match.route.get("AuthorizationScopes") or ())
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
    account: Account, match: Match, request: Request, credentials: Credentials, trace: Trace
) -> Mapping[str, object]:
    try:
        iam = credentials.signer(request, account.region)
    except UnsignedError as error:
        raise RequestRefusedError(403, "Forbidden", hop="authorizer", id="AWS_IAM", reason=str(error)) from error
    trace.add("authorizer", "AWS_IAM", f"route {match.key}, signed by {iam.get('userArn')}")
    return iam
