"""From a name that leads to CloudFront to what its origin gets, and to what its caches keep that by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dualmode.gateway.api_gateway.public_name import sent_to
from dualmode.gateway.http.message import Request
from sandbox.edge.viewer_function import UnknownStatementError, run
from walk.account import Account
from walk.distribution import find_onward, host_passed, items
from walk.queries import read
from walk.trace import RequestRefusedError, Trace, WalkEndsError

EDGE_ADDRESS = "130.176.0.1"
"""Who the origin sees as its client: an address of CloudFront's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A request as CloudFront sends it to the origin, and what its caches need to know; ages in seconds."""

    request: Request
    key: tuple[object, ...] | None
    """What answers are kept by; None if they aren't kept."""
    ages: tuple[float, float, float] = (0, 0, 0)
    """The least, the usual and the longest age of what is kept."""
    error_ages: Mapping[int, float]
    """How long an answer with an error is kept, where that was set."""
    takes_cookies: bool


def passage(account: Account, name: str, led: WalkEndsError, viewed: Request, trace: Trace) -> Passage:
    """Follow a request for a name that DNS has led to CloudFront.

    Raises:
        RequestRefusedError: CloudFront would refuse it.
    """
    path, _, query = viewed.target.partition("?")
    onward = find_onward(account, name, led, viewed.method, path, trace)
    if onward.header("host"):
        raise host_passed(onward, name)
    request = sent_to(viewed, name)
    request = replace(request, headers=_changed(account, onward.behavior, request))
    headers, cookies = _split(request.headers)
    custom = onward.own_headers
    kept_headers = [
        (key, value) for key, value in headers if (key in _ALWAYS or onward.header(key)) and key not in custom
    ]
    kept_headers.append(("host", onward.origin_name))
    crumbs = [crumb for crumb in cookies if onward.cookie(crumb)]
    if crumbs:
        kept_headers.append(("cookie", "; ".join(crumbs)))
    pieces = query.split("&") if query else []
    wanted = "&".join(piece for piece in pieces if onward.query(piece))
    longest = float(onward.cached.get("MaxTTL", 0))
    cacheable = longest > 0 and request.method in onward.behavior["AllowedMethods"]["CachedMethods"]["Items"]
    key = (
        *(onward.distribution["Id"], request.method, path),
        tuple(piece for piece in pieces if onward.by_key.query(piece)),
        tuple(sorted((key, value) for key, value in headers if onward.by_key.header(key))),
        tuple(crumb for crumb in cookies if onward.by_key.cookie(crumb)),
    )
    below = f"{onward.origin.get('OriginPath', '')}{path}"
    return Passage(
        request=replace(
            request,
            target=f"{below}?{wanted}" if wanted else below,
            headers=(*kept_headers, *custom.items(), ("via", "1.1 sandbox.cloudfront.net (CloudFront)")),
            client=EDGE_ADDRESS,
        ),
        key=key if cacheable else None,
        ages=(float(onward.cached["MinTTL"]), float(onward.cached.get("DefaultTTL", 0)), longest),
        error_ages={
            each["ErrorCode"]: float(each["ErrorCachingMinTTL"])
            for each in items(onward.distribution.get("CustomErrorResponses"))
            if "ErrorCachingMinTTL" in each
        },
        takes_cookies=onward.takes_cookies,
    )


def _changed(account: Account, behavior: Mapping[str, Any], request: Request) -> tuple[tuple[str, str], ...]:
    """The headers as the behavior's functions for requests change them."""
    headers = request.headers
    for each in items(behavior.get("FunctionAssociations")):
        function = each["FunctionARN"].rpartition("/")[2]
        if each["EventType"] != "viewer-request":
            raise RequestRefusedError(
                500, "Internal Server Error", hop="function", id=function, reason="the sandbox runs none for responses"
            )
        answer = read(
            account.client("cloudfront"), "get_function", absent="NoSuchFunctionExists", Name=function, Stage="LIVE"
        )
        if answer is None:
            raise RequestRefusedError(
                503, "Service Unavailable", hop="function", id=function, reason="it isn't published"
            )
        try:
            headers = run(answer["FunctionCode"].read().decode(), headers, request.client)
        except UnknownStatementError as error:
            reason = f"the sandbox doesn't run JavaScript, only functions that set headers, and it has: {error}"
            raise RequestRefusedError(503, "Service Unavailable", hop="function", id=function, reason=reason) from error
    return headers


def _split(headers: Sequence[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[str]]:
    """Headers in lower case without cookies, and the cookies."""
    lowered = [(key.lower(), value) for key, value in headers]
    crumbs = [part.strip() for key, value in lowered if key == "cookie" for part in value.split(";")]
    return [(key, value) for key, value in lowered if key != "cookie"], [crumb for crumb in crumbs if crumb]


# What CloudFront passes on whatever the policies say, as far as the sandbox needs it.
_ALWAYS = frozenset(("content-type", "content-length"))
