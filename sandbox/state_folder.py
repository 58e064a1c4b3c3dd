"""The folder that a sandbox keeps everything in: it must be its own, since it empties it and closes it to others."""

import os
from pathlib import Path

from sandbox.errors import SandboxError

_MARK = "dualmode-sandbox"
_TEXT = "The sandbox made this folder, and may change or remove anything in it.\n"
# What tests and benchmarks keep in a sandbox's folder, and a sandbox leaves alone; they may be there before it.
_BEFORE = {"cache", "venvs", "benchmarks"}


def claim(folder: Path) -> None:
    """Make the folder, or make sure that a sandbox made it, and close it to other users.

    Raises:
        SandboxError: it belongs to another user, or has content that isn't a sandbox's; nothing is changed then.
    """
    if folder.is_symlink():
        raise _refusal(folder, "is a link")
    try:
        _check(folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)  # it holds an account's variables in plain text
        if not (folder / _MARK).exists():
            (folder / _MARK).write_text(_TEXT)
    except OSError as error:
        raise _refusal(folder, f"can't be used ({error.strerror})") from None


def _check(folder: Path) -> None:
    try:
        owner = folder.stat().st_uid
    except FileNotFoundError:
        return
    if not folder.is_dir():
        raise _refusal(folder, "is a file")
    if owner != os.geteuid():
        raise _refusal(folder, "belongs to another user")
    names = {entry.name for entry in folder.iterdir()}
    if not names <= _BEFORE and not _is_marked(folder):
        raise _refusal(folder, "has content that is not from a sandbox")


def _is_marked(folder: Path) -> bool:
    return (folder / _MARK).is_file() and not (folder / _MARK).is_symlink()


def _refusal(folder: Path, what: str) -> SandboxError:
    return SandboxError(
        f"{folder} {what}, but a sandbox uses only a folder that is new, empty or made by a sandbox: "
        "choose another with --state, or remove this one if an earlier version of the sandbox made it."
    )
