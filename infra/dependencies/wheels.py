"""Why pip could not install a package: often it has no wheel for this Python, and has one for an older Python."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

OLDEST = 11
"""The oldest minor version of Python 3 that the runtime supports."""

_GLIBC = 34  # the oldest of the usual bases: Lambda's own, on Amazon Linux 2023

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
    re.compile(r"No matching distribution found for ([\w.\-]+)(?:\[[^\]]*\])?([<>=!~][^ ;(]*)?"),
    re.compile(r"Package '?([\w.\-]+)'? requires a different Python"),
)
_COLLECTED = re.compile(r"\s*Collecting ([\w.\-]+)(?:\[[^\]]*\])?([<>=!~][^ ;(]*)?")
_BUILDING = re.compile(r"(?:Using cached|Downloading) (?:\S*/)?([\w.\-]+?)-(\d[^-\s]*?)\.(?:tar\.gz|zip|tar\.bz2)")


def explain(output: Sequence[str], python: Path, base: str) -> str:
    """Returns a sentence with the packages that have no wheel for this Python and what to do, or "".

    `base` is the base image of a build, or "" if this machine's own Python runs the function.
    """
    stuck = failed(output)
    if not stuck:
        return ""
    minor = _minor(python)
    older = newest_older(stuck, minor)
    if older:
        return f"{_lacks(stuck, minor)}: the newest Python that has one is 3.{older}, so {_remedy(base, older)}."
    if not any(pattern.search(line) for pattern in _NOT_BUILT for line in output):
        return ""  # the index doesn't have the package, or doesn't answer
    return (
        f"{_lacks(stuck, minor)}, nor for an older one that the runtime supports, and its source can't be built here,"
        " as pip says above: take another version of it, or another package."
    )


def newest_older(
    packages: Sequence[str], minor: int, machine: str = "", environ: Mapping[str, str] = os.environ
) -> int:
    """Returns the minor version of the newest older Python for which all packages have a wheel, 0 if there is none.

    `machine` is a processor as Linux names it, "" for this machine's.
    """
    began = time.monotonic()
    for older in range(minor - 1, OLDEST - 1, -1):
        if time.monotonic() - began > _SECONDS:
            break
        if all(has_wheel(package, older, machine, environ) for package in packages):
            return older
    return 0


def for_python(minor: int, machine: str = "") -> list[str]:
    """Returns pip's arguments for the wheels of another Python 3, and of another processor where one is named."""
    arguments = ["--only-binary", ":all:", "--python-version", f"3.{minor}"]
    if machine:
        arguments += ["--implementation", "cp"]
        for glibc in range(_GLIBC, 4, -1):
            arguments += ["--platform", f"manylinux_2_{glibc}_{machine}"]
        arguments += ["--platform", f"manylinux2014_{machine}"]  # which stands for the older names as well
    return arguments


def on_base(base: str, minor: int) -> str:
    """Returns the words for a build on another Python: `set baseImage to …`."""
    image = re.sub(r":3\.\d+(\.\d+)?", f":3.{minor}", base)
    return f"set baseImage to {image if image != base else f'an image of Python 3.{minor}'}"


def _lacks(packages: Sequence[str], minor: int) -> str:
    return f"{' and '.join(packages)} {'has' if len(packages) == 1 else 'have'} no wheel for Python 3.{minor}"


def _remedy(base: str, minor: int) -> str:
    if not base:
        python = f"python3.{minor}"
        return f"run the sandbox on that (make clean, then make PYTHON={python} sandbox), or start docker or podman"
    return on_base(base, minor)


def failed(output: Sequence[str]) -> list[str]:
    """Returns the packages on which pip failed, three at most, with the version if pip had chosen one."""
    versions: dict[str, str] = {}
    names: list[str] = []
    for line in output:
        if found := _COLLECTED.match(line):
            versions.setdefault(_normal(found[1]), found[2] or "")
        if found := _BUILDING.search(line):
            versions[_normal(found[1])] = f"=={found[2]}"
        for found in filter(None, (pattern.search(line) for pattern in _FAILED)):
            names.append(_normal(found[1]))
            if found.lastindex == 2:
                versions.setdefault(_normal(found[1]), found[2])
    return [f"{name}{versions.get(name, '')}" for name in dict.fromkeys(names)][:3]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def has_wheel(package: str, minor: int, machine: str, environ: Mapping[str, str]) -> bool:
    """Says whether there is a wheel for a Python 3: asks the package index through pip."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    command += ["--dry-run", "--no-deps", "--ignore-installed", *for_python(minor, machine)]
    with tempfile.TemporaryDirectory() as folder:
        try:
            asked = subprocess.run(
                [*command, "--target", folder, package], env=environ, capture_output=True, timeout=60
            )
        except subprocess.TimeoutExpired:
            return False
    return asked.returncode == 0


def _minor(python: Path) -> int:
    asked = subprocess.run(
        [str(python), "-c", "import sys; print(sys.version_info.minor)"], capture_output=True, text=True, check=True
    )
    return int(asked.stdout)
