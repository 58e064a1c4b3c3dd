"""One program that runs a function version: started from a thread that lives longer, watched, stopped."""

import http.client
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sandbox import ends_with_parent
from sandbox.errors import SandboxError
from sandbox.function_log import placed
from sandbox.idle_connections import IdleConnections

HOST = "127.0.0.1"

_START_SECONDS = 60.0
_STOP_SECONDS = 1.5
_IDLE_SECONDS = 30.0  # the gateway keeps a connection for 75 s


class FunctionProgram:
    """A gateway of ours, in a process or in a container, that takes events on a loopback port.

    `started` is called once it takes events, `discard` once it has ended, for any reason.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        variables: Mapping[str, str],
        folder: Path,
        log: Path,
        events_port: int,
        started: Callable[[], object] = lambda: None,
        discard: Callable[[], None] = lambda: None,
    ) -> None:
        self.events_port = events_port
        self.log = log
        self._command = list(command)
        self._variables = dict(variables)
        self._folder = folder
        self._taking_events = started
        self._discard = discard
        self.connections = IdleConnections(lambda: http.client.HTTPConnection(HOST, events_port), _IDLE_SECONDS)
        """To the port that takes events."""
        self._process: subprocess.Popen[bytes] | None = None
        self._failure: OSError | None = None
        self._started = threading.Event()
        self._ended = threading.Event()

    @property
    def alive(self) -> bool:
        """Whether it can take events, as far as is known."""
        return self._started.is_set() and not self._ended.is_set()

    def start(self) -> None:
        """Start it and wait until it takes events.

        Raises:
            SandboxError: it ends or doesn't answer.
        """
        threading.Thread(target=self._run, name="function", daemon=True).start()
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._ended.wait(0.01):
                raise SandboxError(f"It ended while it started ({self._last_line()}); its log is {self.log}.")
            if self._started.is_set() and _answers(self.events_port):
                self._taking_events()
                return
        self.signal_stop()
        self.wait_stopped()
        raise SandboxError(f"It took no events for {_START_SECONDS:.0f} s; its log is {self.log}.")

    def signal_stop(self) -> None:
        """Ask it to end, without waiting."""
        if self._process is not None and not self._ended.is_set():
            self._process.terminate()

    def wait_stopped(self) -> None:
        """Wait until it has ended; kill what doesn't by itself."""
        if not self._started.is_set() or self._ended.wait(_STOP_SECONDS):
            return
        if self._process is not None:
            self._process.kill()
        self._ended.wait(_STOP_SECONDS)

    def _run(self) -> None:
        # The program ends with the thread that started it, so this one stays.
        try:
            with self.log.open("ab") as log:
                # A gateway stops on SIGTERM, and an engine's client passes it on.
                self._process = subprocess.Popen(
                    ends_with_parent.alone(self._command),
                    cwd=self._folder,
                    env=self._variables,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C reaches the sandbox alone, which stops its functions first
                )
            self._started.set()
            self._process.wait()
        except OSError as error:
            self._failure = error
        finally:
            self._ended.set()
            self.connections.close()
            self._discard()

    def _last_line(self) -> str:
        if self._failure is not None:
            return str(self._failure)
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return placed(lines[-1].strip()) if lines else "it printed nothing"


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    """Whether something answers HTTP there: an engine's own proxy accepts connections before the container does."""
    connection = http.client.HTTPConnection(HOST, port, timeout=1.0)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
