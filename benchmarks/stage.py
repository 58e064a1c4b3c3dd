"""Puts on disk, for one interpreter, what an image would hold: an environment, the runtime and the application."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import contenders

REPOSITORY = Path(__file__).parents[1]
LOCK = REPOSITORY / "benchmarks" / "requirements.txt"


class StageError(Exception):
    """The stage can't be made; one sentence says why."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Where things are; the names are the image's (/opt/venv, /opt/dualmode, /var/task)."""

    folder: Path
    web_adapter: Path | None

    @property
    def venv(self) -> Path:
        """The packages of all contenders."""
        return self.folder / "venv"

    @property
    def root(self) -> Path:
        """The runtime: dualmode/, and scripts/ with its entrypoint."""
        return self.folder / "root"

    @property
    def bundle(self) -> Path:
        """The modules of a start in one file, where the runtime looks for it."""
        return self.root / "start" / "modules"

    @property
    def task(self) -> Path:
        """The application and the handler's module of each contender; the working directory."""
        return self.folder / "task"


@contextmanager
def reserved(folder: Path, progress: Callable[[str], None]) -> Iterator[None]:
    """Keeps a stage to one run at a time: each run makes it anew."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"waiting for another run under Python {platform.python_version()}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def prepare(folder: Path, web_adapter: Path | None, progress: Callable[[str], None]) -> Stage:
    """Returns the stage of the interpreter that runs this, made where it is missing or out of date.

    Raises:
        StageError: the packages can't be installed.
    """
    stage = Stage(folder=folder, web_adapter=web_adapter)
    made_of = {"python": sys.version, "prefix": sys.prefix, "lock": hashlib.sha256(LOCK.read_bytes()).hexdigest()}
    marker = folder / "made-of.json"
    if not marker.exists() or json.loads(marker.read_text()) != made_of:
        progress(f"installing {LOCK.relative_to(REPOSITORY)} for Python {platform.python_version()} (once)")
        _install(stage)
        marker.write_text(json.dumps(made_of))
    _copy(stage)
    _bundle(stage)
    return stage


def _install(stage: Stage) -> None:
    shutil.rmtree(stage.folder, ignore_errors=True)
    stage.folder.mkdir(parents=True)
    pip = stage.folder / "pip"
    commands = [
        # As in the image: pip is elsewhere, and every module is compiled with a hash that isn't checked.
        [sys.executable, "-m", "venv", str(pip)],
        [sys.executable, "-m", "venv", "--without-pip", str(stage.venv)],
        [
            *(str(pip / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"),
            *("--python", str(stage.venv / "bin" / "python")),
            *("install", "--quiet", "--no-compile", "--require-hashes", "-r", str(LOCK)),
        ],
        [str(stage.venv / "bin" / "python"), *_COMPILE, str(stage.venv / "lib")],
    ]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = " ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-3:])
            raise StageError(f"The environment for Python {platform.python_version()} can't be made: {last}")


_COMPILE = ("-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash")


def _copy(stage: Stage) -> None:
    """Copy the runtime and the application as they are now, and compile them."""
    for folder in (stage.root, stage.task):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    ignore = shutil.ignore_patterns("__pycache__")
    for part in ("scripts", "dualmode"):
        shutil.copytree(REPOSITORY / part, stage.root / part, ignore=ignore)
    # A user's application, and beside it the code that each contender needs.
    shutil.copy(REPOSITORY / "scripts" / "server.py", stage.task)
    for contender in contenders.ALL:
        if contender.source:
            (stage.task / f"{contender.module}.py").write_text(contender.source)
    subprocess.run(
        [str(stage.venv / "bin" / "python"), *_COMPILE, str(stage.root), str(stage.task)],
        check=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
    )


def _bundle(stage: Stage) -> None:
    """Make the bundle of modules, as the image's build does."""
    stage.bundle.parent.mkdir()
    variables = {"PYTHONPATH": f"{stage.root}:{stage.task}", "FLASK_APP": "server:app", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(stage.venv / "bin" / "python"), "-P", "-m", "dualmode.bundle_maker"]
    done = subprocess.run(
        command, cwd=stage.task, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StageError(f"The bundle can't be made: {' '.join(done.stderr.strip().splitlines()[-3:])}")
