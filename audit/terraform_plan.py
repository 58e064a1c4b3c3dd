"""A deployment's resources as a plan of Terraform has them, which is what public policy checkers read.

Pulumi's AWS provider is generated from Terraform's: a type and its inputs have the same names, spelled another way.
Source: "JSON Output Format", Terraform's documentation.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.pulumi_drivers.resources import Resource

_AWS = re.compile(r"aws:(\w+)/\w+:(\w+)")

MODULES: Mapping[str, str] = {
    "cloudwatch/EventRule": "cloudwatch_event_rule",
    "ec2/SecurityGroup": "security_group",
}
"""Types whose name in Terraform doesn't follow from Pulumi's."""

MAPS = frozenset({"tags", "tagsAll", "variables", "routingConfig", "additionalVersionWeights", "requestParameters"})
"""Inputs that are maps of the user's own keys: any other object is a block."""

SINGULAR: Mapping[str, str] = {
    "attributes": "attribute",
    "orderedCacheBehaviors": "ordered_cache_behavior",
    "origins": "origin",
    "customHeaders": "custom_header",
    "globalSecondaryIndexes": "global_secondary_index",
    "viewerCertificates": "viewer_certificate",
    "functionAssociations": "function_association",
    "targetTrackingConfigurations": "target_tracking_configuration",
}
"""Blocks that Terraform names in the singular, since each is written by itself."""


def plan(resources: Iterable[Resource]) -> dict[str, Any]:
    """Return a plan that creates these resources."""
    changes = [change(resource) for resource in resources if _AWS.fullmatch(resource.type)]
    root = {"resources": [{**each, "values": each["change"]["after"]} for each in changes]}
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": root},
        "resource_changes": changes,
        "configuration": {"root_module": {"resources": []}},
    }


def change(resource: Resource) -> dict[str, Any]:
    """Return the creation of one resource."""
    kind, name = terraform_type(resource.type), re.sub(r"[^A-Za-z0-9_-]", "_", resource.name)
    return {
        "address": f"{kind}.{name}",
        "mode": "managed",
        "type": kind,
        "name": name,
        "provider_name": "hashicorp/aws",
        "change": {"actions": ["create"], "before": None, "after": block(resource.inputs)},
    }


def terraform_type(pulumi_type: str) -> str:
    """Return `aws_lambda_function` for `aws:lambda/function:Function`."""
    found = _AWS.fullmatch(pulumi_type)
    assert found is not None  # noqa: S101  only such types are rendered
    module, name = found.groups()
    return f"aws_{MODULES.get(f'{module}/{name}', f'{module}_{snake(name)}')}"


def block(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return a block: an object in it is a list of one block, unless its keys are the user's own."""
    return {SINGULAR.get(key, snake(key)): value_of(key, value) for key, value in inputs.items()}


def value_of(key: str, value: object) -> Any:
    """Return an input's value."""
    if isinstance(value, Mapping):
        return dict(value) if key in MAPS else [block(value)]
    if isinstance(value, list | tuple):
        return [block(entry) if isinstance(entry, Mapping) else entry for entry in value]
    return value


def snake(name: str) -> str:
    """Return `memory_size` for `memorySize`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
