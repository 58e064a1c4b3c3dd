"""The entrypoint in lambda mode under AWS's Runtime Interface Emulator, as a process of this machine."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from sandbox import ends_with_parent
from tests.support.ports import free_ports
from tests.support.waiting import until

ENTRYPOINT = Path(__file__).parents[2] / "scripts" / "entrypoint.sh"
PYTHON_FOLDER = Path(sys.executable).parent


def environment(**variables: str) -> dict[str, str]:
    """The variables of a container of the image, as far as they matter, and more."""
    return {
        "PATH": f"{PYTHON_FOLDER}:/usr/bin:/bin",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "error",
        **variables,
    }


def write(folder: Path, **modules: str) -> Path:
    """Writes modules of an application to a folder."""
    for name, content in modules.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(content))
    return folder


def emulator_command(rie: Path, port: int, runtime_api: int) -> list[str]:
    """The emulator, on two ports of loopback; a function's bootstrap follows."""
    addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    return [str(rie), "--log-level", "error", *addresses, "--runtime-api-address", f"127.0.0.1:{runtime_api}"]


class Emulator:
    """A function under the emulator: invoke it, then read what it logged."""

    def __init__(
        self,
        rie: Path,
        folder: Path,
        log: Path,
        prefix: tuple[str, ...] = (),
        bootstrap: tuple[str, ...] = (str(ENTRYPOINT),),
        **variables: str,
    ) -> None:
        self.port, runtime_api = free_ports(2)
        self.log_file = log
        command = [*prefix, *emulator_command(rie, self.port, runtime_api), *bootstrap]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                ends_with_parent.alone(command),
                cwd=folder,
                env=environment(**variables),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def __enter__(self) -> Emulator:
        until(self._takes_connections, logs=self.log_file.read_text)
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self.process.pid, signal.SIGSTOP)  # all at once, so that none can log that another one is gone
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(60)

    def _takes_connections(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def invoke(self, event: Any) -> Any:
        """Returns the result of an invocation, or its error object."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("POST", "/2015-03-31/functions/function/invocations", json.dumps(event))
            return json.loads(connection.getresponse().read())

    def lines(self, last: str = "") -> list[str]:
        """What the function logged, without the emulator's own lines, once `last` is in it."""
        until(lambda: last in self.log_file.read_text(), logs=self.log_file.read_text)
        log = self.log_file.read_text()
        others = re.compile(r"(START|END|REPORT) |.*\(rapid\)")
        return [line for line in log.splitlines() if line and not others.match(line)]
