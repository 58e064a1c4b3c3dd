"""Invokes: the functions by which programs ask AWS without making anything: account, region, hosted zones."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.provider.aws import Aws, Values
from sandbox.provider.call import given
from sandbox.provider.function_versions import latest_version
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


def function(aws: Aws, arguments: Inputs) -> Values:
    """Answer `aws.lambda_.get_function`: what a version runs with; the newest one where no qualifier is given.

    Source: hashicorp/terraform-provider-aws, internal/service/lambda/function_data_source.go.
    """
    name, qualifier = arguments.required("functionName"), arguments.text("qualifier")
    arguments.any("tags")
    arguments.close()
    client = aws.client("lambda")
    found = client.get_function(FunctionName=name, Qualifier=qualifier or latest_version(client, name))
    config = found["Configuration"]
    variables = config.get("Environment", {}).get("Variables")
    arn = str(config["FunctionArn"]).removesuffix(f":{config['Version']}")
    return {
        "id": name,
        "functionName": name,
        "qualifier": qualifier,
        "arn": arn,
        "architectures": config.get("Architectures", ["x86_64"]),
        "codeSha256": config.get("CodeSha256", ""),
        "description": config.get("Description", ""),
        "environment": {"variables": variables} if variables else None,
        "ephemeralStorages": [{"size": config["EphemeralStorage"]["Size"]}],
        "imageUri": found["Code"].get("ImageUri", ""),
        "memorySize": config["MemorySize"],
        "qualifiedArn": f"{arn}:{config['Version']}",
        "role": config["Role"],
        "timeout": config["Timeout"],
        "tracingConfig": {"mode": config["TracingConfig"]["Mode"]},
        "version": config["Version"],
    }


def image(aws: Aws, arguments: Inputs) -> Values:
    """Answer `aws.ecr.get_image` for a digest or a tag.

    Source: hashicorp/terraform-provider-aws, internal/service/ecr/image_data_source.go.
    """
    repository, registry = arguments.required("repositoryName"), arguments.text("registryId")
    wanted = {"imageDigest": arguments.text("imageDigest"), "imageTag": arguments.text("imageTag")}
    arguments.unsupported("mostRecent")
    arguments.close()
    request = given({"repositoryName": repository, "registryId": registry, "imageIds": [wanted]})
    images = aws.client("ecr").describe_images(**request)["imageDetails"]
    if not images:  # AWS answers this error itself
        raise ResourceRefusedError("ImageNotFoundException", f"the repository '{repository}' has no such image")
    (found,) = images
    host = f"{found.get('registryId', aws.account_id)}.dkr.ecr.{aws.region}.amazonaws.com"
    return {
        "id": found["imageDigest"],
        "imageDigest": found["imageDigest"],
        "imagePushedAt": int(found["imagePushedAt"].timestamp()),
        "imageSizeInBytes": found.get("imageSizeInBytes", 0),
        "imageTags": found.get("imageTags", []),
        "imageUri": f"{host}/{repository}@{found['imageDigest']}",
        "registryId": found.get("registryId", aws.account_id),
        "repositoryName": repository,
    }


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
    "aws:ecr/getImage:getImage": image,
    "aws:index/getRegion:getRegion": region,
    "aws:lambda/getFunction:getFunction": function,
    "aws:route53/getZone:getZone": zone,
}
"""Every function that a program can invoke, by its token."""
