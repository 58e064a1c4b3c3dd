"""The repository of an image in ECR: how many images stay in it, and that Lambda may pull them."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

LATEST = "latest"
"""Tag of the image that was built last."""
IMAGES_KEPT = 20
"""Images that stay in the repository, newest first, so that a version to roll back to still has its own."""
ALL_IMAGES = 10_000
"""More images than a deployment ever has: none expires."""


def image_repository(
    name: str, *, repository_name: pulumi.Input[str], images_kept: int, opts: pulumi.ResourceOptions
) -> tuple[aws.ecr.Repository, aws.ecr.RepositoryPolicy]:
    """Returns a repository, and the policy that a function must wait for: before it, Lambda can't pull."""
    repository = aws.ecr.Repository(
        f"{name}-repository",
        name=repository_name,
        # Destroying a stack deletes its images too: ECR refuses to delete a repository that isn't empty.
        force_delete=True,
        image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
        opts=opts,
    )
    aws.ecr.LifecyclePolicy(
        f"{name}-lifecycle",
        repository=repository.name,
        policy=json.dumps(lifecycle_policy(images_kept)),
        # A repository has one: the old one must go first, or deleting it deletes the new one.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True)),
    )
    pull = aws.ecr.RepositoryPolicy(
        f"{name}-pull",
        repository=repository.name,
        policy=repository.arn.apply(lambda arn: json.dumps(pull_policy(arn))),
        opts=opts,
    )
    return repository, pull


def lifecycle_policy(images_kept: int) -> dict[str, object]:
    """Returns the policy that expires all images except the newest, tagged or not, and the one that was built last.

    The latter may be an old one: code that was taken back gives an image that the repository has already. An image that
    one rule is for is never expired by a later one. Source: "Lifecycle policies", Amazon ECR User Guide.
    A rule only for untagged images would delete those of older function versions: the tag moves to each new image.
    """
    latest = {"tagStatus": "tagged", "tagPrefixList": [LATEST], "countType": "imageCountMoreThan", "countNumber": 1}
    newest = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": images_kept}
    described = {"Keep the image that was built last": latest, f"Keep the newest {images_kept} images": newest}
    return {
        "rules": [
            {
                "rulePriority": priority,
                "description": description,
                "selection": selection,
                "action": {"type": "expire"},
            }
            for priority, (description, selection) in enumerate(described.items(), 1)
        ]
    }


def pull_policy(repository_arn: str) -> dict[str, object]:
    """Returns the policy that lets Lambda pull images for functions in the repository's own account and region.

    Source: "Amazon ECR cross-account permissions", Lambda Developer Guide, for the two actions and the condition.
    """
    _, partition, _, region, account, _ = repository_arn.split(":", 5)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "LambdaPulls",
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                "Condition": {"StringLike": {"aws:sourceARN": f"arn:{partition}:lambda:{region}:{account}:function:*"}},
            }
        ],
    }
