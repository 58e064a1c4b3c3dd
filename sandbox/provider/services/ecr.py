"""Elastic Container Registry: repositories and their two policies.

Source: hashicorp/terraform-provider-aws, internal/service/ecr/{repository,lifecycle_policy,repository_policy}.go.
"""

import json
from collections.abc import Mapping
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.blocks import Block, Blocks, OneBlock
from sandbox.provider.call import Call, parameters
from sandbox.provider.fields import Field, Output
from sandbox.provider.forms import BOOLEAN, JSON
from sandbox.provider.refusals import ResourceRefusedError
from sandbox.provider.resource_type import ResourceType
from sandbox.provider.tags import Tags
from walk.image_uri import ImageUri, split


class Repository(ResourceType):
    """`aws.ecr.Repository`."""

    pulumi_type = "aws:ecr/repository:Repository"
    service = "ecr"
    fields = (
        Field("name", "repositoryName", required=True),
        Field("imageTagMutability", default="MUTABLE"),
        Field(
            "imageTagMutabilityExclusionFilters",
            form=Blocks(Field("filter", required=True), Field("filterType", required=True)),
        ),
        Field("imageScanningConfiguration", form=Block(Field("scanOnPush", default=False)), filled={}),
        Field(
            "encryptionConfigurations",
            "encryptionConfiguration",
            OneBlock(Field("encryptionType", default="AES256"), "kmsKey"),
            filled={"encryptionType": "AES256"},
        ),
        Field("forceDelete", "", BOOLEAN),
        Output("arn", "repositoryArn"),
        Output("registryId", "registryId"),
        Output("repositoryUrl", "repositoryUri"),
    )
    tags = Tags("{arn}")
    autonamed = "name"
    replace_on_changes = frozenset({"name", "encryptionConfigurations"})
    kept_when_removed = frozenset({"encryptionConfigurations", "imageScanningConfiguration"})
    create_call = Call("CreateRepository")
    identity = "{name}"
    identified_by = parameters(repositoryName="{id}")
    read_calls = (Call("DescribeRepositories", "repositories[0]", repositoryNames=["{id}"]),)
    update_calls = (Call("PutImageTagMutability"), Call("PutImageScanningConfiguration"))
    delete_call = Call("DeleteRepository", force="{forceDelete}")

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Scan as AWS does by default where the program doesn't say."""
        scanning = wanted["imageScanningConfiguration"] or {"scanOnPush": False}
        super().update(identity, {**wanted, "imageScanningConfiguration": scanning}, old)


class LifecyclePolicy(ResourceType):
    """`aws.ecr.LifecyclePolicy`."""

    pulumi_type = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
    service = "ecr"
    fields = (
        Field("policy", "lifecyclePolicyText", JSON, required=True),
        Field("repository", "repositoryName", required=True),
        Output("registryId", "registryId"),
    )
    replace_on_changes = frozenset({"policy", "repository"})
    create_call = Call("PutLifecyclePolicy", "repositoryName")
    identified_by = parameters(repositoryName="{id}")
    read_calls = (Call("GetLifecyclePolicy"),)
    delete_call = Call("DeleteLifecyclePolicy")

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse what ECR calls a failed validation."""
        return lifecycle_mistakes(wanted["policy"])


class RepositoryPolicy(ResourceType):
    """`aws.ecr.RepositoryPolicy`."""

    pulumi_type = "aws:ecr/repositoryPolicy:RepositoryPolicy"
    service = "ecr"
    fields = (
        Field("policy", "policyText", JSON, required=True),
        Field("repository", "repositoryName", required=True),
        Output("registryId", "registryId"),
    )
    replace_on_changes = frozenset({"repository"})
    create_call = Call("SetRepositoryPolicy", "repositoryName")
    identified_by = parameters(repositoryName="{id}")
    read_calls = (Call("GetRepositoryPolicy"),)
    update_calls = (Call("SetRepositoryPolicy"),)
    delete_call = Call("DeleteRepositoryPolicy")


def lifecycle_mistakes(text: object) -> list[tuple[str, str]]:
    """Return what ECR calls a failed validation of a lifecycle policy.

    Source: "Lifecycle policy properties in Amazon ECR", Amazon ECR User Guide.
    """
    if not isinstance(text, str):
        return []
    policy = json.loads(text)
    rules = policy.get("rules") if isinstance(policy, dict) else None
    if not isinstance(rules, list) or not rules:
        return [("policy", "Lifecycle policy validation failure: it has no rules")]
    mistakes = []
    lowest = max(rule.get("rulePriority", 0) for rule in rules)
    for number, rule in enumerate(rules, 1):
        where = f"Lifecycle policy validation failure: rule {number}"
        selection, action = rule.get("selection", {}), rule.get("action", {})
        complete = {"tagStatus", "countType", "countNumber"} <= selection.keys() and "rulePriority" in rule
        if not complete or action.get("type") not in ("expire", "transition"):
            mistakes.append(("policy", f"{where} lacks a priority, a selection with its counts, or an action"))
        elif selection["tagStatus"] == "any" and rule["rulePriority"] < lowest:
            mistakes.append(("policy", f"{where} is for any tag and must have the highest rulePriority"))
    return mistakes


def split_image_uri(uri: str) -> ImageUri:
    """Return the parts of an image's URI.

    Raises:
        ResourceRefusedError: it isn't `host/repository@sha256:…` or `host/repository:tag`.
    """
    found = split(uri)
    if found is None or not (found.digest or found.tag):
        raise ResourceRefusedError("InvalidParameterValueException", f"'{uri}' is not the URI of an image in ECR")
    if found.digest and found.tag:
        # Source: pulumi/pulumi-docker-build#571; Lambda takes a tag or a digest, never both.
        raise ResourceRefusedError(
            "InvalidParameterValueException",
            f"Source image {uri} is not valid: give the repository with a digest or with a tag, not both",
        )
    return found
