"""Virtual environments for functions that run as processes: what the Dockerfile installs into /opt/venv."""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from sandbox import long_command, variables
from sandbox.errors import SandboxError

_SHOWN_LINES = 15


class Venvs:
    """Makes environments from requirements files, and keeps them by the files' content."""

    def __init__(self, folder: Path, progress: Callable[[str], None]) -> None:
        self._folder = folder
        self._progress = progress

    def python(self, locks: Sequence[Path], requirements: Sequence[Path]) -> Path:
        """The Python that has what these files ask for, hash-checked by the locks; made the first time.

        Raises:
            SandboxError: they can't be installed.
        """
        wanted = [(file, file.read_bytes(), True) for file in locks]
        wanted += [(file, file.read_bytes(), False) for file in requirements if file.exists()]
        folder = self._folder / _fingerprint([text for _, text, _ in wanted])
        python, complete = folder / "bin" / "python", folder / "complete"
        if complete.exists():
            return python
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # tests and a sandbox may want the same one at the same time
            if not complete.exists():
                self._make(folder, [(file, hashed) for file, _, hashed in wanted])
                complete.touch()
        return python

    def _make(self, folder: Path, requirements: list[tuple[Path, bool]]) -> None:
        self._progress("Installing what the function needs (once, it is kept) ...")
        shutil.rmtree(folder, ignore_errors=True)
        made = subprocess.run(
            [sys.executable, "-m", "venv", "--without-pip", str(folder)],
            env=variables.ordinary(),
            capture_output=True,
            text=True,
        )
        if made.returncode != 0:
            raise SandboxError(f"python -m venv failed for {folder}: {made.stderr.strip()[-300:]}")
        for file, locked in requirements:
            self._install(folder, file, locked=locked)

    def _install(self, folder: Path, requirements: Path, *, locked: bool) -> None:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
        command += ["--python", str(folder / "bin" / "python"), "install", "--progress-bar", "off"]
        command += ["--require-hashes"] if locked else []

        def told(line: str) -> None:
            if line.startswith("Collecting "):
                self._progress(f"  {line.split('(')[0].strip()}")

        status, lines = long_command.run(
            [*command, "-r", str(requirements)], environment=variables.downloading(), told=told
        )
        if status != 0:
            shown = "\n".join(f"  | {line}" for line in lines[-_SHOWN_LINES:])
            raise SandboxError(
                f"{shown}\nThe packages of {requirements.name} could not be installed: "
                "is a package index reachable, and do the requirements fit this Python?"
            )


def process_environment(python: Path) -> dict[str, str]:
    """The environment of the image, for a process outside of it: nothing of the user's own leaks in."""
    return {
        **variables.DETACHED,
        "PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/tmp",  # noqa: S108  as in the image
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }


def _fingerprint(texts: list[bytes]) -> str:
    digest = hashlib.sha256()
    for part in (*texts, sys.version.encode(), os.fsencode(sys.base_prefix), platform.machine().encode()):
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.hexdigest()[:16]
