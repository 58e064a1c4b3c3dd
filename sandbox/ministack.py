"""MiniStack, the sandbox's AWS: started behind its guard, waited for, stopped with the sandbox."""

import fcntl
import functools
import http.client
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from botocore.credentials import ReadOnlyCredentials

from dualmode.gateway.http.message import Request, Response
from sandbox import state_folder
from sandbox.errors import SandboxError
from sandbox.guard import HOST, Answers, Guard, UnixConnection
from sandbox.resolver import RESOLVER_VARIABLE, Resolver
from sandbox.roles.sessions import RoleSessions
from sandbox.writes import APART
from walk.account import Account
from walk.kept_answers import KeptAnswers

# Services of the program's resources, those that the sandbox needs, and those that functions often use. Of the others,
# some of MiniStack's start servers and run commands on this machine.
_SERVICES = (
    *("acm", "apigateway", "cloudfront", "ec2", "ecr", "iam", "lambda", "logs", "route53", "sts"),
    *("ssm", "secretsmanager", "kms", "dynamodb", "sqs", "sns", "s3", "events", "scheduler", "monitoring"),
)
_PROGRAM = Path(__file__).with_name("ministack_process.py")
_SOCKET = "ministack.sock"
_SOCKET_PATH_BYTES = 103  # macOS takes no more, Linux four more
_DESCRIPTORS = Path("/proc/self/fd")
_KEEP_ALIVE_SECONDS = 86_400  # of a connection; only the guard opens any
_START_SECONDS = 30.0  # it takes 0.3 s; a machine that compiles its bytecode for the first time takes several
_STOP_SECONDS = 10.0  # it writes its state


