"""Builds from one project's own files: a request for another folder of this machine is refused."""

from collections.abc import Mapping
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.provider.aws import Builder, Built


class ProjectContexts:
    """Passes a build on to a builder if it is in the project's folder, after following links."""

    def __init__(self, builder: Builder, project: Path) -> None:
        self._builder = builder
        self._project = project.resolve()

    def build(
        self, *, context: Path, dockerfile: Path, args: Mapping[str, str], platform: str, target: str | None = None
    ) -> Built:
        """Build an image.

        Raises:
            SandboxError: the context or the Dockerfile is outside the project, or the build fails.
        """
        for name, path in (("build context", context), ("Dockerfile", dockerfile)):
            if not path.resolve().is_relative_to(self._project):
                raise SandboxError(
                    f"The {name} {path} is outside the project's folder {self._project}, "
                    "but the sandbox builds only what is in that folder: move it there."
                )
        return self._builder.build(context=context, dockerfile=dockerfile, args=args, platform=platform, target=target)
