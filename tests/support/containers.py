"""Containers for tests: from one image, in one mode, with its ports published on loopback."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.support.image_leftovers import building, layers_of
from tests.support.processes import lives
from tests.support.running_image import RunningImage

ROOT = Path(__file__).parents[2]
# Ten times as long as a normal shutdown, and less than the 30 seconds after which the gateway gives up on a request.
STOP_SECONDS = 20
_NAME = "dualmode-test-"  # the id of the test run's process follows


@dataclass(frozen=True)
class Container(RunningImage):
    """A container that was started, and may have ended since."""

    engine: str
    id: str

    def port(self, inside: int) -> int:
        return _port(self, inside)

    def logs(self) -> str:
        done = subprocess.run([self.engine, "logs", self.id], capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    def check_running(self) -> None:
        state = self._state("Running"), self._state("ExitCode")
        assert state[0] == "true", f"the container ended with {state[1]}:\n{self.logs()}"

    def exit_code(self, seconds: float = 30) -> int:
        """The exit code of a container that ends by itself."""
        return int(self._output("wait", self.id, seconds=seconds))

    def stop(self) -> int:
        """Stops it as `docker stop` does; its exit code, which is 137 where the engine had to kill it."""
        self._output("stop", "--time", str(STOP_SECONDS), self.id)
        return int(self._state("ExitCode"))

    def _state(self, key: str) -> str:
        return self._output("inspect", "--format", f"{{{{.State.{key}}}}}", self.id)

    def _output(self, *arguments: str, seconds: float = 60) -> str:
        done = subprocess.run([self.engine, *arguments], capture_output=True, text=True, timeout=seconds)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout.strip()


@functools.cache
def _port(container: Container, inside: int) -> int:
    lines = container._output("port", container.id, str(inside)).splitlines()
    if not lines:
        container.check_running()
    return int(lines[0].rpartition(":")[2])


def remove_orphans(engine: str) -> None:
    """Removes containers of test runs that were killed."""
    listed = [engine, "ps", "--all", "--filter", f"name={_NAME}", "--format", "{{.Names}}"]
    for name in subprocess.run(listed, capture_output=True, text=True, timeout=60).stdout.split():
        if not lives(int(name.removeprefix(_NAME).partition("-")[0])):
            subprocess.run([engine, "rm", "--force", "--volumes", name], capture_output=True, timeout=60)


@contextlib.contextmanager
def started(
    engine: str,
    image: str,
    mode: str = "",
    *,
    environment: Mapping[str, str] | None = None,
    ports: Sequence[int] = (),
    options: Sequence[str] = (),
    command: Sequence[str] = (),
) -> Iterator[Container]:
    """A running container, ready or not, that is removed at the end."""
    variables = ({"RUN_MODE": mode} if mode else {}) | dict(environment or {})
    name = f"{_NAME}{os.getpid()}-{uuid.uuid4().hex[:8]}"
    run = [engine, "run", "--detach", "--name", name, *(f"--publish=127.0.0.1::{port}" for port in ports)]
    run += [f"--env={name}={value}" for name, value in variables.items()]
    done = subprocess.run([*run, *options, image, *command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    container = Container(engine, done.stdout.strip())
    try:
        yield container
    finally:
        subprocess.run([engine, "rm", "--force", "--volumes", container.id], capture_output=True, timeout=60)


@contextlib.contextmanager
def serving(
    engine: str,
    image: str,
    mode: str,
    *,
    environment: Mapping[str, str] | None = None,
    ports: Sequence[int] = (3000,),
    options: Sequence[str] = (),
) -> Iterator[Container]:
    """A container in local or gateway mode that answers requests."""
    with started(engine, image, mode, environment=environment, ports=ports, options=options) as container:
        container.wait_for_http()
        yield container


@contextlib.contextmanager
def under_rie(
    engine: str, image: str, rie: Path, *, environment: Mapping[str, str] | None = None, options: Sequence[str] = ()
) -> Iterator[Container]:
    """A container in lambda mode under AWS's Runtime Interface Emulator, which takes events on port 8080."""
    emulator = f"--volume={rie}:/rie:ro"
    inspect = [engine, "image", "inspect", "--format", "{{json .Config.Entrypoint}}", image]
    entrypoint = json.loads(subprocess.run(inspect, capture_output=True, check=True, timeout=60).stdout)
    options = [emulator, "--entrypoint=/rie", *options]
    with started(
        engine, image, environment=environment, ports=[8080], options=options, command=entrypoint
    ) as container:
        container.wait_for_http(8080, "GET", "/")
        yield container


def base_image() -> str:
    """The base image that tests build on: DUALMODE_BASE_IMAGE, or else the Dockerfile's own."""
    default = re.search(r"^ARG BASE_IMAGE=(.+)$", (ROOT / "infra" / "Dockerfile").read_text(), re.MULTILINE)
    assert default
    return os.environ.get("DUALMODE_BASE_IMAGE") or default[1]


layers: dict[str, list[str]] = {}
"""The layers of each tag that was built, as long as this run lasts."""


class Build(NamedTuple):
    """The result of a build, and its whole output."""

    succeeded: bool
    output: str


def build(engine: str, context: Path, tag: str, **arguments: str) -> Build:
    """Builds the project's image out of a context; DUALMODE_BASE_IMAGE names another base."""
    if os.environ.get("DUALMODE_BASE_IMAGE"):
        arguments = {"BASE_IMAGE": os.environ["DUALMODE_BASE_IMAGE"], **arguments}
    options = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    command = [engine, "build", *options, "--file", str(context / "infra" / "Dockerfile"), "--tag", tag, str(context)]
    with building():
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    layers.setdefault(tag, []).extend(layers_of(done.stdout + done.stderr))
    return Build(done.returncode == 0, done.stdout + done.stderr)


def project_with(folder: Path, files: Mapping[str, str]) -> Path:
    """A copy of the project's files for an image, with a user's application in the folder `app`."""
    folder.mkdir(exist_ok=True)
    for part in ("scripts", "dualmode"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "infra").mkdir()
    shutil.copy(ROOT / "infra" / "Dockerfile", folder / "infra")
    shutil.copytree(
        ROOT / "infra" / "dependencies", folder / "infra" / "dependencies", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / ".dockerignore", folder)
    for name, content in files.items():
        path = folder / "app" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder
