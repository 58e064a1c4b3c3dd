"""Explains a request: which hops it passes, which one refuses it, and what else is seldom wanted."""

import re
from dataclasses import dataclass, replace

from dualmode.gateway.api_gateway.request_event import decoded_path
from dualmode.gateway.http.message import Request
from walk import cdn_notes, cdn_secret, function_notes, function_url
from walk.account import Account
from walk.authorization import Credentials
from walk.call import Call
from walk.distribution import OWN_DOMAIN, Onward, check_connection, find_onward, host_passed, lead_to_itself
from walk.dns_answers import Names
from walk.domain import has_domain, resolve
from walk.errors import ReadDeniedError
from walk.follow import follow_to_call
from walk.function_version import FunctionVersion, describe, find_shares
from walk.stage import Throttles, find_call
from walk.trace import Hop, RequestRefusedError, Trace, WalkEndsError, unread
from walk.zone import Lead

_OF_AWS = re.compile(r"\.(?:execute-api|lambda-url)\.(?:([a-z0-9-]+)\.(?:amazonaws|on)\.)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The hops of a request, the last one perhaps a refusal with `status` and `message`, and notes beside the way."""

    hops: tuple[Hop, ...]
    notes: tuple[Hop, ...]
    status: int | None = None
    message: str = ""

    @property
    def refusal(self) -> Hop | None:
        """The hop that refuses the request."""
        return next((hop for hop in self.hops if hop.refused), None)


def explain(account: Account, method: str, target: str, name: str, names: Names | None) -> Explanation:
    """Follow a request for a name through the account without sending it; without `names`, its zone is believed.

    `target` is the path with the query, as a client sends it.

    Raises:
        UnreadableAccountError: AWS doesn't answer, or doesn't accept the credentials.
    """
    request = Request(method=method, target=target, headers=(("Host", name),))
    trace = Trace(explains=True)
    refusal: RequestRefusedError | None = None
    try:
        _follow(account, request, name, names, trace)
    except RequestRefusedError as refused:
        refusal = refused
        trace.hops.append(refused.hop)
    except WalkEndsError as end:
        trace.hops.append(end.hop)
    except ReadDeniedError as denied:
        trace.hops.append(unread(denied))
    return Explanation(
        hops=tuple(trace.hops),
        notes=tuple(trace.notes),
        status=refusal.status if refusal else None,
        message=refusal.message if refusal else "",
    )


def _follow(account: Account, request: Request, name: str, names: Names | None, trace: Trace) -> None:
    onward: Onward | None = None
    try:
        if name.endswith(OWN_DOMAIN):
            raise lead_to_itself(name)
        found = _find_function(account, request, name, names, trace)
    except WalkEndsError as led:
        if led.hop.cause != "cdn":
            raise
        onward = find_onward(account, name, led, request.method, request.target.partition("?")[0], trace)
        cdn_notes.on_distribution(trace, onward)
        account, found = _find_origin(account, request, name, names, onward, trace)
    for version_name in (each for each, share in found.shares.items() if share > 0):
        version = _follow_version(account, found, version_name, trace)
        cdn_secret.check(version, onward)


@dataclass(frozen=True, slots=True)
class _Found:
    """A function, the versions of it that may run, and the call that an API makes."""

    name: str
    shares: dict[str, float]
    call: Call | None


def _find_function(account: Account, request: Request, name: str, names: Names | None, trace: Trace) -> _Found:
    if function_url.is_function_url(name):
        arn, shares, _ = function_url.find_shares(account, name, request, Credentials(), trace)
        return _Found(arn.split(":")[6], shares, None)
    _, call = follow_to_call(account, request, name, Throttles(), trace, names)
    return _Found(call.function_name, find_shares(account, call, trace), call)


def _find_origin(
    account: Account, request: Request, name: str, names: Names | None, onward: Onward, trace: Trace
) -> tuple[Account, _Found]:
    """The function behind a distribution's origin, and the account in the origin's region.

    Raises:
        RequestRefusedError: CloudFront, or what is behind it, refuses the request.
        WalkEndsError: the origin is neither an API nor a Function URL.
    """
    origin, sent_on = onward.origin_name, f"{onward.origin.get('OriginPath', '')}{request.target}"
    of_aws = _OF_AWS.search(origin)
    account = account.in_region(of_aws[1]) if of_aws and of_aws[1] else account
    if not of_aws and not has_domain(account, origin):
        reason = f"{origin} is neither an API nor a Function URL of this account in {account.region}"
        raise WalkEndsError(hop="origin", id=str(onward.origin["Id"]), reason=reason, cause="cdn-origin")
    check_connection(onward)
    if not onward.header("host") or cdn_notes.runs_elsewhere(onward):
        asked = replace(request, target=sent_on, headers=(("Host", origin),))
        return account, _find_function(account, asked, origin, names, trace)
    if function_url.is_function_url(origin) or not has_domain(account, name):
        raise host_passed(onward, name)
    lead = Lead(target=None, record="the Host that CloudFront passes on")
    address = resolve(account, name, decoded_path(sent_on), trace, led=lead)
    call = find_call(account, address, request, Throttles(), trace, Credentials())
    return account, _Found(call.function_name, find_shares(account, call, trace), call)


def _follow_version(account: Account, found: _Found, name: str, trace: Trace) -> FunctionVersion:
    """A version that may run: what refuses a small share of the requests is found too."""
    version = describe(account, found.name, name, trace)
    if version.image:
        trace.add("image", version.image, f"repository {version.repository}")
    function_notes.on_version(account, found.call, version, trace)
    return version
