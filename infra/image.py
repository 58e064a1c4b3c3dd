"""The container image: built from `infra/Dockerfile`, pushed to a repository of its own, named by digest."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_awsx as awsx

DOCKERFILE = "infra/Dockerfile"
CONTEXT = "."

IMAGES_KEPT = 20
"""Images that stay in the repository, newest first, so that a version to roll back to still has its own."""


@dataclass(frozen=True, kw_only=True)
class ContainerImageArgs:
    """What an image is built from."""

    repository_name: pulumi.Input[str]
    app_dir: pulumi.Input[str]
    flask_app: pulumi.Input[str]
    platform: pulumi.Input[str]
    base_image: str = ""
    check_import: bool = True


class ContainerImage(pulumi.ComponentResource):
    """An application's image in ECR, that Lambda may pull."""

    image_uri: pulumi.Output[str]
    """The image by digest, `<repository>@sha256:<digest>`, once Lambda may pull it."""

    def __init__(self, name: str, args: ContainerImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dualmode:index:ContainerImage", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        repository = aws.ecr.Repository(
            f"{name}-repository",
            name=args.repository_name,
            # A destroyed stack takes its images along: ECR refuses to delete a repository that still has some.
            force_delete=True,
            image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            opts=child,
        )
        aws.ecr.LifecyclePolicy(
            f"{name}-lifecycle", repository=repository.name, policy=json.dumps(lifecycle_policy()), opts=child
        )
        pull = aws.ecr.RepositoryPolicy(
            f"{name}-pull",
            repository=repository.name,
            policy=repository.arn.apply(lambda arn: json.dumps(pull_policy(arn))),
            opts=child,
        )
        image = awsx.ecr.Image(
            f"{name}-build",
            repository_url=repository.repository_url,
            context=CONTEXT,
            dockerfile=DOCKERFILE,
            platform=args.platform,
            args=build_arguments(args),
            image_tag="latest",
            opts=child,
        )
        # Whoever uses the URI waits for the policy as well: a function made before it can't pull the image.
        self.image_uri = pulumi.Output.all(image.image_uri, pull.id).apply(lambda values: str(values[0]))
        self.register_outputs({"image_uri": self.image_uri})


def build_arguments(args: ContainerImageArgs) -> dict[str, pulumi.Input[str]]:
    """Returns the Dockerfile's arguments, less those whose default in it stands."""
    arguments: dict[str, pulumi.Input[str]] = {"APP_DIR": args.app_dir, "FLASK_APP": args.flask_app}
    if args.base_image:
        arguments["BASE_IMAGE"] = args.base_image
    if not args.check_import:
        arguments["CHECK_IMPORT"] = "0"
    return arguments


def lifecycle_policy() -> dict[str, object]:
    """Returns the policy that expires all but the newest images, tagged or not.

    Rules on untagged images alone would let the images of older function versions go, as a tag moves to each new one.
    """
    return {
        "rules": [
            {
                "rulePriority": 1,
                "description": f"Keep the newest {IMAGES_KEPT} images",
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": IMAGES_KEPT},
                "action": {"type": "expire"},
            }
        ]
    }


def pull_policy(repository_arn: str) -> dict[str, object]:
    """Returns the policy with which Lambda pulls images for functions of the repository's own account and region.

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
