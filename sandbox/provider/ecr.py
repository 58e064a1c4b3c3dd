# ruff: noqa: D102  what each method means is said once, in kind.py
"""Elastic Container Registry: repositories and their two policies.

Source: hashicorp/terraform-provider-aws, internal/service/ecr/{repository,lifecycle_policy,repository_policy}.go.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provider.inputs import Inputs
from sandbox.provider.kind import Kind, Values, given, region_of, tag_list, tag_map
from sandbox.provider.refusals import ResourceRefusedError, is_missing
from walk.image_uri import ImageUri, split


class Repository(Kind):
    """`aws.ecr.Repository`."""

    pulumi_type = "aws:ecr/repository:Repository"
    service = "ecr"
    operation = "CreateRepository"
    spelt = MappingProxyType({"repositoryName": "name"})
    replaces = frozenset({"name", "encryptionConfigurations"})
    autonamed = "name"
    kept = frozenset({"encryptionConfigurations", "imageScanningConfiguration"})

    def request(self, inputs: Inputs) -> Values:
        region_of(self.aws, inputs)
        inputs.boolean("forceDelete", False)  # what delete() will want to know
        scanning = inputs.block("imageScanningConfiguration")
        encryption = inputs.only("encryption configuration", "encryptionConfigurations")
        filters = [
            {"filter": entry.required("filter"), "filterType": entry.required("filterType")}
            for entry in inputs.blocks("imageTagMutabilityExclusionFilters")
        ]
        return {
            "repositoryName": inputs.required("name"),
            "imageTagMutability": inputs.text("imageTagMutability", "MUTABLE"),
            "imageTagMutabilityExclusionFilters": filters or None,
            "imageScanningConfiguration": {"scanOnPush": scanning.boolean("scanOnPush", False)} if scanning else None,
            "encryptionConfiguration": {
                "encryptionType": encryption.text("encryptionType", "AES256"),
                "kmsKey": encryption.text("kmsKey"),
            }
            if encryption
            else None,
            "tags": tag_list(inputs.names("tags")) or None,
        }

    def create(self, request: Values) -> str:
        return str(self.client.create_repository(**given(request))["repository"]["repositoryName"])

    def locate(self, request: Values) -> str | None:
        return str(request["repositoryName"]) if self.read(request["repositoryName"], {}) else None

    def read(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        try:
            repository = self.client.describe_repositories(repositoryNames=[identity])["repositories"][0]
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        tags = tag_map(self.client.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"])
        encryption = repository.get("encryptionConfiguration") or {"encryptionType": "AES256"}
        return {
            "arn": repository["repositoryArn"],
            "name": repository["repositoryName"],
            "region": self.aws.region,
            "registryId": repository["registryId"],
            "repositoryUrl": repository["repositoryUri"],
            "imageTagMutability": repository.get("imageTagMutability", "MUTABLE"),
            "imageTagMutabilityExclusionFilters": repository.get("imageTagMutabilityExclusionFilters") or [],
            "imageScanningConfiguration": {
                "scanOnPush": bool(repository.get("imageScanningConfiguration", {}).get("scanOnPush"))
            },
            "encryptionConfigurations": [
                {"encryptionType": encryption["encryptionType"], "kmsKey": encryption.get("kmsKey", "")}
            ],
            "forceDelete": bool(state.get("forceDelete")),
            "tags": tags,
            "tagsAll": tags,
        }

    def update(self, identity: str, request: Values, old: Mapping[str, Any]) -> None:
        mutability = {
            key: request[key] for key in ("repositoryName", "imageTagMutability", "imageTagMutabilityExclusionFilters")
        }
        self.client.put_image_tag_mutability(**given(mutability))
        self.client.put_image_scanning_configuration(
            repositoryName=identity,
            imageScanningConfiguration=request["imageScanningConfiguration"] or {"scanOnPush": False},
        )
        wanted = tag_map(request["tags"])
        gone = [key for key in old.get("tags") or {} if key not in wanted]
        if gone:
            self.client.untag_resource(resourceArn=old["arn"], tagKeys=gone)
        if wanted:
            self.client.tag_resource(resourceArn=old["arn"], tags=tag_list(wanted))

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        try:
            self.client.delete_repository(repositoryName=identity, force=bool(state.get("forceDelete")))
        except ClientError as error:
            if not is_missing(error):
                raise


class LifecyclePolicy(Kind):
    """`aws.ecr.LifecyclePolicy`."""

    pulumi_type = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
    service = "ecr"
    operation = "PutLifecyclePolicy"
    spelt = MappingProxyType({"repositoryName": "repository", "lifecyclePolicyText": "policy"})
    replaces = frozenset({"policy", "repository"})

    def request(self, inputs: Inputs) -> Values:
        region_of(self.aws, inputs)
        return {"repositoryName": inputs.required("repository"), "lifecyclePolicyText": inputs.json_text("policy")}

    def limits(self, request: Values) -> list[tuple[str, str]]:
        return lifecycle_mistakes(request["lifecyclePolicyText"])

    def create(self, request: Values) -> str:
        return str(self.client.put_lifecycle_policy(**request)["repositoryName"])

    def read(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        try:
            policy = self.client.get_lifecycle_policy(repositoryName=identity)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        return {
            "policy": policy["lifecyclePolicyText"],
            "region": self.aws.region,
            "registryId": policy["registryId"],
            "repository": policy["repositoryName"],
        }

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        try:
            self.client.delete_lifecycle_policy(repositoryName=identity)
        except ClientError as error:
            if not is_missing(error):
                raise


class RepositoryPolicy(Kind):
    """`aws.ecr.RepositoryPolicy`."""

    pulumi_type = "aws:ecr/repositoryPolicy:RepositoryPolicy"
    service = "ecr"
    operation = "SetRepositoryPolicy"
    spelt = MappingProxyType({"repositoryName": "repository", "policyText": "policy"})
    replaces = frozenset({"repository"})

    def request(self, inputs: Inputs) -> Values:
        region_of(self.aws, inputs)
        return {"repositoryName": inputs.required("repository"), "policyText": inputs.json_text("policy")}

    def create(self, request: Values) -> str:
        return str(self.client.set_repository_policy(**request)["repositoryName"])

    def read(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        try:
            policy = self.client.get_repository_policy(repositoryName=identity)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        return {
            "policy": policy["policyText"],
            "region": self.aws.region,
            "registryId": policy["registryId"],
            "repository": policy["repositoryName"],
        }

    def update(self, identity: str, request: Values, old: Mapping[str, Any]) -> None:
        self.client.set_repository_policy(**request)

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        try:
            self.client.delete_repository_policy(repositoryName=identity)
        except ClientError as error:
            if not is_missing(error):
                raise


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
