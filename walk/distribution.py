"""From a name that DNS leads to CloudFront to the origin of its distribution: certificate, behavior, policies."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from walk.account import Account
from walk.cdn_policy import Passed
from walk.dns_names import covers
from walk.domain import checked_certificate
from walk.queries import every, read
from walk.trace import RequestRefusedError, Trace, WalkEndsError, forbidden

CERTIFICATE_REGION = "us-east-1"
"""Source: "Requirements for using SSL/TLS certificates with CloudFront", CloudFront Developer Guide."""

OWN_DOMAIN = ".cloudfront.net"

_READ_ONLY = ("GET", "HEAD")  # what a behavior allows without a list


@dataclass(frozen=True, slots=True, kw_only=True)
class Onward:
    """How a distribution sends a request on: by which behavior, with what of the request, and to which origin.

    `cached` has the times and the name of the cache policy; `by_key` is what its key has, `by_policy` what the origin
    request policy adds.
    """

    distribution: Mapping[str, Any]
    pattern: str
    behavior: Mapping[str, Any]
    origin: Mapping[str, Any]
    cached: Mapping[str, Any]
    by_key: Passed
    by_policy: Passed

    @property
    def origin_name(self) -> str:
        """The name of the origin."""
        return str(self.origin["DomainName"]).lower()

    def header(self, name: str) -> bool:
        """Whether the origin gets a header, by its name in lower case."""
        return self.by_key.header(name) or self.by_policy.header(name)

    def cookie(self, crumb: str) -> bool:
        """Whether the origin gets a cookie."""
        return self.by_key.cookie(crumb) or self.by_policy.cookie(crumb)

    def query(self, piece: str) -> bool:
        """Whether the origin gets a parameter of the query."""
        return self.by_key.query(piece) or self.by_policy.query(piece)

    @property
    def takes_cookies(self) -> bool:
        """Whether the origin gets any cookie."""
        return self.by_key.takes_cookies or self.by_policy.takes_cookies

    @property
    def takes_query(self) -> bool:
        """Whether the origin gets anything of the query."""
        return self.by_key.takes_query or self.by_policy.takes_query

    @property
    def own_headers(self) -> dict[str, str]:
        """The headers that CloudFront adds, names in lower case; they replace a client's."""
        return {each["HeaderName"].lower(): each["HeaderValue"] for each in items(self.origin.get("CustomHeaders"))}


def lead_to_itself(name: str) -> WalkEndsError:
    """What a record that leads to CloudFront gives, for a distribution's own name."""
    record = "its own name"
    return WalkEndsError(hop="record", id=name, reason=record, cause="cdn", target=name, record=record)


def find_onward(account: Account, name: str, led: WalkEndsError, method: str, path: str, trace: Trace) -> Onward:
    """Follow a request for a name that DNS has led to CloudFront; `path` is as the client sends it.

    Raises:
        RequestRefusedError: CloudFront would refuse it.
        WalkEndsError: the distribution is another account's, for a trace that explains.
        UnreadableAccountError: the account can't be read.
    """
    found = _distribution(account, name, led, trace)
    identity = found["Id"]
    if not found["Enabled"]:
        raise forbidden("distribution", identity, "it is disabled", "distribution-disabled")
    certificate = "(not read)"
    with trace.reading():
        certificate = _certificate(account, name, found["ViewerCertificate"])
    trace.add("distribution", identity, f"{led.record} to {led.target}, certificate {certificate}")
    pattern, behavior = _behavior(found, path)
    allowed = behavior.get("AllowedMethods", {}).get("Items") or _READ_ONLY
    if method not in allowed:
        reason = f"it allows {', '.join(sorted(allowed))}, and not {method}"
        raise forbidden("behavior", pattern, reason, "cdn-method")
    cached: dict[str, Any] = {"Name": "(not read)", "MinTTL": 0}
    by_key = by_policy = Passed.unread()
    request_policy = "(not read)"
    with trace.reading():
        cached, by_key = _cached(account, behavior)
    with trace.reading():
        request_policy, by_policy = _request_policy(account, behavior)
    origins = {each["Id"]: each for each in items(found["Origins"])}
    origin = origins[behavior["TargetOriginId"]]
    by = f", request policy {request_policy}" if request_policy else ""
    trace.add("behavior", pattern, f"cache policy {cached['Name']}{by}, to {origin['DomainName']}")
    return Onward(
        distribution=found,
        pattern=pattern,
        behavior=behavior,
        origin=origin,
        cached=cached,
        by_key=by_key,
        by_policy=by_policy,
    )


