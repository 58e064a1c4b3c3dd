"""The container engine, if there is one: runs an interpreter in an image, and measures the size of images."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.stage import REPOSITORY
from sandbox.errors import SandboxError
from sandbox.runner.container_engine import find_engine

_DOCKERFILE = REPOSITORY / "infra" / "Dockerfile"
_BUILT = "dualmode-benchmark"
_COMPILED = "dualmode-benchmark-base"
_IS_COMPILED = (
    "import os; from importlib.util import cache_from_source as cached; print(os.path.exists(cached(os.__file__)))"
)
_COMPILE = (
    "python -m compileall -q --invalidation-mode unchecked-hash "
    "$(python -c 'import sysconfig; print(sysconfig.get_path(\"stdlib\"))')"
)


def base_image() -> str:
    """Returns the image that ours is built on: $DUALMODE_BASE_IMAGE, or the Dockerfile's own."""
    default = re.search(r"^ARG BASE_IMAGE=(\S+)", _DOCKERFILE.read_text(), re.MULTILINE)
    return os.environ.get("DUALMODE_BASE_IMAGE") or (default[1] if default else "")


class EngineError(Exception):
    """The engine failed; the message is its last lines."""


@dataclass(frozen=True)
class Engine:
    """docker or podman."""

    command: str

    @classmethod
    def found(cls) -> Engine | None:
        """Returns the engine that the sandbox would use.

        Raises:
            EngineError: DUALMODE_ENGINE names none, or one that doesn't answer.
        """
        try:
            command = find_engine()
        except SandboxError as error:
            raise EngineError(str(error)) from None
        return cls(command) if command else None

    def python(self, image: str, *, readable: Path, writable: Path) -> list[str]:
        """Returns the command of an image's Python, with two folders of this machine at their own paths."""
        # Without --init: podman's needs another package, and the program here ends when its standard input ends.
        user = ["--user", f"{os.getuid()}:{os.getgid()}"] if self.command == "docker" else []
        return [
            *(self.command, "run", "--rm", "--interactive", *user),
            *("--env", "HOME=/tmp", "--env", "PYTHONDONTWRITEBYTECODE=1"),
            *("--env", "PIP_INDEX_URL", "--env", "PIP_EXTRA_INDEX_URL"),
            *("--volume", f"{readable}:{readable}:ro", "--volume", f"{writable}:{writable}"),
            *("--workdir", str(readable), "--entrypoint", "python", image),
        ]

    def compiled(self, image: str) -> str:
        """Returns the image, or one on top of it with a compiled standard library, which official images leave out.

        Raises:
            EngineError: it has no Python, or can't be built on.
        """
        if self._run("run", "--rm", "--entrypoint", "python", image, "-c", _IS_COMPILED) == "True":
            return image
        dockerfile = f"FROM {image}\nUSER root\nRUN {_COMPILE} || true\n"  # some of its files don't compile
        name = f"{_COMPILED}:{hashlib.sha256(image.encode()).hexdigest()[:12]}"
        self._run("build", "-t", name, "-", stdin=dockerfile)
        return name

    def build(self, base: str) -> str:
        """Returns the name of our image, built as it is now.

        Raises:
            EngineError: it can't be built.
        """
        self._run("build", "--build-arg", f"BASE_IMAGE={base}", "-f", str(_DOCKERFILE), "-t", _BUILT, str(REPOSITORY))
        return _BUILT

    def size(self, image: str) -> int:
        """Returns an image's size in bytes.

        Raises:
            EngineError: there is no such image.
        """
        return int(self._run("image", "inspect", "--format", "{{.Size}}", image))

    def _run(self, *arguments: str, stdin: str | None = None) -> str:
        done = subprocess.run([self.command, *arguments], capture_output=True, text=True, check=False, input=stdin)
        if done.returncode:
            raise EngineError(f"{self.command} {arguments[0]}: {' '.join(done.stderr.strip().splitlines()[-2:])}")
        return done.stdout.strip()
