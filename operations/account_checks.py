"""What `doctor` checks in the AWS account: credentials, region, quotas, the delegation of the domain's zone."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from infra import public_dns
from operations.findings import Finding

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

_NEW_ACCOUNT = 10
# Source: "Lambda quotas", Lambda Developer Guide, concurrent executions.
_ORDINARY_CONCURRENCY = 1000


def check(region: str | None, domain_name: str) -> Iterator[Finding]:
    """Check the account of the environment's credentials; with a domain, the zone that holds it."""
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        yield Finding(subject="AWS account", level="unknown", found="not checked, since boto3 is not installed")
        return
    try:
        session = boto3.Session(region_name=region or os.environ.get("AWS_REGION"))
    except BotoCoreError as error:
        yield _failed("credentials", error)
        return
    yield _region(session.region_name)
    if not session.region_name:
        yield Finding(subject="credentials", level="unknown", found="not checked, since there is no region")
        return
    try:
        identity = _client(session, "sts").get_caller_identity()
        yield Finding(subject="credentials", level="good", found=f"account {identity['Account']}, {identity['Arn']}")
    except (BotoCoreError, ClientError) as error:
        yield _failed("credentials", error)
        return
    try:
        yield _concurrency(_client(session, "lambda").get_account_settings()["AccountLimit"])
    except (BotoCoreError, ClientError) as error:
        yield _failed("concurrency", error, level="unknown")
    if domain_name:
        try:
            yield _delegation(_client(session, "route53"), domain_name)
        except (BotoCoreError, ClientError) as error:
            yield _failed("zone", error, level="unknown")


def _client(session: Any, service: str) -> Any:
    from botocore.config import Config

    quick = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 2})
    return session.client(service, config=quick)


def _failed(subject: str, error: "BotoCoreError | ClientError", *, level: str = "wrong") -> Finding:
    from operations import aws_errors

    found, _, remedy = aws_errors.sentence(error).rstrip(".").partition(": ")
    return Finding(subject=subject, level="wrong" if level == "wrong" else "unknown", found=found, remedy=remedy)


def _region(region: str | None) -> Finding:
    if not region:
        remedy = "run `pulumi config set aws:region eu-central-1`, or set AWS_REGION"
        return Finding(subject="region", level="wrong", found="none is set", remedy=remedy)
    return Finding(subject="region", level="good", found=region)


def _concurrency(limits: dict[str, Any]) -> Finding:
    allowed = int(limits["ConcurrentExecutions"])
    found = f"{allowed} requests at once in this region"
    if allowed <= _NEW_ACCOUNT:
        remedy = "a new account has few: ask for more under Service Quotas, AWS Lambda, Concurrent executions"
        return Finding(subject="concurrency", level="note", found=found, remedy=remedy)
    if allowed < _ORDINARY_CONCURRENCY:
        remedy = f"AWS gives {_ORDINARY_CONCURRENCY} by default, if asked under Service Quotas"
        return Finding(subject="concurrency", level="note", found=found, remedy=remedy)
    return Finding(subject="concurrency", level="good", found=found)


def _delegation(route53: Any, domain_name: str) -> Finding:
    """Whether DNS asks the zone of this account about the domain: if not, its certificate is never issued."""
    from walk.dns_names import closest_zones

    pages = route53.get_paginator("list_hosted_zones").paginate()
    zones = closest_zones((zone for page in pages for zone in page["HostedZones"]), domain_name)
    if not zones:
        remedy = "make the zone in Route 53 and delegate it, or unset domainName"
        found = f"this account has no public zone that holds {domain_name}"
        return Finding(subject="zone", level="wrong", found=found, remedy=remedy)
    name = zones[0]["Name"].rstrip(".")
    own = [
        {
            server.rstrip(".").lower()
            for server in route53.get_hosted_zone(Id=zone["Id"])["DelegationSet"]["NameServers"]
        }
        for zone in zones
    ]
    answer = public_dns.ask(name, "NS")
    if answer is None:
        found = f"{name} is in this account; whether it is delegated is not known, since no resolver answers"
        return Finding(subject="zone", level="unknown", found=found)
    answered = {record.value for record in answer if record.type == "NS"}
    if any(answered & servers for servers in own):
        return Finding(subject="zone", level="good", found=f"{name} is delegated to its name servers in this account")
    found = f"{name} is delegated to {', '.join(sorted(answered))}" if answered else f"{name} is not delegated"
    remedy = f"set its name servers, where the domain is registered, to {', '.join(sorted(own[0]))}"
    return Finding(subject="zone", level="wrong", found=found, remedy=remedy)