def check_connection(onward: Onward) -> None:
    """Check that CloudFront connects to an origin of API Gateway or Lambda by https.

    Raises:
        RequestRefusedError: 502, since it connects by http.
    """
    protocol = onward.origin.get("CustomOriginConfig", {}).get("OriginProtocolPolicy")
    if protocol == "http-only":
        reason = f"CloudFront connects to {onward.origin_name} by http, which API Gateway and Lambda do not answer"
        raise RequestRefusedError(
            502, "Bad Gateway", hop="origin", id=str(onward.origin["Id"]), reason=reason, cause="cdn-http"
        )


def host_passed(onward: Onward, name: str) -> RequestRefusedError:
    """The refusal of an origin that is asked for the client's name, and does not know it.

    Source: "How origin request policies and cache policies work together", CloudFront Developer Guide.
    """
    reason = f"the behavior passes it on, so {onward.origin_name} is asked for a name that is not its own"
    return forbidden("host", name, reason, "cdn-host")


def _distribution(account: Account, name: str, led: WalkEndsError, trace: Trace) -> dict[str, Any]:
    """The distribution that serves a name: by one of its aliases, whichever distribution the record leads to."""
    client = account.client("cloudfront")
    listed = every(client, "list_distributions", "DistributionList.Items")
    for fits in (
        lambda each: each["DomainName"].lower() == name,
        lambda each: name in _aliases(each),
        lambda each: any(covers(alias, name) for alias in _aliases(each)),
    ):
        for each in filter(fits, listed):
            answer = read(client, "get_distribution", absent="NoSuchDistribution", Id=each["Id"])
            if answer is not None:
                found = answer["Distribution"]
                kept = {key: found[key] for key in ("Id", "DomainName", "Status") if key in found}
                return {**found["DistributionConfig"], **kept}
    reason = f"{led.record} leads to {led.target}"
    if trace.explains and all(each["DomainName"].lower() != led.target for each in listed):
        reason = f"{reason}, a distribution that this account does not have"
        raise WalkEndsError(hop="distribution", id=name, reason=reason, cause="cdn")
    reason = f"{reason}, but no distribution there has this name as an alias"
    raise forbidden("distribution", name, reason, "distribution-alias")


def _certificate(account: Account, name: str, given: Mapping[str, Any]) -> str:
    arn = given.get("ACMCertificateArn")
    if not arn or name.endswith(OWN_DOMAIN):
        return "of IAM" if given.get("IAMCertificateId") else "CloudFront's own"
    return checked_certificate(account.in_region(CERTIFICATE_REGION), name, {"CertificateArn": arn})


def _behavior(distribution: Mapping[str, Any], path: str) -> tuple[str, dict[str, Any]]:
    """The first behavior whose pattern fits a path, and its pattern."""
    for behavior in items(distribution.get("CacheBehaviors")):
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


def _cached(account: Account, behavior: Mapping[str, Any]) -> tuple[dict[str, Any], Passed]:
    """The behavior's cache policy, or what it has of its own in place of one, and what that passes."""
    if behavior.get("ForwardedValues"):
        times = {key: behavior.get(key, 0) for key in ("MinTTL", "DefaultTTL", "MaxTTL")}
        return {"Name": "(its own values)", **times}, Passed.of_values(behavior["ForwardedValues"])
    identity = behavior.get("CachePolicyId", "")
    answer = read(account.client("cloudfront"), "get_cache_policy", absent="NoSuchCachePolicy", Id=identity)
    if answer is None:
        raise forbidden("behavior", str(identity), "there is no such cache policy")
    config = answer["CachePolicy"]["CachePolicyConfig"]
    return config, Passed.of(config["ParametersInCacheKeyAndForwardedToOrigin"])


def _request_policy(account: Account, behavior: Mapping[str, Any]) -> tuple[str, Passed]:
    """The name of the behavior's origin request policy, "" without one, and what it passes."""
    identity = behavior.get("OriginRequestPolicyId")
    answer = identity and read(
        account.client("cloudfront"), "get_origin_request_policy", absent="NoSuchOriginRequestPolicy", Id=identity
    )
    if not answer:
        return "", Passed.none()
    config = answer["OriginRequestPolicy"]["OriginRequestPolicyConfig"]
    return str(config["Name"]), Passed.of(config)


def _aliases(distribution: Mapping[str, Any]) -> list[str]:
    return [str(alias).lower() for alias in items(distribution.get("Aliases"))]


def items(counted: Any) -> list[Any]:
    """The members of one of CloudFront's lists, which is empty without any."""
    return list((counted or {}).get("Items") or [])
