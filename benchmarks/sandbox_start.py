"""`python -m benchmarks.sandbox_start`: seconds from the start of a sandbox to its first answer, where nothing changed.

With `--beside FOLDER` another checkout is measured in turn, so that both have the same share of the machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from benchmarks import hello

_ROOT = Path(__file__).parents[1]
_COMMAND = ["--request", f"GET {hello.PATH}", "--json", "--state"]


def main() -> None:
    """Measure, and print one line for each checkout and way to deploy."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sandbox_start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how many starts of each, after the first one")
    parser.add_argument("--beside", type=Path, help="another checkout, with an environment in .venv")
    options = parser.parse_args()
    folders = [_ROOT, *([options.beside.resolve()] if options.beside else [])]
    ways = {"the engine": dict(os.environ), "mocks": {**os.environ, "PATH": _without_pulumi()}}
    with tempfile.TemporaryDirectory(prefix="dualmode-bench-") as states:
        runs = {
            (way, folder): (Path(states) / f"{place}-{way.split()[-1]}", environment)
            for way, environment in ways.items()
            for place, folder in enumerate(folders)
        }
        for (_, folder), (state, environment) in runs.items():  # the first start makes what the others only read
            _first_answer(folder, state, environment)
        taken: dict[tuple[str, Path], list[tuple[float, float]]] = {key: [] for key in runs}
        for _ in range(options.rounds):
            for key, (state, environment) in runs.items():
                taken[key].append(_first_answer(key[1], state, environment))
    for (way, folder), each in taken.items():
        seconds, processor = (median(part) for part in zip(*each, strict=True))
        fastest = min(each)[0]
        print(f"{way:12}{seconds:6.2f} s to the first answer (fastest {fastest:.2f}), ", end="")
        print(f"{processor:.2f} s of processor time to the end, in {folder}")


def _first_answer(folder: Path, state: Path, environment: Mapping[str, str]) -> tuple[float, float]:
    """Start a sandbox for one request: seconds until its answer, and of processor time until its end."""
    command = [str(folder / ".venv" / "bin" / "python"), "-m", "sandbox", *_COMMAND, str(state)]
    before = os.times()
    began = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**environment, "DUALMODE_ENGINE": "none"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        answered = process.stdout.readline() if process.stdout else ""
        seconds = time.perf_counter() - began
        _, said = process.communicate()
    if '"status": 200' not in answered:
        sys.exit(f"The sandbox of {folder} did not answer:\n{said}{answered}")
    after = os.times()
    return seconds, after.children_user + after.children_system - before.children_user - before.children_system


def _without_pulumi() -> str:
    """The PATH without the folders that have a `pulumi` command."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if not (Path(folder) / "pulumi").exists())


if __name__ == "__main__":
    main()
