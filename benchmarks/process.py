"""Starts a contender's process against the stand-in, as Lambda would, and measures its times."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import IO, NamedTuple

from benchmarks import contenders, image
from benchmarks.contenders import Contender
from benchmarks.hello import wrong
from benchmarks.stage import Stage
from benchmarks.stand_in import Session, StandIn

_SECONDS = 20.0


class Times(NamedTuple):
    """What one start took, to `next` and to the first response; then each round trip, and the lines logged for it.

    `cpu_ms` is its threads' processor time until the first response: other programs hardly change it; 0 if unknown.
    """

    ready_ms: float
    first_ms: float
    cpu_ms: float
    warm_us: float
    lines: int


class ContenderFailedError(Exception):
    """A contender's process ended, or gave a wrong answer; one sentence, with the end of its output."""


def environment(stage: Stage, stand_in: StandIn, extra: dict[str, str]) -> dict[str, str]:
    """Returns the environment variables: the image's, and those that Lambda sets."""
    return {
        "PATH": f"{stage.venv}/bin:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "TZ": ":UTC",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "FLASK_APP": "server:app",
        "AWS_LAMBDA_RUNTIME_API": stand_in.address,
        "AWS_LAMBDA_FUNCTION_NAME": "hello",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/hello",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2026/08/17/[1]0123456789abcdef0123456789abcdef",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "LAMBDA_TASK_ROOT": str(stage.task),
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "_HANDLER": "handler",
        **extra,
    }


@contextlib.contextmanager
def running(
    contender: Contender, stage: Stage, stand_in: StandIn, invocations: int, extra: dict[str, str] | None = None
) -> Iterator[tuple[float, Session, list[int], Callable[[], str]]]:
    """Yields the time of the start, the session, the process groups and what was printed; ends them afterwards."""
    session = stand_in.session(invocations)
    groups: list[int] = []
    processes: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryFile() as log:

        def start(command: list[str], **variables: str) -> None:
            process = subprocess.Popen(
                command,
                cwd=stage.task,
                env=environment(stage, stand_in, {**contender.environ, **(extra or {}), **variables}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            processes.append(process)
            groups.append(process.pid)

        began = time.perf_counter()
        try:
            if contender is contenders.WEB_ADAPTER:
                _start_web_adapter(stage, session, start)
            elif contender.module == contenders.OURS.module:
                start(image.entrypoint(stage), **image.variables(stage, (extra or {}).get("PYTHONPATH", "")))
            else:
                start(["python", "-m", "awslambdaric", f"{contender.module}.handler"])
            yield began, session, groups, lambda: _text(log)
        finally:
            # awslambdaric survives SIGTERM while it waits for an event
            for process in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _start_web_adapter(stage: Stage, session: Session, start: Callable[..., None]) -> None:
    """Start the adapter, and the web server once it is registered: Lambda starts a runtime after its extensions."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    start([str(stage.web_adapter)], AWS_LWA_PORT=port)
    session.registered.wait(_SECONDS)
    start(["gunicorn", f"-b=127.0.0.1:{port}", "-w=1", "server:app"])


def _text(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode("utf-8", "replace")


def wait(session: Session, groups: list[int], printed: Callable[[], str]) -> None:
    """Returns once the last event has a correct answer.

    Raises:
        ContenderFailedError: it never had one.
    """
    deadline = time.monotonic() + _SECONDS
    while not session.finished.wait(0.25):
        ended = [pid for pid in groups if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)]
        if ended:
            session.fail("its process ended")
        elif time.monotonic() > deadline:
            session.fail(f"no answer within {_SECONDS:.0f} s")
    if not session.failure and not session.result:
        session.fail("it never answered")
    session.failure = session.failure or wrong(_parsed(session.result))
    if session.failure:
        last = " | ".join(printed().strip().splitlines()[-4:])
        raise ContenderFailedError(f"{session.failure}{': ' + last if last else ''}")


def _computed(groups: list[int]) -> float:
    """Returns the milliseconds of processor time that the living threads of these process groups took so far."""
    nanoseconds = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(process.name)) in groups:
                for thread in process.glob("task/*/schedstat"):
                    nanoseconds += int(thread.read_text().split()[0])
        except OSError:  # it has just ended
            continue
    return nanoseconds / 1e6


def _parsed(result: bytes) -> dict[str, object]:
    try:
        parsed = json.loads(result)
    except ValueError:
        parsed = None
    return parsed if isinstance(parsed, dict) else {"statusCode": None, "body": result.decode("utf-8", "replace")}


def times(contender: Contender, stage: Stage, stand_in: StandIn, warm: int) -> Times:
    """Returns what one start took, and the median of `warm` round trips after the first one.

    Raises:
        ContenderFailedError: it gave no answer, or a wrong one.
    """
    with running(contender, stage, stand_in, 1 + warm) as (began, session, groups, printed):
        computed: list[float] = []
        session.at_first = lambda: computed.append(_computed(groups))
        wait(session, groups, printed)
        lines = printed().count("\n") // (1 + warm)
    round_trips = [answered - sent for sent, answered in zip(session.sent, session.answered, strict=True)]
    return Times(
        (session.asked[0] - began) * 1e3,
        (session.answered[0] - began) * 1e3,
        computed[0],
        median(round_trips[1:]) * 1e6,
        lines,
    )
