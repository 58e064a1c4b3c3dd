"""Removes what a state folder no longer needs: images that no function version refers to, unused environments."""

import contextlib
import fcntl
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Collection
from pathlib import Path

from sandbox import variables
from walk.account import Account
from walk.queries import every

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_UNUSED_SECONDS = 7 * 86_400  # of an environment: another application of the day before may come back
_ENGINE_SECONDS = 60


def referred(account: Account, state: Path) -> set[str] | None:
    """The digests of all images that versions of functions run; or None if that isn't certain.

    Those of other regions are in the state that the account had when the last run ended.
    """
    saved = state / "aws" / "lambda.json"
    found = set(_DIGEST.findall(saved.read_text())) if saved.exists() else set()
    functions = account.client("lambda")
    for function in every(functions, "list_functions", "Functions"):
        name = function["FunctionName"]
        for version in every(functions, "list_versions_by_function", "Versions", FunctionName=name):
            code = functions.get_function(FunctionName=name, Qualifier=version["Version"])["Code"]
            digests = _DIGEST.findall(json.dumps(code))
            if not digests and version.get("PackageType") == "Image":
                return None  # by a tag, which may have moved since
            found.update(digests)
    return found


def remove_images(state: Path, kept: Collection[str]) -> int:
    """Remove images without one of these digests, also from a container engine; return how many."""
    removed = _remove(state, lambda digest: digest not in kept)
    for partial in (state / "images").glob(".new-*"):  # of a run that was killed: no other one uses this folder now
        shutil.rmtree(partial, ignore_errors=True)
    return removed


def remove_image(state: Path, digest: str) -> None:
    """Remove the image of that digest, also from a container engine."""
    _remove(state, lambda found: found == digest)


def _remove(state: Path, unused: Callable[[str], bool]) -> int:
    folder, removed = state / "images", 0
    for context in sorted((folder / "contexts").glob("*")):
        record = _record(context)
        if not unused(record.get("digest", "")):
            continue
        if "tag" in record:
            # By the name that this folder's build gave it: an image that another folder named too keeps that name.
            _run([record["engine"], "rmi", record["tag"]])
        shutil.rmtree(context, ignore_errors=True)
    for image in sorted(folder.glob("[0-9a-f]*")):
        if len(image.name) == 64 and unused(f"sha256:{image.name}"):
            shutil.rmtree(image, ignore_errors=True)
            removed += 1
    return removed


def remove_venvs(venvs: Path) -> int:
    """Remove environments that were not used for a week; return how many.

    A folder that is a link belongs to something else.
    """
    removed = 0
    if venvs.is_symlink():
        return 0
    for complete in venvs.glob("*/complete"):
        folder = complete.parent
        if time.time() - complete.stat().st_mtime < _UNUSED_SECONDS:
            continue
        with (venvs / f"{folder.name}.lock").open("w") as lock, contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
            (venvs / f"{folder.name}.lock").unlink(missing_ok=True)
            removed += 1
    return removed


def in_words(images: int, venvs: int) -> str:
    """The sentence that says how many images and environments were removed."""
    counts = {"image": images, "environment": venvs}
    removed = " and ".join(f"{count} {thing}{'s' * (count > 1)}" for thing, count in counts.items() if count)
    return f"Removed what nothing refers to any more: {removed}"


def _record(folder: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads((folder / "image.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def _run(command: list[str]) -> None:
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(command, env=variables.running(), capture_output=True, timeout=_ENGINE_SECONDS)