class MiniStack:
    """A context manager that runs MiniStack from this Python's environment, with its state in `state`.

    It listens on a Unix socket in that folder, which only its owner can open. Others reach it through a loopback guard,
    with credentials that are made for this run. Without a `port` the guard takes the port of the last run if that is
    free.

    Raises:
        SandboxError: the port is taken, the folder is another user's or already in use, or MiniStack doesn't start.
    """

    def __init__(self, state: Path, *, port: int | None = None, region: str = "us-east-1") -> None:
        self.state = state
        self.region = region
        self.port = 0
        key = f"SANDBOX{secrets.token_hex(8).upper()}"  # with twelve digits only, it would name an account
        self.credentials = ReadOnlyCredentials(key, secrets.token_urlsafe(30), None)
        self.forgetful = False
        """Whether the account isn't as the last run left it: there was none, or it ended without writing its state."""
        self._wanted = port
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: Guard | None = None
        self._resolver: Resolver | None = None
        self._folder: int | None = None
        self._lock: IO[str] | None = None

    @property
    def endpoint_url(self) -> str:
        """Where every AWS service of the sandbox answers."""
        return f"http://{HOST}:{self.port}"

    @functools.cached_property
    def account(self) -> Account:
        """The account in it, once it listens."""
        return Account(self.endpoint_url, self.region, self.credentials)

    @functools.cached_property
    def reader(self) -> Account:
        """The same account, whose reads are kept until a call to it has ended that may have written."""
        return self.account.keeping(KeptAnswers(lambda: self._guard.writes if self._guard else 0, APART))

    @property
    def variables(self) -> dict[str, str]:
        """The variables with which `aws`, boto3 or `pulumi` in another terminal reach this AWS, while it runs."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_key,
        }

    @property
    def program_variables(self) -> dict[str, str]:
        """The variables of a deployment's program: it asks this AWS's DNS as well."""
        return {**self.variables, RESOLVER_VARIABLE: self._resolver.address} if self._resolver else self.variables

    @property
    def log(self) -> Path:
        """The file that takes what MiniStack prints."""
        return self.state / "ministack.log"

    def __enter__(self) -> Self:
        state_folder.claim(self.state)
        (self.state / "aws").mkdir(exist_ok=True)
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

    def answer_instead(self, answers: Answers) -> None:
        """Let `answers` answer the calls that it takes, after their signature was checked."""
        if self._guard is not None:
            self._guard.instead = answers

    def enforce(self, roles: RoleSessions) -> None:
        """Take the credentials of functions too, and let them do only what their roles may."""
        if self._guard is not None:
            self._guard.roles = roles

    def alter(self, altered: Callable[[Request, Response], Response] | None) -> None:
        """Change what is answered from now on; None changes nothing more. What was read before is read again."""
        if self._guard is not None:
            self._guard.altered = altered
            self._guard.count_write()

    def tell(self, passed: Callable[[Request, Response], None]) -> None:
        """Tell of each call that succeeded."""
        if self._guard is not None:
            self._guard.passed = passed

    def reset(self) -> None:
        """Empty the account."""
        status, _ = self._ask("POST", "/_ministack/reset")
        if self._guard is not None:
            self._guard.count_write()
        if status != http.client.OK:
            raise SandboxError(f"MiniStack didn't empty its account (status {status}); its log is {self.log}.")

    def stop(self) -> None:
        """Stop MiniStack, which writes its state, and release the folder. Does nothing the second time."""
        resolver, self._resolver = self._resolver, None
        if resolver is not None:
            resolver.stop()
        guard, self._guard = self._guard, None
        if guard is not None:
            guard.stop()
        process, self._process = self._process, None
        if process is not None:
            _end(process)
        if self._lock is not None:
            (self.state / _SOCKET).unlink(missing_ok=True)
            self._lock.close()
            self._lock = None
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None

    @property
    def _pid_file(self) -> Path:
        """MiniStack's process, which removes the file once it has written its state: else that is lost."""
        return self.state / "ministack.pid"

    @property
    def _port_file(self) -> Path:
        return self.state / "ministack.port"

    def _claim(self) -> None:
        """Hold the folder's lock for as long as this process lives; wait for a MiniStack whose sandbox was killed."""
        lock = (self.state / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            lock.close()
            raise SandboxError(
                f"Another sandbox (process {owner}) uses {self.state}: stop it, or give this one a folder "
                "and a port of its own, such as --state .sandbox-2 --port 8001."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
        _wait_for_orphan(self._pid_file)
        self.forgetful = self._pid_file.exists() or not any((self.state / "aws").iterdir())
        self._pid_file.unlink(missing_ok=True)

    def _start(self) -> None:
        self._folder = os.open(self.state, os.O_RDONLY)
        self._guard = self._guarding()
        self.port = self._guard.port
        self._run()
        self._guard.start()
        self._resolver = Resolver(self.account)
        self._port_file.write_text(f"{self.port}\n")

    def _guarding(self) -> Guard:
        path = self._socket
        if len(os.fsencode(path)) > _SOCKET_PATH_BYTES:
            raise SandboxError(
                f"The path {path} is too long for a socket, whose limit is {_SOCKET_PATH_BYTES} bytes: "
                "give --state a folder with a shorter path."
            )
        if self._wanted is not None:
            try:
                return Guard(path, self.credentials, self._wanted)
            except OSError:
                raise SandboxError(
                    f"Port {self._wanted} on {HOST} is in use: stop the program that uses it, or choose another port."
                ) from None
        remembered = self._port_file.read_text().strip() if self._port_file.exists() else ""
        try:
            return Guard(path, self.credentials, int(remembered) if remembered.isdecimal() else 0)
        except (OSError, OverflowError):
            return Guard(path, self.credentials)

    @property
    def _socket(self) -> Path:
        """MiniStack's socket; with /proc, by a path that is always short."""
        by_number = _DESCRIPTORS / str(self._folder)
        return (by_number if by_number.exists() else self.state.resolve()) / _SOCKET

    def _run(self) -> None:
        self.log.write_bytes(b"")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                # One process, so that a signal ends it; bound in its folder: a socket's path may be too long.
                [
                    *(sys.executable, "-P", str(_PROGRAM), _SOCKET, self._pid_file.name, "--"),
                    *("ministack.app:app", "--bind", f"unix:{_SOCKET}", "--workers", "0"),
                    *("--umask", str(0o177), "--keep-alive", str(_KEEP_ALIVE_SECONDS)),
                ],
                cwd=self.state,
                env=self._process_variables(),
                stdin=subprocess.PIPE,  # nothing is written to it: MiniStack ends when it ends
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the sandbox alone, which stops MiniStack last
            )
        self._pid_file.write_text(f"{self._process.pid}\n")
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                self._pid_file.unlink(missing_ok=True)
                raise SandboxError(f"MiniStack did not start: {self._last_line()} (log: {self.log})")
            try:
                status, _ = self._ask("GET", "/_ministack/health")
            except OSError:
                status = 0
            if status == http.client.OK:
                return
            time.sleep(0.02)
        raise SandboxError(f"MiniStack did not answer within {_START_SECONDS:.0f} s; its log is {self.log}.")

    def _process_variables(self) -> dict[str, str]:
        # Not the user's environment: MiniStack reads common names such as AUTH, SERVICES and LOG_LEVEL.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in os.environ}
        return kept | {
            # It checks presigned addresses of S3 by itself.
            "AWS_ACCESS_KEY_ID": self.credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_key,
            "GATEWAY_PORT": str(self.port),  # the guard's: MiniStack puts it into addresses, such as those of queues
            "SERVICES": ",".join(_SERVICES),
            # It runs no code: no function as a process of the user, and none in a container, which could mount files.
            "LAMBDA_STRICT": "1",
            "DOCKER_HOST": "unix:///dev/null/none",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.state / "aws"),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "MINISTACK_REGION": self.region,
            "TMPDIR": str(self.state),  # its temporary files are private, too
            "PYTHONUNBUFFERED": "1",
        }

    def _ask(self, method: str, path: str) -> tuple[int, bytes]:
        connection = UnixConnection(self._socket, timeout=10)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _last_line(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return lines[-1].strip() if lines else "it printed nothing"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process: by the end of its standard input, or by force if it takes too long."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for_orphan(pid_file: Path) -> None:
    """Wait until the MiniStack of a sandbox that was killed has ended, which it does by itself; or else kill it."""
    try:
        text = pid_file.read_text().strip()
    except FileNotFoundError:
        return
    pid = int(text) if text.isdecimal() else 0
    deadline = time.monotonic() + _STOP_SECONDS
    while pid and _is_ministack(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.05)


def _is_ministack(pid: int) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # no such process, or no /proc: then it can't be known whose process it is now
        return False
    return b"ministack" in command and state != "Z"
