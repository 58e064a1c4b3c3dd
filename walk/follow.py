"""The whole walk of one request: from its Host header to the version of the function that would answer it."""

from dualmode.gateway.api_gateway.http_api import HEADER_LIMIT, head_bytes, refusal_message
from dualmode.gateway.api_gateway.request_event import MalformedTargetError, decoded_path
from dualmode.gateway.http.message import Request
from walk.account import Account
from walk.authorization import Credentials
from walk.call import Call
from walk.dns_answers import Names
from walk.domain import StageAddress, asked_name, resolve
from walk.function_url import LONGEST_SECONDS, find_shares, is_function_url
from walk.function_version import FunctionVersion, describe, find_version, one_of
from walk.route import DEFAULT, Match
from walk.stage import Throttles, find_call
from walk.trace import RequestRefusedError, Trace


def follow(
    account: Account,
    request: Request,
    throttles: Throttles,
    trace: Trace,
    *,
    default_name: str | None = None,
    credentials: Credentials | None = None,
) -> tuple[StageAddress, Call, FunctionVersion]:
    """Follow a request through the account, and record each resource that it passes.

    `default_name` is the name for requests whose Host is a loopback address or `localhost`, and `credentials` tell who
    sends a request.

    Raises:
        RequestRefusedError: AWS would refuse the request at one of the resources.
        PreflightAnsweredError: API Gateway answers the request itself.
        WalkEndsError: its name leads to a CDN.
        UnreadableAccountError: the account can't be read.
    """
    name = asked_name(request.header("host") or "", default_name)
    if is_function_url(name):
        return _follow_url(account, name, request, credentials or Credentials(), trace)
    address, call = follow_to_call(account, request, name, throttles, trace, credentials=credentials)
    return address, call, find_version(account, call, trace)


def follow_to_call(
    account: Account,
    request: Request,
    name: str,
    throttles: Throttles,
    trace: Trace,
    names: Names | None = None,
    *,
    credentials: Credentials | None = None,
) -> tuple[StageAddress, Call]:
    """Follow a request for a name as far as the API goes; with `names`, DNS itself is asked too.

    Raises:
        RequestRefusedError: API Gateway would refuse the request.
        PreflightAnsweredError: API Gateway answers the request itself.
        WalkEndsError: it leads to what isn't followed.
        UnreadableAccountError: the account can't be read.
    """
    if head_bytes(request) > HEADER_LIMIT:
        message = refusal_message(431)
        raise RequestRefusedError(431, message, hop="request", id=request.method, reason=message, cause="head-too-long")
    try:
        path = decoded_path(request.target)
    except MalformedTargetError:
        reason = f"its target {request.target!r} has no path"
        raise RequestRefusedError(400, refusal_message(400), hop="request", id=request.method, reason=reason) from None
    address = resolve(account, name, path, trace, names)
    return address, find_call(account, address, request, throttles, trace, credentials or Credentials())


def _follow_url(
    account: Account, name: str, request: Request, credentials: Credentials, trace: Trace
) -> tuple[StageAddress, Call, FunctionVersion]:
    """Follow a request for a Function URL, which has no API in between."""
    arn, shares, authorizer = find_shares(account, name, request, credentials, trace)
    parts = arn.split(":")
    address = StageAddress(domain_name=name, api_id=name.partition(".")[0], stage=DEFAULT, path=request.target)
    call = Call(
        function_arn=":".join(parts[:7]),
        function_name=parts[6],
        qualifier=parts[7] if len(parts) > 7 else "",
        source_arn="",
        payload_version="2.0",
        timeout=LONGEST_SECONDS,
        match=Match(route={}, key=DEFAULT, parameters={}),
        stage_variables={},
        authorizer=authorizer,
    )
    return address, call, describe(account, call.function_name, one_of(shares), trace)
