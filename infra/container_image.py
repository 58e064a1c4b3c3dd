"""The container image: built from `infra/Dockerfile`, pushed to its own repository, named by digest."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pulumi
import pulumi_aws as aws
import pulumi_awsx as awsx
import pulumi_docker_build as docker_build

from infra.rules import check, checked_by, one_of, refuse

DOCKERFILE = "infra/Dockerfile"
CONTEXT = "."

PLATFORMS: Mapping[str, str] = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
"""Container platform of each Lambda architecture."""

SAMPLE_DIR, SAMPLE = "scripts", "scripts.server:app"
"""Where the sample application is."""

LEFT_OUT = frozenset({"benchmarks", "check_app", "docs", "infra", "operations", "sandbox", "scaffold", "tests", "walk"})
"""Folders of this repository that `.dockerignore` keeps out of every image."""

_HOST = r"[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]+)?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
IMAGE_REFERENCE = re.compile(
    rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::[a-zA-Z0-9_][a-zA-Z0-9_.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?"
)
"""Names of images: `host/name:tag@sha256:digest`, where host, tag and digest may be missing.

Source: the grammar in the package `reference` of distribution/reference.
"""

LATEST = "latest"
"""Tag of the image that was built last."""
IMAGES_KEPT = 20
"""Images that stay in the repository, newest first, so that a version to roll back to still has its own."""
ALL_IMAGES = 10_000
"""More images than a deployment ever has: none expires."""


def check_digest(key: str, image_uri: str) -> None:
    """The name of an image to deploy must have a digest."""
    if image_uri and not re.fullmatch(r"[^@\s]+@sha256:[0-9a-f]{64}", image_uri):
        refuse(
            key,
            image_uri,
            "a tag can move, so the image is named by digest",
            "append @sha256:... to the repository's URI",
        )


def check_image_name(key: str, name: str) -> None:
    """A base image must have a name that a container engine accepts."""
    if name and not IMAGE_REFERENCE.fullmatch(name):
        refuse(
            key,
            name,
            "that is not an image name",
            "set name:tag, or name@sha256:... with the digest's 64 digits to pin it",
        )


@dataclass(frozen=True, kw_only=True)
class ImageSettings:
    """What an image is built from, or which existing one is deployed instead."""

    app_dir: pulumi.Input[str] = SAMPLE_DIR
    flask_app: pulumi.Input[str] = SAMPLE
    architecture: pulumi.Input[str] = field(
        default="x86_64", metadata=checked_by(one_of(PLATFORMS, "Lambda runs x86_64 and arm64", "set one of the two"))
    )
    image_uri: pulumi.Input[str] = field(default="", metadata=checked_by(check_digest))
    base_image: pulumi.Input[str] = field(default="", metadata=checked_by(check_image_name))
    check_import: pulumi.Input[bool] = True

    def __post_init__(self) -> None:
        """Checks the settings that are already known, and the application unless there is an image already.

        Raises:
            ConfigError: the image can't be deployed, or an image can't be built from the application.
        """
        check(self)
        if self.image_uri == "" and isinstance(self.app_dir, str):
            check_folder(self.app_dir)
            if self.flask_app == SAMPLE and str(PurePosixPath(self.app_dir)) != SAMPLE_DIR:
                refuse(
                    "flaskApp",
                    self.flask_app,
                    f"that is the sample, and appDir is {self.app_dir!r}",
                    "set the application in that folder, such as shop:app",
                )
            if str(PurePosixPath(self.app_dir)) == SAMPLE_DIR and not in_sample_folder(self.flask_app):
                refuse(
                    "flaskApp",
                    self.flask_app,
                    f"appDir is {self.app_dir!r}, the sample's folder, and this application is not in it",
                    "set appDir to the folder of your application",
                )


class ContainerImage(pulumi.ComponentResource):
    """An application's repository in ECR, from which Lambda may pull, and its image, built unless there is one already.

    The repository stays whatever is deployed from it: an update to an existing image and back keeps all that it holds.

    In another Pulumi program, beside which are `infra`, `dualmode` and the application's folder:

        import pulumi
        from infra.container_image import ContainerImage, ImageSettings

        image = ContainerImage(
            "image",
            ImageSettings(app_dir="shop", flask_app="shop:app"),
            repository_name="shop",
            check_environment={"DATABASE": "sqlite://"},
        )
        pulumi.export("image_uri", image.image_uri)
    """

    image_uri: pulumi.Output[str]
    """The image by digest, `<repository>@sha256:<digest>`, once Lambda may pull it."""
    repository_name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: ImageSettings,
        *,
        repository_name: pulumi.Input[str],
        check_environment: Mapping[str, pulumi.Input[str]] | None = None,
        expire_images: bool = True,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dualmode:index:ContainerImage", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        repository = aws.ecr.Repository(
            f"{name}-repository",
            name=repository_name,
            # Destroying a stack deletes its images too: ECR refuses to delete a repository that isn't empty.
            force_delete=True,
            image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            opts=child,
        )
        # An image named by the settings may be any of the repository's, however old.
        images_kept = IMAGES_KEPT if expire_images and settings.image_uri == "" else ALL_IMAGES
        aws.ecr.LifecyclePolicy(
            f"{name}-lifecycle",
            repository=repository.name,
            policy=json.dumps(lifecycle_policy(images_kept)),
            # A repository has one: the old one must go first, or deleting it deletes the new one.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        pull = aws.ecr.RepositoryPolicy(
            f"{name}-pull",
            repository=repository.name,
            policy=repository.arn.apply(lambda arn: json.dumps(pull_policy(arn))),
            opts=child,
        )
        image_uri = settings.image_uri
        if image_uri == "":
            image_uri = self._build(settings, repository, check_environment or {})
        # Everything that uses the URI also waits for the policy: a function created earlier can't pull the image.
        self.image_uri = pulumi.Output.all(image_uri, pull.id).apply(lambda values: str(values[0]))
        self.repository_name = repository.name
        self.register_outputs({"image_uri": self.image_uri})

    def _build(
        self,
        settings: ImageSettings,
        repository: aws.ecr.Repository,
        check_environment: Mapping[str, pulumi.Input[str]],
    ) -> pulumi.Output[str]:
        name = self.pulumi_resource_name
        # The version in requirements.txt: awsx's own choice is an older one, which takes an expired login for a missing
        # image. No AWS provider is given: one that the program makes would not have the stack's `aws:` settings.
        builder = docker_build.Provider(f"{name}-builder", opts=pulumi.ResourceOptions(parent=self))
        image = awsx.ecr.Image(
            f"{name}-build",
            repository_url=repository.repository_url,
            context=CONTEXT,
            dockerfile=DOCKERFILE,
            platform=pulumi.Output.from_input(settings.architecture).apply(PLATFORMS.__getitem__),
            args=build_arguments(settings, check_environment),
            image_tag=LATEST,
            # Deleting or replacing this resource would delete the image that functions run, by its digest: a changed
            # Docker host or plugin is enough. Images go with the lifecycle policy or with the repository.
            opts=pulumi.ResourceOptions(parent=self, providers=[builder], retain_on_delete=True),
        )
        return image.image_uri


def in_sample_folder(flask_app: pulumi.Input[str]) -> bool:
    """Says whether an application may be in the sample's folder, which is a package: its name must begin with that."""
    return not isinstance(flask_app, str) or re.match(rf"(?:\./)?{SAMPLE_DIR}\b", flask_app) is not None


