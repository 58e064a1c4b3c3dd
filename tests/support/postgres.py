"""A PostgreSQL server of a test's own, on loopback, from the programs that this machine has."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox import ends_with_parent
from tests.support.ports import free_ports
from tests.support.waiting import until

HOST = "127.0.0.1"
DATABASE = "postgres"
OWNER = "shop"
# The server refuses to run as root. Debian's package makes this user.
ORDINARY_USER = "postgres"


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, of the newest version that Debian has, or on the PATH; None without."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    known = str(found[-1]) if found else shutil.which("initdb")
    return Path(known).parent if known else None


@dataclass(frozen=True)
class Postgres:
    """A running server."""

    folder: Path
    port: int
    password: str

    @property
    def address(self) -> str:
        """What `psql` takes, without the password."""
        return f"postgresql://{OWNER}@{HOST}:{self.port}/{DATABASE}"

    def query(self, statement: str) -> list[str]:
        """The rows of a statement, with | between the columns."""
        command = [str(self.folder / "psql"), "-XAtq", "-c", statement, self.address]
        done = subprocess.run(
            command,
            env={**os.environ, "PGPASSWORD": self.password},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.splitlines()


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Postgres]:
    """A new server, whose programs are in that folder, and whose data go with it."""
    (port,) = free_ports(1)
    password = secrets.token_urlsafe(16)
    with tempfile.TemporaryDirectory(prefix="dualmode-postgres-", ignore_cleanup_errors=True) as place:
        home = Path(place)
        data, word, log = home / "data", home / "password", home / "log"
        word.write_text(password)
        as_root = os.geteuid() == 0
        if as_root:
            for path in (home, word):
                shutil.chown(path, ORDINARY_USER, ORDINARY_USER)
        subprocess.run(
            [
                *_ordinary(as_root),
                str(folder / "initdb"),
                *("--pgdata", str(data), "--username", OWNER, "--pwfile", str(word), "--auth", "scram-sha-256"),
                *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            cwd=home,
            check=True,
            capture_output=True,
            timeout=120,
        )
        command = [str(folder / "postgres"), "-D", str(data), "-h", HOST, "-p", str(port), "-k", "", "-F"]
        # The kernel forgets whose end ends it when it becomes another user: then `setpriv` asks for it, not we.
        command = [*_ordinary(True, "--pdeathsig", "INT"), *command] if as_root else ends_with_parent.alone(command)
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=home, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        try:
            until(lambda: _is_ready(process, log), logs=log.read_text)
            yield Postgres(folder, port, password)
        finally:
            process.send_signal(signal.SIGINT)  # ends the connections, and then itself
            try:
                process.wait(60)
            finally:
                process.kill()


def _ordinary(as_root: bool, *options: str) -> Sequence[str]:
    user = ["--reuid", ORDINARY_USER, "--regid", ORDINARY_USER, "--clear-groups"]
    return ["setpriv", *user, *options, "--"] if as_root else []


def _is_ready(process: subprocess.Popen[bytes], log: Path) -> bool:
    text = log.read_text()
    assert process.poll() is None, text
    return "ready to accept connections" in text
