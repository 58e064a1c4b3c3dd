# ruff: noqa: D102  what each method means is said once, in kind.py
"""Container images: built here or by whoever is asked to, and pushed to ECR.

`awsx.ecr.Image` is a component that makes one `docker-build` image; what it passes on is written down here once, for
whichever way components come to be constructed.

Source: pulumi/pulumi-awsx, awsx/ecr/image.ts.
"""

import hashlib
import json
import platform as machine
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import ClientError

from sandbox.provider.ecr import split_image_uri
from sandbox.provider.inputs import UNKNOWN, Inputs
from sandbox.provider.kind import Aws, Kind, Values
from sandbox.provider.refusals import ResourceRefusedError, is_missing

COMPONENT = "awsx:ecr:Image"
_NATIVE = "linux/arm64" if machine.machine() in ("aarch64", "arm64") else "linux/amd64"


class Built(Protocol):
    """A built image: the digest under which a registry files its manifest, and the manifest itself."""

    @property
    def digest(self) -> str: ...
    @property
    def manifest(self) -> str: ...
    @property
    def media_type(self) -> str: ...


class Builder(Protocol):
    """What builds an image; the same context and arguments give the same digest."""

    def build(
        self, *, context: Path, dockerfile: Path, args: Mapping[str, str], platform: str, target: str | None = None
    ) -> Built:
        """Build an image of one platform."""


class DockerImage(Kind):
    """`docker_build.Image`, pushed to one ECR repository."""

    pulumi_type = "docker-build:index:Image"
    service = "ecr"
    operation = None
    replaces = frozenset()

    def __init__(self, aws: Aws, builder: Builder, folder: Path) -> None:
        super().__init__(aws)
        self._builder = builder
        self._folder = folder
        self._builds: dict[str, Built] = {}

    def request(self, inputs: Inputs) -> Values:
        inputs.unsupported("addHosts", "exec", "exports", "load", "network", "secrets", "ssh")
        for key in ("buildOnPreview", "noCache", "pull", "ignoreSecretsInDiffCalculation"):
            inputs.boolean(key)
        for key in ("builder", "labels", "registries", "cacheFrom", "cacheTo"):  # they don't change what is built
            inputs.any(key)
        if inputs.boolean("push", False) is False:
            inputs.fail("push", "must be true: an image that isn't pushed can't be deployed")
        context, dockerfile = inputs.block("context"), inputs.block("dockerfile")
        folder = context.text("location", ".") if context else "."
        return {
            "tag": self._tag(inputs),
            "context": folder,
            "dockerfile": dockerfile.text("location") if dockerfile else None,
            "args": inputs.names("buildArgs") or {},
            "platform": self._platform(inputs),
            "target": inputs.text("target"),
        }

    def create(self, request: Values) -> str:
        return self._push(request, self._build(request, again=True))

    def read(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        tag = (state.get("tags") or [""])[0]
        repository, _, label = tag.rpartition(":")
        name = split_image_uri(tag).repository
        try:
            images = self.client.batch_get_image(repositoryName=name, imageIds=[{"imageTag": label}])["images"]
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        if not images:
            return None
        digest = images[0]["imageId"]["imageDigest"]
        return {
            **{key: state.get(key) for key in _ECHOED},
            "contextHash": digest.removeprefix("sha256:"),
            "digest": digest,
            "ref": f"{repository}:{label}@{digest}",
        }

    def update(self, identity: str, request: Values, old: Mapping[str, Any]) -> None:
        self._push(request, self._build(request, again=True))

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        """Leave the image in its repository, as the real provider does: older versions run on it."""

    def drifted(self, inputs: Mapping[str, Any], state: Mapping[str, Any]) -> frozenset[str]:
        request = self.request(Inputs(inputs))
        if UNKNOWN in (request["tag"], request["context"]):
            return frozenset()
        return frozenset() if self._build(request).digest == state.get("digest") else frozenset({"contextHash"})

    def renewed(self, changed: frozenset[str], inputs: Mapping[str, Any]) -> frozenset[str]:
        return frozenset({"contextHash", "digest", "ref"}) if changed else frozenset()

    def _tag(self, inputs: Inputs) -> Any:
        tags = inputs.texts("tags")
        if tags is UNKNOWN or (tags and UNKNOWN in tags):
            return UNKNOWN
        if not tags or len(tags) != 1:
            inputs.fail("tags", f"must hold one tag, and holds {len(tags or [])}")
            return UNKNOWN
        return tags[0]

    def _platform(self, inputs: Inputs) -> Any:
        platforms = inputs.texts("platforms")
        if platforms is UNKNOWN or not platforms:
            return platforms or _NATIVE
        if len(platforms) > 1:
            inputs.fail("platforms", "must be one: Lambda refuses an image index, which several platforms make")
        return platforms[0]

    def _build(self, request: Values, *, again: bool = False) -> Built:
        """Build the image; right after a comparison that built it already, take that build."""
        key = json.dumps({name: value for name, value in request.items() if name != "tag"}, sort_keys=True)
        built = self._builds.pop(key, None) if again else None
        if built is None:
            context = self._folder / request["context"]
            built = self._builder.build(
                context=context,
                dockerfile=self._folder / request["dockerfile"] if request["dockerfile"] else context / "Dockerfile",
                args=request["args"],
                platform=request["platform"],
                target=request["target"],
            )
        if not again:
            self._builds[key] = built
        return built

    def _push(self, request: Values, built: Built) -> str:
        image_uri = split_image_uri(request["tag"])
        try:
            image = self.client.put_image(
                repositoryName=image_uri.repository,
                imageManifest=built.manifest,
                imageManifestMediaType=built.media_type,
                imageTag=image_uri.tag,
            )["image"]
            digest = image["imageId"]["imageDigest"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ImageAlreadyExistsException":
                raise
            digest = built.digest  # this very image has this very tag
        if digest != built.digest:
            raise ResourceRefusedError(
                "ImageDigestDoesNotMatchException", f"ECR has {digest} for what was built as {built.digest}"
            )
        return str(digest)


_ECHOED = (
    *("addHosts", "buildArgs", "buildOnPreview", "builder", "cacheFrom", "cacheTo", "context", "dockerfile", "exec"),
    *("exports", "ignoreSecretsInDiffCalculation", "labels", "load", "network", "noCache", "platforms", "pull", "push"),
    *("registries", "secrets", "ssh", "tags", "target"),
)


def child_of_component(inputs: Mapping[str, Any], stack: str) -> tuple[str, Values]:
    """Return name and inputs of the one image that an `awsx.ecr.Image` makes.

    Raises:
        InvalidInputsError: naming each input that is misspelt or of the wrong type.
    """
    reader = Inputs(inputs)
    repository = reader.required("repositoryUrl")
    for key in ("builderVersion", "cacheFrom", "registryId"):  # they don't change what is built
        reader.any(key)
    context, dockerfile, arguments = reader.text("context", "."), reader.text("dockerfile"), reader.names("args")
    name = reader.text("imageName") or reader.text("imageTag") or _unique_name(context, dockerfile, arguments, stack)
    reader.text("imageTag")
    platform, target = reader.text("platform"), reader.text("target")
    reader.close()
    tag = UNKNOWN if UNKNOWN in (repository, name) else f"{repository}:{name}"
    child = {
        "tags": [tag],
        "buildArgs": arguments,
        "context": {"location": context},
        "dockerfile": {"location": dockerfile} if dockerfile else None,
        "platforms": [platform] if platform else None,
        "target": target,
        "push": True,
    }
    return str(name), {key: value for key, value in child.items() if value is not None}


def component_output(inputs: Mapping[str, Any], digest: Any) -> Any:
    """Return the component's `imageUri`: the repository by digest."""
    repository = inputs.get("repositoryUrl")
    return UNKNOWN if UNKNOWN in (repository, digest) else f"{repository}@{digest}"


def _unique_name(context: Any, dockerfile: Any, arguments: Any, stack: str) -> str:
    signature = json.dumps([repr(context), repr(dockerfile), repr(arguments), stack])
    return f"{hashlib.sha256(signature.encode()).hexdigest()[:40]}-container"
