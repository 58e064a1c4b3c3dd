"""Invokes: the functions by which programs ask AWS without making anything: account, region, hosted zones."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.provider.aws import Aws, Values
from sandbox.provider.inputs import Inputs
from sandbox.provider.refusals import ResourceRefusedError
from sandbox.provider.tags import tag_map

Invoke = Callable[[Aws, Inputs], Values]


def caller_identity(aws: Aws, arguments: Inputs) -> Values:
    """Answer `aws.get_caller_identity`."""
    arguments.any("id")
    arguments.close()
    identity = aws.client("sts").get_caller_identity()
    return {
        "accountId": identity["Account"],
        "arn": identity["Arn"],
        "id": identity["Account"],
        "userId": identity["UserId"],
    }


def region(aws: Aws, arguments: Inputs) -> Values:
    """Answer `aws.get_region`."""
    for key in ("endpoint", "id", "name", "region"):
        wanted = arguments.text(key)
        if wanted not in (None, aws.region):
            arguments.fail(key, f"is {wanted}, but this account is used only in {aws.region}")
    arguments.close()
    return {
        "description": aws.region,
        "endpoint": f"ec2.{aws.region}.amazonaws.com",
        "id": aws.region,
        "name": aws.region,
        "region": aws.region,
    }


def zone(aws: Aws, arguments: Inputs) -> Values:
    """Answer `aws.route53.get_zone`: exactly one zone must have the name or the id.

    Source: hashicorp/terraform-provider-aws, internal/service/route53/zone_data_source.go.
    """
    name, identity = arguments.text("name"), arguments.text("zoneId")
    private = arguments.boolean("privateZone", False)
    wanted_tags = arguments.names("tags") or {}
    arguments.unsupported("vpcId", "enableAcceleratedRecovery")
    arguments.close()
    client = aws.client("route53")
    pages = client.get_paginator("list_hosted_zones").paginate()
    candidates = [
        candidate
        for page in pages
        for candidate in page["HostedZones"]
        if (not identity or _bare(candidate["Id"]) == _bare(identity))
        and (not name or candidate["Name"] == f"{name.rstrip('.')}.")
        and bool(candidate.get("Config", {}).get("PrivateZone")) == bool(private)
        and wanted_tags.items() <= _tags(client, candidate["Id"]).items()
    ]
    asked = name or identity or "any"
    if not candidates:
        raise ResourceRefusedError("NoSuchHostedZone", f"no matching Route 53 hosted zone found for '{asked}'")
    if len(candidates) > 1:
        raise ResourceRefusedError("MultipleHostedZones", f"{len(candidates)} Route 53 hosted zones match '{asked}'")
    found = client.get_hosted_zone(Id=candidates[0]["Id"])
    return {**_zone(found["HostedZone"], found), "tags": _tags(client, candidates[0]["Id"])}


def _zone(hosted: Mapping[str, Any], found: Mapping[str, Any]) -> Values:
    identity = _bare(hosted["Id"])
    servers = found.get("DelegationSet", {}).get("NameServers", [])
    linked = hosted.get("LinkedService", {})
    return {
        "arn": f"arn:aws:route53:::hostedzone/{identity}",
        "callerReference": hosted.get("CallerReference", ""),
        "comment": hosted.get("Config", {}).get("Comment", ""),
        "enableAcceleratedRecovery": False,
        "id": identity,
        "linkedServiceDescription": linked.get("Description", ""),
        "linkedServicePrincipal": linked.get("ServicePrincipal", ""),
        "name": hosted["Name"].rstrip("."),
        "nameServers": sorted(servers),
        "primaryNameServer": servers[0] if servers else "",
        "privateZone": bool(hosted.get("Config", {}).get("PrivateZone")),
        "resourceRecordSetCount": hosted.get("ResourceRecordSetCount", 0),
        "vpcId": "",
        "zoneId": identity,
    }


def _tags(client: Any, identity: str) -> dict[str, str]:
    answer = client.list_tags_for_resource(ResourceType="hostedzone", ResourceId=_bare(identity))
    return tag_map(answer["ResourceTagSet"].get("Tags"))


def _bare(identity: str) -> str:
    return identity.removeprefix("/hostedzone/")


INVOKES: Mapping[str, Invoke] = {
    "aws:index/getCallerIdentity:getCallerIdentity": caller_identity,
    "aws:index/getRegion:getRegion": region,
    "aws:route53/getZone:getZone": zone,
}
"""Every function that a program can invoke, by its token."""