def check_folder(app_dir: str) -> None:
    """Refuses a folder from which a build can't copy an application.

    Raises:
        ConfigError: it isn't in this repository, or `.dockerignore` leaves it out.
    """
    path = PurePosixPath(app_dir)
    if path.is_absolute() or ".." in path.parts:
        refuse(
            "appDir",
            app_dir,
            "a container build sees only this repository",
            "move the application into a folder of this repository, and set that folder",
        )
    if not path.parts or path.parts[0] in LEFT_OUT or "." in path.parts[0]:
        refuse(
            "appDir",
            app_dir,
            "a container build leaves that folder out (.dockerignore)",
            "move the application into a folder of its own, without a dot in its name",
        )
    link = next((parent for parent in (path, *path.parents) if Path(parent).is_symlink()), None)
    if link is not None:
        refuse(
            "appDir",
            app_dir,
            f"{str(link)!r} is a symbolic link, and a container build copies the link, not what it points to",
            "copy the application into a folder of this repository, and set that folder",
        )
    if not Path(path).is_dir():
        refuse("appDir", app_dir, "that folder doesn't exist in this repository", "set the folder of your application")


def build_arguments(
    settings: ImageSettings, check_environment: Mapping[str, pulumi.Input[str]]
) -> dict[str, pulumi.Input[str]]:
    """Returns the Dockerfile's arguments, without those that keep their default.

    `check_environment` holds the variables with which the build imports the application once. They aren't in any layer
    of the image, and they are encrypted in the state like the function's own variables.
    """
    app_dir = pulumi.Output.from_input(settings.app_dir).apply(lambda folder: str(PurePosixPath(folder)))
    arguments: dict[str, pulumi.Input[str]] = {"APP_DIR": app_dir, "FLASK_APP": settings.flask_app}
    if settings.base_image != "":
        arguments["BASE_IMAGE"] = settings.base_image
    if settings.check_import is not True:
        checked: pulumi.Output[bool] = pulumi.Output.from_input(settings.check_import)
        arguments["CHECK_IMPORT"] = checked.apply(lambda wanted: "1" if wanted else "0")
    if settings.check_import is not False and check_environment:
        variables = pulumi.Output.secret(dict(check_environment))
        arguments["CHECK_ENVIRONMENT"] = variables.apply(lambda values: json.dumps(values, sort_keys=True))
    return arguments


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
