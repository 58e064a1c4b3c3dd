"""The disk of a function that runs as a process: like Lambda's, if the kernel allows it one of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from sandbox import variables

# Source: Lambda quotas, the size of /tmp where nothing else is configured.
_TMP_MB = 512

_HERE = Path(__file__).parent
_LAUNCHER = _HERE / "lambda_disk.py"
_HOOK = _HERE / "disk_hook"


def on_lambdas_disk(
    command: Sequence[str], *, task: Path, folders: Sequence[Path], storage: int = _TMP_MB
) -> list[str]:
    """The command that runs `command` on a disk that is read-only except for its own /tmp.

    If the kernel doesn't allow it, the command itself: the files of `task` are then made read-only. `folders` hold
    what it needs, in any place; `storage` is the size of /tmp in MB.
    """
    if not _has_own_disk():
        for file in task.rglob("*"):
            if file.is_file() and not file.is_symlink():
                file.chmod(file.stat().st_mode & ~0o222)
        return list(command)
    keep = [str(folder) for folder in (task, *folders, Path(sys.base_prefix), _HERE)]
    return [*_launcher("run", storage), *keep, "--", *command]


def environment(own: str) -> dict[str, str]:
    """The variables that make the function report refused writes; `own` is its own PYTHONPATH."""
    found = {"PYTHONPATH": os.pathsep.join(part for part in (own, str(_HOOK)) if part)}
    return found if _has_own_disk() else {**found, "DUALMODE_DISK": "refuse"}


def environment_of_container(own: str) -> tuple[list[str], dict[str, str]]:
    """The engine's options and the variables that make a container's function report refused writes.

    The folder is only given to the container, not put into the image. `own` is the function's own PYTHONPATH.
    """
    place = "/opt/dualmode-sandbox"
    path = os.pathsep.join(part for part in (own, place) if part)
    return ["--volume", f"{_HOOK}:{place}:ro"], {"PYTHONPATH": path}


def _launcher(mode: str, storage: int) -> list[str]:
    return [sys.executable, "-I", "-S", str(_LAUNCHER), mode, str(storage)]


@cache
def _has_own_disk() -> bool:
    try:
        tried = subprocess.run(
            [*_launcher("try", _TMP_MB), "--"],
            cwd="/",
            env=variables.ordinary(),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0
