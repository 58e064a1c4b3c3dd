"""From a name that leads to CloudFront to what its origin gets: distribution, behavior, function, policies."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dualmode.gateway.api_gateway.public_name import sent_to
from dualmode.gateway.http.message import Request
from sandbox.edge.viewer_function import UnknownStatementError, run
from walk.account import Account
from walk.dns_names import covers
from walk.domain import checked_certificate
from walk.errors import UnreadableAccountError
from walk.queries import read
from walk.trace import RequestRefusedError, Trace, WalkEndsError, forbidden

EDGE_ADDRESS = "130.176.0.1"
"""Who the origin sees as its client: an address of CloudFront's."""

CERTIFICATE_REGION = "us-east-1"


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
    found = _distribution(account, name)
    if found is None or led.target != found["DomainName"].lower():
        reason = f"{led.record} leads to {led.target}, but no distribution there has this name as an alias"
        raise forbidden("distribution", name, reason)
    identity = found["Id"]
    if not found["Enabled"]:
        raise forbidden("distribution", identity, "it is disabled")
    certificate = "another region's"
    if account.region == CERTIFICATE_REGION:
        arn = found["ViewerCertificate"].get("ACMCertificateArn", "")
        certificate = checked_certificate(account, name, {"CertificateArn": arn})
    trace.add("distribution", identity, f"{led.record} to {led.target}, certificate {certificate}")
    request = sent_to(viewed, name)
    path, _, query = request.target.partition("?")
    pattern, behavior = _behavior(found, path)
    if request.method not in behavior["AllowedMethods"]["Items"]:
        raise RequestRefusedError(
            403, "Forbidden", hop="behavior", id=pattern, reason=f"it doesn't allow the method {request.method}"
        )
    request = replace(request, headers=_changed(account, behavior, request))
    cached, sent = _policies(account, behavior)
    key_parts = cached["ParametersInCacheKeyAndForwardedToOrigin"]
    origin = next(each for each in found["Origins"]["Items"] if each["Id"] == behavior["TargetOriginId"])
    trace.add("behavior", pattern, f"cache policy {cached['Name']}, to {origin['DomainName']}")
    by_key, by_policy = _Names.of(key_parts), _Names.of(sent) if sent else _Names.none()
    headers, cookies = _split(request.headers)
    kept_headers = [
        (key, value) for key, value in headers if key in _ALWAYS or by_key.header(key) or by_policy.header(key)
    ]
    if not any(key == "host" for key, _ in kept_headers):
        kept_headers.append(("host", origin["DomainName"]))
    crumbs = [crumb for crumb in cookies if by_key.cookie(crumb) or by_policy.cookie(crumb)]
    if crumbs:
        kept_headers.append(("cookie", "; ".join(crumbs)))
    custom = {each["HeaderName"].lower(): each["HeaderValue"] for each in origin["CustomHeaders"].get("Items", [])}
    kept_headers = [(key, value) for key, value in kept_headers if key not in custom]
    pieces = query.split("&") if query else []
    wanted = "&".join(piece for piece in pieces if by_key.query(piece) or by_policy.query(piece))
    longest = float(cached.get("MaxTTL", 0))
    cacheable = longest > 0 and request.method in behavior["AllowedMethods"]["CachedMethods"]["Items"]
    key = (
        *(identity, request.method, path),
        tuple(piece for piece in pieces if by_key.query(piece)),
        tuple(sorted((key, value) for key, value in headers if by_key.header(key))),
        tuple(crumb for crumb in cookies if by_key.cookie(crumb)),
    )
    return Passage(
        request=replace(
            request,
            target=f"{path}?{wanted}" if wanted else path,
            headers=(*kept_headers, *custom.items(), ("via", "1.1 sandbox.cloudfront.net (CloudFront)")),
            client=EDGE_ADDRESS,
        ),
        key=key if cacheable else None,
        ages=(float(cached["MinTTL"]), float(cached.get("DefaultTTL", 0)), longest),
        error_ages={
            each["ErrorCode"]: float(each["ErrorCachingMinTTL"])
            for each in found.get("CustomErrorResponses", {}).get("Items", [])
            if "ErrorCachingMinTTL" in each
        },
        takes_cookies=by_key.takes_cookies or by_policy.takes_cookies,
    )


def _distribution(account: Account, name: str) -> dict[str, Any] | None:
    """The distribution that has a name among its aliases, itself or as a wildcard."""
    listed = _distributions(account)
    for fits in (lambda alias: alias.lower() == name, lambda alias: covers(alias, name)):
        for each in listed:
            if any(fits(alias) for alias in each["Aliases"].get("Items", [])):
                answer = read(
                    account.client("cloudfront"), "get_distribution", absent="NoSuchDistribution", Id=each["Id"]
                )
                found = answer["Distribution"]
                return {**found["DistributionConfig"], "Id": found["Id"], "DomainName": found["DomainName"]}
    return None


