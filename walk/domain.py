"""From the name in the Host header to an API's stage: DNS, custom domain, certificate, mapping."""

import datetime
import ipaddress
from dataclasses import dataclass
from typing import Any

from dualmode.gateway.api_gateway.request_event import path_below
from dualmode.gateway.http.message import host_name
from walk.account import Account
from walk.dns_names import closest_zones, covers, records_for
from walk.queries import every, read
from walk.trace import Trace, forbidden, not_found


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


def resolve(account: Account, name: str, path: str, trace: Trace) -> StageAddress:
    """Follow a name as DNS and API Gateway do.

    Raises:
        RequestRefusedError: 403 if nothing answers for the name, 404 if it doesn't lead to a stage.
    """
    labels = name.split(".")
    if len(labels) > 2 and labels[1] == "execute-api":
        return _own_domain(account, name, labels[0], path, trace)
    domain = _custom_domain(account, name, trace)
    mapping = _mapping(account, domain, path)
    if mapping is None:
        raise forbidden("mapping", name, f"no API mapping of {domain} takes the path {path}")
    key = mapping.get("ApiMappingKey") or ""
    trace.add(
        "mapping", mapping["ApiMappingId"], f"{key or '(none)'} to API {mapping['ApiId']}, stage {mapping['Stage']}"
    )
    rest = path_below(key, path) or "/"
    return StageAddress(domain_name=name, api_id=mapping["ApiId"], stage=mapping["Stage"], path=rest, mapping_key=key)


def _own_domain(account: Account, name: str, api_id: str, path: str, trace: Trace) -> StageAddress:
    gateway = account.client("apigatewayv2")
    api = read(gateway, "get_api", absent="NotFoundException", ApiId=api_id)
    if api is None:
        raise forbidden("domain", name, f"no API has the id {api_id}")
    if api.get("DisableExecuteApiEndpoint"):
        raise not_found("domain", name, f"the default endpoint of API {api['Name']} ({api_id}) is disabled")
    trace.add("domain", name, f"default endpoint of API {api['Name']}")
    first, _, rest = path.removeprefix("/").partition("/")
    if first and read(gateway, "get_stage", absent="NotFoundException", ApiId=api_id, StageName=first) is not None:
        return StageAddress(domain_name=name, api_id=api_id, stage=first, path=f"/{rest}")
    return StageAddress(domain_name=name, api_id=api_id, stage="$default", path=path)


def _custom_domain(account: Account, name: str, trace: Trace) -> str:
    """The custom domain's name in API Gateway, checked from its DNS record to its certificate."""
    target, record = _target(account, name)
    domain = _named(account, name)
    if domain is None:
        led = f"{record} leads to {target}, but API Gateway has no domain with this name" if target else record
        raise forbidden("domain", name, led)
    configurations = domain["DomainNameConfigurations"]
    fitting = [entry for entry in configurations if target in (None, entry["ApiGatewayDomainName"].lower())]
    if not fitting:
        targets = " and ".join(entry["ApiGatewayDomainName"] for entry in configurations)
        raise forbidden("record", name, f"{record} leads to {target}; the domain's target is {targets}")
    certificate = _checked_certificate(account, name, fitting[0].get("CertificateArn", ""))
    way = f"{record} to {target.partition('.')[0]}" if target else record
    trace.add("domain", domain["DomainName"], f"{way}, certificate {certificate}")
    return str(domain["DomainName"])


def _named(account: Account, name: str) -> Any:
    """API Gateway's domain for a name: its own one, or else the wildcard above it."""
    gateway = account.client("apigatewayv2")
    candidates = (name, "*." + name.partition(".")[2])
    found = (read(gateway, "get_domain_name", absent="NotFoundException", DomainName=each) for each in candidates)
    return next((domain for domain in found if domain is not None), None)


def _target(account: Account, name: str) -> tuple[str | None, str]:
    """Where DNS leads a name to, by an A alias or a CNAME, and the record in words.

    None for a name that may have its DNS elsewhere: an account doesn't tell where that leads.
    """
    route53 = account.client("route53")
    zones = closest_zones(every(route53, "list_hosted_zones", "HostedZones"), name)
    if not zones:
        return None, "no public hosted zone of the account holds this name"
    others: set[str] = set()
    for zone in zones:
        records = every(route53, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone["Id"])
        answering = records_for(records, name)
        for record in answering:
            zone_id = zone["Id"].rpartition("/")[2]
            if record["Type"] == "A" and "AliasTarget" in record:
                return _bare(record["AliasTarget"]["DNSName"]), f"A alias in zone {zone_id}"
            if record["Type"] == "CNAME" and record.get("ResourceRecords"):
                return _bare(record["ResourceRecords"][0]["Value"]), f"CNAME in zone {zone_id}"
        others |= {record["Type"] + (" alias" if "AliasTarget" in record else "") for record in answering}
    zone_name = f"{zones[0]['Name'].rstrip('.')} ({zones[0]['Id'].rpartition('/')[2]})"
    has = f"only {' and '.join(sorted(others))}" if others else "nothing"
    reason = f"zone {zone_name} has {has} for it, but the sandbox follows only A aliases and CNAMEs"
    raise forbidden("record", name, reason)


def _bare(name: str) -> str:
    return name.rstrip(".").lower()


def _checked_certificate(account: Account, name: str, arn: str) -> str:
    """The certificate's short id; API Gateway answers a name only with a certificate that covers it."""
    short = arn.rpartition("/")[2]
    described = read(
        account.client("acm"), "describe_certificate", absent="ResourceNotFoundException", CertificateArn=arn
    )
    if described is None:
        raise forbidden("certificate", arn, f"the certificate of {name} does not exist in ACM")
    certificate = described["Certificate"]
    if certificate["Status"] != "ISSUED":
        raise forbidden("certificate", arn, f"the certificate of {name} is {certificate['Status']}, not ISSUED")
    covered = {certificate["DomainName"], *certificate.get("SubjectAlternativeNames", [])}
    if not any(covers(entry, name) for entry in covered):
        raise forbidden("certificate", arn, f"it covers {', '.join(sorted(covered))}, not {name}")
    expiry = certificate.get("NotAfter")
    if expiry is not None and expiry < datetime.datetime.now(datetime.UTC):
        raise forbidden("certificate", arn, f"the certificate of {name} expired at {expiry:%Y-%m-%d %H:%M}")
    return short[:8]


def _mapping(account: Account, domain: str, path: str) -> dict[str, Any] | None:
    """The mapping with the longest key that the path begins with, in whole segments."""
    mappings = every(account.client("apigatewayv2"), "get_api_mappings", "Items", DomainName=domain)
    fitting = [mapping for mapping in mappings if path_below(mapping.get("ApiMappingKey") or "", path) is not None]
    return max(fitting, key=lambda mapping: len(mapping.get("ApiMappingKey") or ""), default=None)


def _is_this_machine(name: str) -> bool:
    if name in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
