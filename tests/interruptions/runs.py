"""One stage of a deployment that goes wrong at its operations in turn: processes until it is done, and what is left."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from sandbox import ends_with_parent
from tests.interruptions.faults import Faults, Operation, read_operations
from tests.interruptions.listing import without_said
from tests.interruptions.stages import BEFORE
from tests.support.program import ROOT

_SECONDS = 1200  # for the attempts of one process


@dataclass(frozen=True, kw_only=True)
class Run:
    """What was seen of a stage in the end."""

    struck: list[Operation]
    """What has gone wrong, in its order."""
    stuck: dict[Operation, str]
    """After which of it the next attempt went wrong by itself, and what it said."""
    seen: dict[str, Any]
    """What the last attempt left."""
    lines: str
    """All that was said."""

    def differences(self, clean: dict[str, Any]) -> list[str]:
        """What is otherwise than after a stage in which nothing went wrong, and was not said."""
        if "stuck" in self.seen:
            return [self.seen["stuck"]]
        found = {key: self.seen[key] for key in ("names", "unknown", "answer")}
        for key in ("names", "unknown"):
            found[key] = without_said(found[key], clean[key], self.lines)
        return [f"{key}: {value}, not {clean[key]}" for key, value in found.items() if value != clean[key]]


class Deployments:
    """Stages of a deployment, each of which begins where the one before it ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._clean: dict[str, dict[str, Any]] = {}

    def clean(self, stage: str) -> dict[str, Any]:
        """What a stage leaves in which nothing goes wrong, and its operations."""
        if stage not in self._clean:
            self._clean[stage] = self._attempts(stage, f"clean-{stage}", faults={})
        return self._clean[stage]

    def interrupted(self, stage: str, faults: Faults) -> Run:
        """Let each operation of a stage, or some, go wrong once; where it can't go on after that, begin again."""
        kind = faults if isinstance(faults, str) else "some"
        name, stuck = f"{kind}-{stage}".replace(" ", "-"), {}
        while True:
            seen = self._attempts(stage, name, faults)
            struck = read_operations(self._folder / f"{name}.struck")
            if "stuck" not in seen or not struck or struck[-1] in stuck:
                lines = (self._folder / f"{name}.lines").read_text()
                return Run(struck=struck, stuck=stuck, seen=seen, lines=lines)
            stuck[struck[-1]] = seen["stuck"]

    def _attempts(self, stage: str, name: str, faults: Faults) -> dict[str, Any]:
        state, file = self._folder / f"{name}.state", self._folder / f"{name}.json"
        shutil.rmtree(state, ignore_errors=True)
        if stage in BEFORE:
            self.clean(BEFORE[stage])
            shutil.copytree(self._folder / f"clean-{BEFORE[stage]}.state", state)
        each = faults if isinstance(faults, str) else [[*astuple(target), kind] for target, kind in faults.items()]
        file.write_text(json.dumps({"stage": stage, "state": str(state), "faults": each}))
        struck = file.with_suffix(".struck")
        while True:
            done = read_operations(struck)
            command = ends_with_parent.alone([sys.executable, "-m", "tests.interruptions.attempts", str(file)])
            with file.with_suffix(".out").open("a") as output:
                ended = subprocess.run(command, cwd=ROOT, stdout=output, stderr=output, timeout=_SECONDS)
            if ended.returncode == 0:
                return dict(json.loads(file.with_suffix(".seen").read_text()))
            if ended.returncode != -signal.SIGKILL or read_operations(struck) == done:
                said = file.with_suffix(".out").read_text()
                raise AssertionError(f"the attempts ended with {ended.returncode}: {said}")
