"""Commands that take long, such as builds: their output line by line, and a way to end them all."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence

from sandbox import ends_with_parent

_running: set[int] = set()
_lock = threading.Lock()


def run(command: Sequence[str], *, variables: Mapping[str, str], told: Callable[[str], None]) -> tuple[int, list[str]]:
    """Run a command, pass on each line that it prints, and return its exit status and all lines."""
    lines: list[str] = []
    with subprocess.Popen(
        ends_with_parent.with_all(command),
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        with _lock:
            _running.add(process.pid)
        try:
            for line in filter(str.strip, process.stdout or ()):
                lines.append(line.rstrip())
                told(lines[-1])
        except BaseException:
            _end(process.pid)
            raise
        finally:
            with _lock:
                _running.discard(process.pid)
    return process.returncode, lines


def end_all() -> None:
    """End the running commands, with all that they have started: for their callers they fail."""
    for pid in list(_running):  # no lock: a signal's handler may have interrupted the thread that holds it
        _end(pid)


def _end(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
