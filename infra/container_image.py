"""The container image: built from `infra/Dockerfile`, pushed to its own repository, named by digest."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import pulumi
import pulumi_awsx as awsx
import pulumi_docker_build as docker_build

from infra.app_folder import SAMPLE, SAMPLE_DIR, check_folder, in_sample_folder
from infra.image_repository import ALL_IMAGES, IMAGES_KEPT, LATEST, image_repository
from infra.rules import check, checked_by, one_of, refuse

DOCKERFILE = "infra/Dockerfile"
CONTEXT = "."

PLATFORMS: Mapping[str, str] = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
"""Container platform of each Lambda architecture."""

_HOST = r"[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]+)?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
IMAGE_REFERENCE = re.compile(
    rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::[a-zA-Z0-9_][a-zA-Z0-9_.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?"
)
"""Names of images: `host/name:tag@sha256:digest`, where host, tag and digest may be missing.

Source: the grammar in the package `reference` of distribution/reference.
"""


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
        # An image named by the settings may be any of the repository's, however old.
        images_kept = IMAGES_KEPT if expire_images and settings.image_uri == "" else ALL_IMAGES
        repository, pull = image_repository(
            name, repository_name=repository_name, images_kept=images_kept, opts=pulumi.ResourceOptions(parent=self)
        )
        image_uri = settings.image_uri
        if image_uri == "":
            image_uri = self._build(settings, repository.repository_url, check_environment or {})
        # Everything that uses the URI also waits for the policy: a function created earlier can't pull the image.
        self.image_uri = pulumi.Output.all(image_uri, pull.id).apply(lambda values: str(values[0]))
        self.repository_name = repository.name
        self.register_outputs({"image_uri": self.image_uri})

    def _build(
        self,
        settings: ImageSettings,
        repository_url: pulumi.Input[str],
        check_environment: Mapping[str, pulumi.Input[str]],
    ) -> pulumi.Output[str]:
        name = self.pulumi_resource_name
        # The version in requirements.txt: awsx's own choice is an older one, which takes an expired login for a missing
        # image. No AWS provider is given: one that the program makes would not have the stack's `aws:` settings.
        builder = docker_build.Provider(f"{name}-builder", opts=pulumi.ResourceOptions(parent=self))
        image = awsx.ecr.Image(
            f"{name}-build",
            repository_url=repository_url,
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
