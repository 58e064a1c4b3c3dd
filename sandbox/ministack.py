"""MiniStack, the sandbox's AWS: started on loopback, waited for, stopped with the sandbox."""

import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from sandbox.account import EMULATED_CREDENTIALS
from sandbox.errors import SandboxError

_HOST = "127.0.0.1"
_START_SECONDS = 30.0  # it takes 0.3 s; a machine that compiles its bytecode for the first time takes several
_STOP_SECONDS = 10.0  # it writes its state on SIGTERM


class MiniStack:
    """A context manager that runs MiniStack from this Python's environment, on loopback, with its state in `state`.

    Without a `port` it takes the one of the last run where that is free, so that other terminals' settings stay valid.

    Raises:
        SandboxError: the port is taken, another sandbox uses the folder, or MiniStack doesn't start.
    """

    def __init__(self, state: Path, *, port: int | None = None, region: str = "us-east-1") -> None:
        self.state = state
        self.region = region
        self.port = 0
        self.forgetful = False
        """Whether the account isn't as the last run left it: there was none, or it ended without writing its state."""
        self._wanted = port
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None

    @property
    def endpoint_url(self) -> str:
        """Where every AWS service of the sandbox answers."""
        return f"http://{_HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which `aws`, boto3 or `pulumi` in another terminal reach this AWS and no other."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            **EMULATED_CREDENTIALS,
        }

    @property
    def log(self) -> Path:
        """The file that takes what MiniStack prints."""
        return self.state / "ministack.log"

    def __enter__(self) -> Self:
        (self.state / "aws").mkdir(parents=True, exist_ok=True)
        self.state.chmod(0o700)  # an account's variables lie in it as they are
        self._claim()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def reset(self) -> None:
        """Empty the account."""
        status, _ = self._ask("POST", "/_ministack/reset")
        if status != http.client.OK:
            raise SandboxError(f"MiniStack didn't empty its account (status {status}); its log is {self.log}.")

    def stop(self) -> None:
        """Stop MiniStack, which writes its state, and give the folder free. Does nothing the second time."""
        process, self._process = self._process, None
        if process is not None and _end(process):
            self._pid_file.unlink(missing_ok=True)  # kept otherwise: the next run must know that state was lost
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def _pid_file(self) -> Path:
        return self.state / "ministack.pid"

    @property
    def _port_file(self) -> Path:
        return self.state / "ministack.port"

    def _claim(self) -> None:
        """Hold the folder's lock for as long as this process lives; end a MiniStack whose sandbox was killed."""
        lock = (self.state / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            lock.close()
            raise SandboxError(
                f"Another sandbox (process {owner}) uses {self.state}: stop it, or give this one another state folder."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
        saved = not self._pid_file.exists() or _end_orphan(self._pid_file)
        self.forgetful = not saved or not any((self.state / "aws").iterdir())

    def _start(self) -> None:
        self.log.write_bytes(b"")
        remembered = self._port_file.read_text().strip() if self._port_file.exists() else ""
        if self._wanted is not None:
            if not _is_free(self._wanted):
                raise SandboxError(
                    f"Port {self._wanted} on {_HOST} is taken: stop what listens there, or give MiniStack another port."
                )
            candidates = [self._wanted]
        else:
            last = int(remembered) if remembered.isdecimal() else 0
            candidates = [last if last and _is_free(last) else _free_port(), _free_port(), _free_port()]
        for port in candidates:
            self.port = port
            if self._run():
                self._port_file.write_text(f"{port}\n")
                return
        raise SandboxError(f"MiniStack did not start on {_HOST}:{self.port}: {self._last_line()} (log: {self.log})")

    def _run(self) -> bool:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "ministack"],
                cwd=self.state,
                env=self._process_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the sandbox alone, which stops MiniStack last
            )
        self._pid_file.write_text(f"{self._process.pid}\n")
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                self._pid_file.unlink(missing_ok=True)
                self._process = None
                return False
            try:
                status, _ = self._ask("GET", "/_ministack/health")
            except OSError:
                status = 0
            if status == http.client.OK:
                return True
            time.sleep(0.02)
        raise SandboxError(f"MiniStack did not answer within {_START_SECONDS:.0f} s; its log is {self.log}.")

    def _process_environment(self) -> dict[str, str]:
        # Not the user's environment: MiniStack reads names as common as AUTH, SERVICES and LOG_LEVEL.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in os.environ}
        return kept | {
            "BIND_HOST": _HOST,
            "GATEWAY_PORT": str(self.port),
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.state / "aws"),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "MINISTACK_REGION": self.region,
            "TMPDIR": str(self.state),  # where it puts its own pid file
            "PYTHONUNBUFFERED": "1",
        }

    def _ask(self, method: str, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(_HOST, self.port, timeout=10)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _last_line(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return lines[-1].strip() if lines else "it printed nothing"


def _end(process: subprocess.Popen[bytes]) -> bool:
    """End the process; say whether it was alive and had the time to write its state."""
    if process.poll() is not None:
        return False
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


def _end_orphan(pid_file: Path) -> bool:
    """End the MiniStack of a sandbox that was killed; say whether it lived and had the time to write its state."""
    text = pid_file.read_text().strip()
    pid = int(text) if text.isdecimal() else 0
    pid_file.unlink()
    if not pid or not _is_ministack(pid):
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while _is_ministack(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            return False
        time.sleep(0.05)
    return True


def _is_ministack(pid: int) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # no such process, or no /proc: then nobody can tell whose process it is now
        return False
    return b"ministack" in command and state != "Z"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])
