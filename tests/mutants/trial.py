"""Runs tests in a copy of the repository, and says what became of them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from tests.mutants.mutant import Mutant

KILLED, SURVIVED, TIMED_OUT, NOT_RUN = "killed", "survived", "timed out", "not run"

SECONDS = 300.0
"""How long the tests of one mutant may take: ten times what the longest take on a machine that does nothing else."""

_NOT_COPIED = (".git", ".venv*", ".sandbox", ".*_cache")
_SHARED = ("cache", "venvs")
"""What earlier runs downloaded and installed, in `.sandbox`: it depends on locks alone."""


@dataclass(frozen=True)
class Outcome:
    """What became of the tests, in how many seconds, and which line of theirs says so."""

    verdict: str
    seconds: float
    line: str


def copy_tree(source: Path, target: Path) -> None:
    """Copies what a repository has, without its history and its environments.

    Files keep their times, so that the bytecode of files that aren't changed still counts.
    """
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_NOT_COPIED), symlinks=True)
    (target / ".sandbox").mkdir()
    for name in _SHARED:
        shared = (source / ".sandbox" / name).resolve()
        shared.mkdir(parents=True, exist_ok=True)
        (target / ".sandbox" / name).symlink_to(shared)


def try_mutant(tree: Path, mutant: Mutant, seconds: float = SECONDS) -> Outcome:
    """Returns what becomes of a mutant's tests in a copy, which is afterwards as it was before.

    Raises:
        StaleError: the mutant doesn't fit the copy.
    """
    file = tree / mutant.file
    text, times = file.read_text(), file.stat()
    file.write_text(mutant.applied(text))
    try:
        # Without bytecode: that of the mistake could be taken for the source's own.
        return run_tests(tree, ["-x", *mutant.tests], seconds, PYTHONDONTWRITEBYTECODE="1")
    finally:
        file.write_text(text)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def run_tests(tree: Path, arguments: Sequence[str], seconds: float, **variables: str) -> Outcome:
    """Returns what becomes of tests in a copy of the repository."""
    begun = monotonic()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", *arguments],
        cwd=tree,
        env={**environ, "COLUMNS": "400", **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return Outcome(TIMED_OUT, monotonic() - begun, f"not ended after {seconds:.0f} s")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return Outcome(*verdict(process.returncode, output, monotonic() - begun))


def verdict(status: int, output: str, seconds: float) -> tuple[str, float, str]:
    """Returns the verdict, the seconds and the line that tells most, for pytest's exit status and its output.

    A mutant is killed only by a test that ran and failed: a file that can't even be imported proves nothing of a test.
    """
    summary = output.rpartition("short test summary info")[2]  # before it, log lines may look like failures
    lines = [line for line in summary.splitlines() if line.strip()] or ["pytest printed nothing"]
    failures = [line for line in lines if re.match(r"(FAILED|ERROR):? ", line)]
    if status == 1 and failures:
        return KILLED, seconds, failures[0]
    if status == 0 and re.search(r"\b[0-9]+ passed\b", lines[-1]):
        return SURVIVED, seconds, lines[-1]
    return NOT_RUN, seconds, (failures or [lines[-1]])[0]
