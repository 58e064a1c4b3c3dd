"""Virtual environments for functions that run as processes: what the Dockerfile installs into /opt/venv."""

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import long_command, variables
from sandbox.errors import SandboxError
from sandbox.function_log import placed
from sandbox.runner.build_output import sentence_of, shown

_PLAN = "plan.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """What an image's environment is made of, in folders and files of that image."""

    lock: Path
    """The runtime's own requirements, each with its hashes."""
    installer: Path
    """The folder that the package `infra.dependencies` lies in, as at the build."""
    declared: Path
    """What declares the application's dependencies, as that package has copied it."""
    application: Path
    """The application's own folder."""

    @property
    def plan(self) -> dict[str, Any]:
        """How the dependencies are installed, without the application's name."""
        plan: dict[str, Any] = json.loads((self.declared / _PLAN).read_text())
        return {name: value for name, value in plan.items() if name != "name"}


class Venvs:
    """Makes environments of what applications declare, and keeps them by the content of these."""

    def __init__(self, folder: Path, progress: Callable[[str], None]) -> None:
        self._folder = folder
        self._progress = progress

    def python(self, needed: Needed) -> Path:
        """Return the Python of the environment; made the first time.

        Raises:
            SandboxError: it can't be installed.
        """
        folder = self._made([needed.lock.read_bytes()], None, lambda folder: self._install_runtime(folder, needed))
        if needed.plan["source"]:
            plan = json.dumps(needed.plan, sort_keys=True).encode()
            parts = [os.fsencode(folder.name), plan, *_contents(needed.declared, but=_PLAN)]
            folder = self._made(parts, folder, lambda folder: self._install(folder, needed))
        if needed.plan["project"]:
            parts = [os.fsencode(folder.name), *_contents(needed.application)]
            folder = self._made(parts, folder, lambda folder: self._install_project(folder, needed))
        return folder / "bin" / "python"

    def _made(self, parts: Sequence[bytes], base: Path | None, install: Callable[[Path], None]) -> Path:
        """The environment with that fingerprint, made once, from `base` if there is one."""
        folder = self._folder / _fingerprint(parts)
        with self._making(folder) as wanted:
            if wanted:
                if base is None:
                    _make(folder)
                else:
                    _clone(base, folder)
                install(folder)
        return folder

    @contextlib.contextmanager
    def _making(self, folder: Path) -> Iterator[bool]:
        """Whether the environment in that folder has to be made, with a lock against others."""
        complete = folder / "complete"
        if complete.exists():
            complete.touch()  # when it was last used, to find unused ones
            yield False
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # tests and a sandbox may want the same one at the same time
            if complete.exists():
                yield False
                return
            shutil.rmtree(folder, ignore_errors=True)
            yield True
            complete.touch()

    def _install_runtime(self, folder: Path, needed: Needed) -> None:
        self._progress("Installing what every function needs (once, it is kept) ...")
        python = folder / "bin" / "python"
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--python", str(python)]
        self._run([*pip, "install", "--progress-bar", "off", "--require-hashes", "-r", str(needed.lock)])

    def _install(self, folder: Path, needed: Needed) -> None:
        self._progress("Installing what the application needs (once, it is kept) ...")
        self._run(_installer("install", needed.declared, folder / "bin" / "python"), needed.installer)

    def _install_project(self, folder: Path, needed: Needed) -> None:
        self._progress("Installing the application's own packages ...")
        application = folder / "application"
        shutil.copytree(needed.application, application, symlinks=True)
        step = _installer("install-project", application, needed.declared, folder / "bin" / "python")
        self._run(step, needed.installer)

    def _run(self, command: Sequence[str], installer: Path | None = None) -> None:
        def told(line: str) -> None:
            if line.startswith("Collecting "):
                self._progress(f"  {line.split('(')[0].strip()}")

        passed = variables.downloading() | ({"PYTHONPATH": str(installer)} if installer else {})
        status, output = long_command.run(command, variables=passed, told=told)
        lines = [placed(line) for line in output]
        if status != 0:
            sentence = sentence_of(lines) or (
                "The runtime's own packages can't be installed, as above: check that a package index can be reached."
            )
            raise SandboxError(f"{shown(lines)}\n{sentence}")


def _make(folder: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(folder)],
        env=variables.ordinary(),
        capture_output=True,
        text=True,
    )
    if made.returncode != 0:
        raise SandboxError(f"python -m venv failed for {folder}: {made.stderr.strip()[-300:]}")


def _clone(base: Path, folder: Path) -> None:
    """Make an environment with what another one has: the same files; pip replaces those that it changes."""
    shutil.copytree(base, folder, symlinks=True, copy_function=os.link, ignore=shutil.ignore_patterns("complete"))
    for script in (folder / "bin").iterdir():  # they contain the path of their environment
        content = b"" if script.is_symlink() else script.read_bytes()
        if os.fsencode(base) in content:
            mode = script.stat().st_mode
            script.unlink()
            script.write_bytes(content.replace(os.fsencode(base), os.fsencode(folder)))
            script.chmod(mode)


def _installer(step: str, *arguments: Path) -> list[str]:
    return [sys.executable, "-m", "infra.dependencies", step, *map(str, arguments)]


def process_environment(python: Path) -> dict[str, str]:
    """The environment of the image, for a process outside of it: nothing of the user's own leaks in."""
    return {
        **variables.DETACHED,
        "PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/tmp",  # noqa: S108  as in the image
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }


def _contents(folder: Path, *, but: str = "") -> Iterator[bytes]:
    """The names and contents of all files below a folder, in one order everywhere."""
    for path in sorted(folder.rglob("*")):
        if path.name == but or "__pycache__" in path.parts or not (path.is_symlink() or path.is_file()):
            continue
        yield os.fsencode(path.relative_to(folder))
        yield os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()


def _fingerprint(parts: Sequence[bytes]) -> str:
    digest = hashlib.sha256()
    for part in (*parts, sys.version.encode(), os.fsencode(sys.base_prefix), platform.machine().encode()):
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.hexdigest()[:16]
