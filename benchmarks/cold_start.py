"""Looks into a cold start: which modules it loads, and where its time goes, by import."""

from __future__ import annotations

import os
import re
import signal
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import TypedDict

from benchmarks.contenders import Contender
from benchmarks.process import running, wait
from benchmarks.stage import Stage
from benchmarks.stand_in import StandIn

_LINE = re.compile(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", re.MULTILINE)


class Where(TypedDict):
    """Where a cold start's time goes, in milliseconds; imports take longer while they are timed."""

    ready_ms: float
    first_ms: float
    imports: dict[str, float]


def modules(contender: Contender, stage: Stage, stand_in: StandIn) -> list[str]:
    """Returns the names in sys.modules after the first response, of the process that sent it.

    Raises:
        ContenderFailedError: it didn't answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        extra = {"PYTHONPATH": str(Path(__file__).parent / "module_list"), "MODULE_LIST": folder}
        with running(contender, stage, stand_in, 2, extra) as (_, session, groups, printed):
            session.go_on.clear()
            session.first_answered.wait(20)
            os.killpg(groups[-1], signal.SIGRTMIN + 7)
            session.go_on.set()  # awslambdaric returns from its native code, and Python handles the signal
            wait(session, groups, printed)
        written = [path.read_text().split("\n") for path in Path(folder).iterdir()]
    return max(written, key=len, default=[])


def where(contender: Contender, stage: Stage, stand_in: StandIn, starts: int = 5) -> Where:
    """Returns the median over some starts of what each module's own import took.

    Raises:
        ContenderFailedError: it didn't answer.
    """
    taken: dict[str, list[float]] = defaultdict(list)
    ready: list[float] = []
    first: list[float] = []
    for _ in range(starts):
        with running(contender, stage, stand_in, 1, {"PYTHONPROFILEIMPORTTIME": "1"}) as (
            began,
            session,
            groups,
            printed,
        ):
            wait(session, groups, printed)
            text = printed()
        ready.append((session.asked[0] - began) * 1e3)
        first.append((session.answered[0] - began) * 1e3)
        for name, milliseconds in imports(text).items():
            taken[name].append(milliseconds)
    return Where(
        ready_ms=median(ready), first_ms=median(first), imports={name: median(each) for name, each in taken.items()}
    )


def imports(text: str) -> dict[str, float]:
    """Returns the milliseconds of each module's own import, from what `-X importtime` writes."""
    taken: dict[str, float] = defaultdict(float)
    for microseconds, name in _LINE.findall(text):
        taken[name] += int(microseconds) / 1e3
    return dict(taken)