def _distributions(account: Account) -> list[dict[str, Any]]:
    try:
        pages = account.client("cloudfront").get_paginator("list_distributions").paginate()
        return [each for page in pages for each in page["DistributionList"].get("Items", [])]
    except (ClientError, BotoCoreError) as error:
        raise UnreadableAccountError(f"the account can't be read, list_distributions fails: {error}") from error


def _behavior(distribution: Mapping[str, Any], path: str) -> tuple[str, dict[str, Any]]:
    """The first behavior whose pattern fits a path, and its pattern."""
    for behavior in distribution.get("CacheBehaviors", {}).get("Items", []):
        pattern = str(behavior["PathPattern"])
        if _fits(pattern if pattern.startswith("/") else f"/{pattern}", path):
            return pattern, behavior
    return "*", dict(distribution["DefaultCacheBehavior"])


def _fits(pattern: str, path: str) -> bool:
    """Tell whether a path fits: `*` is any text, `?` any character.

    Source: "Path pattern", CloudFront Developer Guide.
    """
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", pattern))
    return re.fullmatch("".join(parts), path) is not None


def _changed(account: Account, behavior: Mapping[str, Any], request: Request) -> tuple[tuple[str, str], ...]:
    """The headers as the behavior's functions for requests change them."""
    headers = request.headers
    for each in behavior.get("FunctionAssociations", {}).get("Items", []):
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


def _policies(account: Account, behavior: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The behavior's cache policy, and its origin request policy if it has one."""
    client = account.client("cloudfront")
    cached = read(client, "get_cache_policy", absent="NoSuchCachePolicy", Id=behavior.get("CachePolicyId", ""))
    if cached is None:
        raise forbidden("behavior", str(behavior.get("CachePolicyId")), "there is no such cache policy")
    identity = behavior.get("OriginRequestPolicyId")
    sent = identity and read(client, "get_origin_request_policy", absent="NoSuchOriginRequestPolicy", Id=identity)
    config = cached["CachePolicy"]["CachePolicyConfig"]
    return config, sent["OriginRequestPolicy"]["OriginRequestPolicyConfig"] if sent else None


def _split(headers: Sequence[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[str]]:
    """Headers in lower case without cookies, and the cookies."""
    lowered = [(key.lower(), value) for key, value in headers]
    crumbs = [part.strip() for key, value in lowered if key == "cookie" for part in value.split(";")]
    return [(key, value) for key, value in lowered if key != "cookie"], [crumb for crumb in crumbs if crumb]


# What CloudFront passes on whatever the policies say, as far as the sandbox needs it.
_ALWAYS = frozenset(("content-type", "content-length"))


@dataclass(frozen=True, slots=True)
class _Names:
    """Which headers, cookies and parts of the query a policy takes."""

    headers: tuple[str, frozenset[str]]
    cookies: tuple[str, frozenset[str]]
    queries: tuple[str, frozenset[str]]

    @classmethod
    def of(cls, policy: Mapping[str, Any]) -> "_Names":
        return cls(
            _chosen(policy["HeadersConfig"], "HeaderBehavior", "Headers", lower=True),
            _chosen(policy["CookiesConfig"], "CookieBehavior", "Cookies"),
            _chosen(policy["QueryStringsConfig"], "QueryStringBehavior", "QueryStrings"),
        )

    @classmethod
    def none(cls) -> "_Names":
        nothing: tuple[str, frozenset[str]] = ("none", frozenset())
        return cls(nothing, nothing, nothing)

    @property
    def takes_cookies(self) -> bool:
        return self.cookies[0] != "none"

    def header(self, name: str) -> bool:
        return _takes(self.headers, name)

    def cookie(self, crumb: str) -> bool:
        return _takes(self.cookies, crumb.partition("=")[0])

    def query(self, piece: str) -> bool:
        return _takes(self.queries, piece.partition("=")[0])


def _chosen(part: Mapping[str, Any], behavior: str, names: str, *, lower: bool = False) -> tuple[str, frozenset[str]]:
    items = part.get(names, {}).get("Items", [])
    return part[behavior], frozenset(item.lower() if lower else item for item in items)


def _takes(chosen: tuple[str, frozenset[str]], name: str) -> bool:
    behavior, names = chosen
    if behavior == "whitelist":
        return name in names
    return behavior in ("all", "allViewer", "allViewerAndWhitelistCloudFront") or (
        behavior == "allExcept" and name not in names
    )
