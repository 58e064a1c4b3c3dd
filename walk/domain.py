"""From the name in the Host header to an API's stage: DNS, custom domain, certificate, mapping."""

import datetime
import ipaddress
import re
from dataclasses import dataclass
from typing import Any

from dualmode.gateway.api_gateway.request_event import path_below
from dualmode.gateway.http.message import host_name
from walk.account import Account
from walk.dns_answers import Answer, Names
from walk.dns_names import covers
from walk.public_dns import check_target, lead_by_dns
from walk.queries import every, read
from walk.rest_api import check_rest_api
from walk.trace import RequestRefusedError, Trace, WalkEndsError, forbidden, not_found
from walk.zone import Lead, lead_of, zones_of

_REGION = re.compile(r"\.execute-api\.([a-z0-9-]+)\.amazonaws\.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class StageAddress:
    """The stage that a name leads to; `path` is the rest of the decoded path, which chooses the route."""

    domain_name: str
    api_id: str
    stage: str
    path: str
    mapping_key: str = ""


def asked_name(host: str, default: str | None) -> str:
    """The name in a Host header: `default` if it is a loopback address, `localhost` or empty."""
    name = host_name(host).rstrip(".").lower()
    return default if default is not None and _is_this_machine(name) else name


def resolve(
    account: Account, name: str, path: str, trace: Trace, names: Names | None = None, *, led: Lead | None = None
) -> StageAddress:
    """Follow a name as DNS and API Gateway do; with `names`, DNS itself is asked too, and with `led`, no DNS.

    Raises:
        RequestRefusedError: 403 if nothing answers for the name, 404 if it doesn't lead to a stage.
        WalkEndsError: the name leads to a CDN.
    """
    labels = name.split(".")
    if len(labels) > 2 and labels[1] == "execute-api":
        return _own_domain(account, name, labels[0], path, trace)
    domain = _custom_domain(account, name, trace, names, led)
    mapping, keys = _mapping(account, domain, path)
    if mapping is None:
        has = f"only {', '.join(keys)}" if keys else "none"
        reason = f"no API mapping of {domain} takes the path {path}; it has {has}"
        raise forbidden("mapping", name, reason, "mapping-missing")
    key = mapping.get("ApiMappingKey") or ""
    trace.add(
        "mapping", mapping["ApiMappingId"], f"{key or '(none)'} to API {mapping['ApiId']}, stage {mapping['Stage']}"
    )
    rest = path_below(key, path) or "/"
    return StageAddress(domain_name=name, api_id=mapping["ApiId"], stage=mapping["Stage"], path=rest, mapping_key=key)


def _own_domain(account: Account, name: str, api_id: str, path: str, trace: Trace) -> StageAddress:
    gateway = account.client("apigatewayv2")
    with trace.reading():
        api = read(gateway, "get_api", absent="NotFoundException", ApiId=api_id)
        if api is None:
            check_rest_api(account, api_id, trace)
            raise forbidden(
                "domain", name, f"no API of this account in {account.region} has the id {api_id}", "api-missing"
            )
        if api.get("DisableExecuteApiEndpoint"):
            reason = f"the default endpoint of API {api['Name']} ({api_id}) is disabled"
            raise not_found("domain", name, reason, "endpoint-disabled")
        trace.add("domain", name, f"default endpoint of API {api['Name']}")
    first, _, rest = path.removeprefix("/").partition("/")
    with trace.reading():
        if first and read(gateway, "get_stage", absent="NotFoundException", ApiId=api_id, StageName=first) is not None:
            return StageAddress(domain_name=name, api_id=api_id, stage=first, path=f"/{rest}")
    return StageAddress(domain_name=name, api_id=api_id, stage="$default", path=path)


def has_domain(account: Account, name: str) -> bool:
    """Whether API Gateway has a custom domain for a name."""
    return _named(account, name) is not None


def _custom_domain(account: Account, name: str, trace: Trace, names: Names | None, led: Lead | None) -> str:
    """The custom domain's name in API Gateway, checked from its DNS record to its certificate."""
    answer = None
    if led is not None:
        lead, names = led, None
    elif names is None:
        lead = lead_of(account, zones_of(account, name), name)
    else:
        lead, answer = lead_by_dns(account, name, names, trace)
    target = lead.target
    domain = _named(account, name)
    own = [entry["ApiGatewayDomainName"].lower() for entry in domain["DomainNameConfigurations"]] if domain else []
    _check_cdn(name, lead, answer, own)
    if domain is None:
        raise _absent(account, name, lead)
    configurations = domain["DomainNameConfigurations"]
    fitting = [entry for entry in configurations if target in (None, entry["ApiGatewayDomainName"].lower())]
    if not fitting:
        reason = f"{lead.record} leads to {target}; the domain's target is {' and '.join(own)}"
        raise forbidden("record", name, reason, "record-target")
    if names is not None and target is None:
        check_target(name, own, answer, names, trace)
    _check_status(name, fitting[0])
    if domain.get("MutualTlsAuthentication", {}).get("TruststoreUri"):
        _meet_mutual_tls(name, trace)
    certificate = "(not read)"
    with trace.reading():
        certificate = checked_certificate(account, name, fitting[0])
    way = f"{lead.record} to {target.partition('.')[0]}" if target else lead.record
    trace.add("domain", domain["DomainName"], f"{way}, certificate {certificate}")
    return str(domain["DomainName"])


def _meet_mutual_tls(name: str, trace: Trace) -> None:
    """Source: "HTTP 403 Forbidden errors from a custom domain name that requires mutual TLS", AWS re:Post."""
    asks = "it asks each client for a certificate (mutual TLS)"
    if not trace.explains:
        raise forbidden("domain", name, f"{asks}, and a request to the sandbox has none")
    trace.note("mutual-tls", "domain", name, asks)


def _absent(account: Account, name: str, lead: Lead) -> RequestRefusedError:
    if lead.target is None:
        reason = f"API Gateway has no domain with this name in {account.region}; {lead.record}"
        return forbidden("domain", name, reason, "domain-missing")
    led = f"{lead.record} leads to {lead.target}, but API Gateway has no domain with this name"
    region = _REGION.search(lead.target)
    if region is not None and region[1] != account.region:
        return forbidden("domain", name, f"{led} in {account.region}", "other-region")
    return forbidden("domain", name, led, "domain-missing")


def _check_cdn(name: str, lead: Lead, answer: Answer | None, own: list[str]) -> None:
    """A distribution sends requests on to an origin with a name of its own; an edge-optimized domain has one too."""
    for found in (lead.target, answer.canonical if answer else None):
        if found is not None and found.endswith(".cloudfront.net") and found not in own:
            reason = f"{lead.record} leads to the CloudFront distribution {found}"
            raise WalkEndsError(hop="record", id=name, reason=reason, cause="cdn", target=found, record=lead.record)


def _check_status(name: str, configuration: dict[str, Any]) -> None:
    """Source: `DomainNameStatus` of `DomainNameConfiguration`, Amazon API Gateway v2 API Reference."""
    status = configuration.get("DomainNameStatus") or "AVAILABLE"
    if status.startswith("PENDING"):
        said = configuration.get("DomainNameStatusMessage") or "no reason is given"
        raise forbidden("domain", name, f"its status is {status}: {said}", "domain-pending")


def _named(account: Account, name: str) -> Any:
    """API Gateway's domain for a name: its own one, or else the wildcard above it."""
    gateway = account.client("apigatewayv2")
    candidates = (name, "*." + name.partition(".")[2])
    found = (read(gateway, "get_domain_name", absent="NotFoundException", DomainName=each) for each in candidates)
    return next((domain for domain in found if domain is not None), None)


def checked_certificate(account: Account, name: str, configuration: dict[str, Any]) -> str:
    """The certificate's short id; API Gateway answers a name only with a certificate that covers it."""
    arn = configuration.get("CertificateArn", "")
    if configuration.get("EndpointType") == "EDGE":  # its certificate is in us-east-1, and it is for REST APIs alone
        return "of an edge-optimized domain"
    short = str(arn.rpartition("/")[2])
    described = read(
        account.client("acm"), "describe_certificate", absent="ResourceNotFoundException", CertificateArn=arn
    )
    if described is None:
        raise forbidden("certificate", arn, f"the certificate of {name} does not exist in ACM", "certificate-missing")
    certificate = described["Certificate"]
    if certificate["Status"] != "ISSUED":
        cause = "certificate-expired" if certificate["Status"] == "EXPIRED" else "certificate-not-issued"
        raise forbidden("certificate", arn, f"the certificate of {name} is {certificate['Status']}, not ISSUED", cause)
    covered = {certificate["DomainName"], *certificate.get("SubjectAlternativeNames", [])}
    if not any(covers(entry, name) for entry in covered):
        raise forbidden("certificate", arn, f"it covers {', '.join(sorted(covered))}, not {name}", "certificate-name")
    expiry = certificate.get("NotAfter")
    if expiry is not None and expiry < datetime.datetime.now(datetime.UTC):
        reason = f"the certificate of {name} expired at {expiry:%Y-%m-%d %H:%M}"
        raise forbidden("certificate", arn, reason, "certificate-expired")
    return short[:8]


def _mapping(account: Account, domain: str, path: str) -> tuple[dict[str, Any] | None, list[str]]:
    """The mapping with the longest key that the path begins with, in whole segments; and the keys of all."""
    mappings = every(account.client("apigatewayv2"), "get_api_mappings", "Items", DomainName=domain)
    fitting = [mapping for mapping in mappings if path_below(mapping.get("ApiMappingKey") or "", path) is not None]
    best = max(fitting, key=lambda mapping: len(mapping.get("ApiMappingKey") or ""), default=None)
    return best, sorted(mapping.get("ApiMappingKey") or "(none)" for mapping in mappings)


def _is_this_machine(name: str) -> bool:
    if name in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
