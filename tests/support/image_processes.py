"""An image's content in processes of this machine, as the sandbox runs it where no container engine answers."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox import ends_with_parent
from sandbox.runner.images import ImageStore, StoredImage
from sandbox.runner.venvs import process_environment
from tests.support.emulator import emulator_command
from tests.support.ports import free_ports
from tests.support.running_image import RunningImage

ROOT = Path(__file__).parents[2]


def build(store: ImageStore, **arguments: str) -> StoredImage:
    """Lays out the project's image with build arguments."""
    built = store.build(context=ROOT, dockerfile=ROOT / "infra" / "Dockerfile", args=arguments, platform="linux/amd64")
    image = store.find(built.digest)
    assert image
    return image


@dataclass(frozen=True)
class ImageProcess(RunningImage):
    """A process that was started, and may have ended since."""

    process: subprocess.Popen[bytes]
    ports: Mapping[int, int]
    log: Path

    def port(self, inside: int) -> int:
        self.check_running()
        return self.ports[inside]

    def logs(self) -> str:
        return self.log.read_text(errors="replace")

    def check_running(self) -> None:
        code = self.process.poll()
        assert code is None, f"the process ended with {code}:\n{self.logs()}"


@contextlib.contextmanager
def serving(image: StoredImage, python: Path, mode: str, *, environment: Mapping[str, str]) -> Iterator[ImageProcess]:
    """A process in local or gateway mode that answers requests."""
    http, events = free_ports(2)
    variables = {"RUN_MODE": mode, "PORT": str(http), "EVENTS_PORT": str(events), **environment}
    # A container has its own addresses; a process has the machine's.
    variables |= {"FLASK_RUN_HOST": "127.0.0.1", "GATEWAY_HOST": "127.0.0.1"}
    with _started(image, python, [], variables, {3000: http, 8080: events}) as running:
        running.wait_for_http()
        yield running


@contextlib.contextmanager
def under_rie(image: StoredImage, python: Path, rie: Path, *, environment: Mapping[str, str]) -> Iterator[ImageProcess]:
    """A process in lambda mode under AWS's Runtime Interface Emulator, which takes events."""
    port, runtime_api = free_ports(2)
    prefix = emulator_command(rie, port, runtime_api)
    with _started(image, python, prefix, environment, {8080: port}) as running:
        running.wait_for_http(8080)
        yield running


@contextlib.contextmanager
def _started(
    image: StoredImage,
    python: Path,
    prefix: Sequence[str],
    variables: Mapping[str, str],
    ports: Mapping[int, int],
) -> Iterator[ImageProcess]:
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        process = subprocess.Popen(
            ends_with_parent.alone([*prefix, str(image.runtime / "scripts" / "entrypoint.sh")]),
            cwd=image.task,
            env={**process_environment(python), "FLASK_APP": image.flask_app, **variables},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield ImageProcess(process, ports, Path(log.name))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(60)
