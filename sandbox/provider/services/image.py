"""Container images: built here or by another builder, and pushed to ECR.

`awsx.ecr.Image` is a component that makes one `docker-build` image; what it passes on is defined here once, for
every way to construct components.

Source: pulumi/pulumi-awsx, awsx/ecr/image.ts.
"""

import hashlib
import json
import platform as machine
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provider.aws import Aws, Built, Values
from sandbox.provider.blocks import Block
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.forms import ANYTHING, Plain
from sandbox.provider.inputs import UNKNOWN, Inputs, is_known
from sandbox.provider.refusals import ResourceRefusedError
from sandbox.provider.resource_type import ResourceType
from sandbox.provider.services.ecr import split_image_uri

COMPONENT = "awsx:ecr:Image"
_NATIVE = "linux/arm64" if machine.machine() in ("aarch64", "arm64") else "linux/amd64"


def _echoed(name: str, reader: Callable[[Inputs, str], Any]) -> Field:
    """Return an input that ECR never sees: its output is what the program gave, or nothing."""
    return Field(name, "", Plain(reader, ANYTHING.written, ANYTHING.empty))


class DockerImage(ResourceType):
    """`docker_build.Image`, pushed to one ECR repository."""

    pulumi_type = "docker-build:index:Image"
    service = "ecr"
    regional = False
    fields = (
        *(_echoed(name, Inputs.texts) for name in ("tags", "platforms")),
        *(_echoed(name, Inputs.boolean) for name in ("push", "buildOnPreview", "noCache", "pull")),
        _echoed("ignoreSecretsInDiffCalculation", Inputs.boolean),
        _echoed("buildArgs", Inputs.names),
        _echoed("target", Inputs.text),
        *(Field(name, "", Block(Field("location", "location"))) for name in ("context", "dockerfile")),
        # They don't change what is built.
        *(Field(name, "", ANYTHING) for name in ("builder", "labels", "registries", "cacheFrom", "cacheTo")),
        *unsupported("addHosts", "exec", "exports", "load", "network", "secrets", "ssh", form=ANYTHING),
        Output("contextHash", "contextHash"),
        Output("digest", "digest"),
        Output("ref", "ref"),
    )

    def __init__(self, aws: Aws) -> None:
        super().__init__(aws)
        self._builds: dict[str, Built] = {}

    def read_inputs(self, inputs: Inputs) -> Values:
        """Refuse what ECR or Lambda wouldn't take: no push, several tags, several platforms."""
        wanted = super().read_inputs(inputs)
        tags, platforms = wanted["tags"], wanted["platforms"]
        if not wanted["push"]:
            inputs.fail("push", "must be true: an image that isn't pushed can't be deployed")
        if tags is not UNKNOWN and len(tags or []) != 1:
            inputs.fail("tags", f"must hold one tag, but holds {len(tags or [])}")
        if platforms is not UNKNOWN and len(platforms or []) > 1:
            inputs.fail("platforms", "must hold one platform: several make an image index, which Lambda refuses")
        return wanted

    def make(self, wanted: Values) -> str:
        """Build the image and push it."""
        return self._push(wanted["tags"][0], self._build(_plan(wanted), again=True))

    def read(self, identity: str, state: Mapping[str, Any]) -> Any:
        """Return the image that the repository has under the tag now."""
        tag = (state.get("tags") or [""])[0]
        repository, _, label = tag.rpartition(":")
        name = split_image_uri(tag).repository
        images = self.client.batch_get_image(repositoryName=name, imageIds=[{"imageTag": label}])["images"]
        if not images:
            return None
        digest = images[0]["imageId"]["imageDigest"]
        hashed = digest.removeprefix("sha256:")
        return {"contextHash": hashed, "digest": digest, "ref": f"{repository}:{label}@{digest}"}

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Build the image anew and push it."""
        self.make(wanted)

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        """Remove the image from its repository by its digest, under whatever tags, as the real provider does.

        Source: pulumi/pulumi-docker-build#581 and #606; #849: one that is gone already is no error.
        """
        repository = split_image_uri(state["tags"][0]).repository
        self.client.batch_delete_image(repositoryName=repository, imageIds=[{"imageDigest": state["digest"]}])

    def take_back(self, identity: str, inputs: Mapping[str, Any]) -> None:
        """Leave the image: an earlier build of the same content has the same digest, and may run."""

    def drifted(self, inputs: Mapping[str, Any], state: Mapping[str, Any]) -> frozenset[str]:
        """Find files that changed, by building them."""
        wanted = self.read_inputs(Inputs(inputs))
        if not is_known((wanted["tags"], wanted["context"])):
            return frozenset()
        return frozenset() if self._build(_plan(wanted)).digest == state.get("digest") else frozenset({"contextHash"})

    def unknown_after_update(self, changed: frozenset[str], inputs: Mapping[str, Any]) -> frozenset[str]:
        """Return everything that names the image."""
        return frozenset({"contextHash", "digest", "ref"}) if changed else frozenset()

    def _build(self, plan: Values, *, again: bool = False) -> Built:
        """Build the image; right after a comparison that built it already, take that build."""
        key = json.dumps(plan, sort_keys=True)
        built = self._builds.pop(key, None) if again else None
        if built is None:
            context = self.aws.folder / plan["context"]
            built = self.aws.builder.build(
                context=context,
                dockerfile=self.aws.folder / plan["dockerfile"] if plan["dockerfile"] else context / "Dockerfile",
                args=plan["args"],
                platform=plan["platform"],
                target=plan["target"],
            )
        if not again:
            self._builds[key] = built
        return built

    def _push(self, tag: str, built: Built) -> str:
        image_uri = split_image_uri(tag)
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
                "ImageDigestDoesNotMatchException",
                f"ECR has the digest {digest}, but the image was built as {built.digest}",
            )
        return str(digest)


def _plan(wanted: Values) -> Values:
    context = (wanted["context"] or {}).get("location")
    return {
        "context": "." if context is None else context,
        "dockerfile": (wanted["dockerfile"] or {}).get("location"),
        "args": wanted["buildArgs"] or {},
        "platform": (wanted["platforms"] or [_NATIVE])[0],
        "target": wanted["target"],
    }


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
