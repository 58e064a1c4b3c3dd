"""Why pip could not install a package: often it has no wheel for this Python, and has one for an older Python."""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

OLDEST = 11
"""The oldest minor version of Python 3 that the runtime supports."""

_SECONDS = 90.0  # for all requests to the package index together

# What pip prints about a package that it could not build, or not find for this Python.
_NOT_BUILT = (
    re.compile(r"Failed building wheel for ([\w.\-]+)"),
    re.compile(r"Failed to build '?([\w.\-]+)'? when"),
    re.compile(r"Failed to build ([\w.\-]+)$"),
    re.compile(r"Could not build wheels for ([\w.\-]+)"),
)
_FAILED = (
    *_NOT_BUILT,
    re.compile(r"No matching distribution found for ([\w.\-]+)"),
    re.compile(r"Package '?([\w.\-]+)'? requires a different Python"),
)
_COLLECTED = re.compile(r"\s*Collecting ([\w.\-]+)(?:\[[^\]]*\])?([<>=!~][^ ;(]*)?")
_BUILDING = re.compile(r"(?:Using cached|Downloading) (?:\S*/)?([\w.\-]+?)-(\d[^-\s]*?)\.(?:tar\.gz|zip|tar\.bz2)")


def explain(output: Sequence[str], python: Path, base: str) -> str:
    """Returns a sentence with the packages that have no wheel for this Python and what to do, or "".

    `base` is the base image of a build, or "" if this machine's own Python runs the function.
    """
    failed = _failed(output)
    if not failed:
        return ""
    minor = _minor(python)
    began = time.monotonic()
    for older in range(minor - 1, OLDEST - 1, -1):
        if time.monotonic() - began > _SECONDS:
            break
        if all(_has_wheel(package, older) for package in failed):
            return f"{_lacks(failed, minor)}: the newest Python that has one is 3.{older}, so {_remedy(base, older)}."
    if not any(pattern.search(line) for pattern in _NOT_BUILT for line in output):
        return ""  # the index doesn't have the package, or doesn't answer
    return (
        f"{_lacks(failed, minor)}, and its source can't be built here, as pip says above: take another version of it,"
        " or another package."
    )


def _lacks(packages: Sequence[str], minor: int) -> str:
    return f"{' and '.join(packages)} {'has' if len(packages) == 1 else 'have'} no wheel for Python 3.{minor}"


def _remedy(base: str, minor: int) -> str:
    if not base:
        python = f"python3.{minor}"
        return f"run the sandbox on that (make clean, then make PYTHON={python} sandbox), or start docker or podman"
    image = re.sub(r":3\.\d+(\.\d+)?", f":3.{minor}", base)
    named = f"to {image}" if image != base else f"to an image of Python 3.{minor}"
    return f"set baseImage {named}"


def _failed(output: Sequence[str]) -> list[str]:
    """Returns the packages on which pip failed, three at most, with the version if pip had chosen one."""
    versions: dict[str, str] = {}
    failed: list[str] = []
    for line in output:
        if found := _COLLECTED.match(line):
            versions.setdefault(_normal(found[1]), found[2] or "")
        if found := _BUILDING.search(line):
            versions[_normal(found[1])] = f"=={found[2]}"
        failed += [_normal(found[1]) for pattern in _FAILED if (found := pattern.search(line))]
    return [f"{name}{versions.get(name, '')}" for name in dict.fromkeys(failed)][:3]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _has_wheel(package: str, minor: int) -> bool:
    """Asks the package index through pip, and downloads only what that needs."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    command += ["--dry-run", "--no-deps", "--ignore-installed", "--only-binary", ":all:"]
    command += ["--python-version", f"3.{minor}"]
    with tempfile.TemporaryDirectory() as folder:
        try:
            asked = subprocess.run([*command, "--target", folder, package], capture_output=True, timeout=60)
        except subprocess.TimeoutExpired:
            return False
    return asked.returncode == 0


def _minor(python: Path) -> int:
    asked = subprocess.run(
        [str(python), "-c", "import sys; print(sys.version_info.minor)"], capture_output=True, text=True, check=True
    )
    return int(asked.stdout)
