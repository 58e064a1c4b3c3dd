"""Whether every package that an application asks for has a wheel for the image's Python: the build compiles nothing."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from check_app.finding import Finding
from sandbox import variables

SECONDS = 120
"""How long pip may take; the check is skipped if it takes longer."""

_PLATFORMS = {"x86_64": "x86_64", "arm64": "aarch64"}


def base_python(dockerfile: Path, base_image: str) -> str | None:
    """Return the Python of the base image, such as `3.15`, from its name; None if the name doesn't say."""
    default = re.search(r"^ARG BASE_IMAGE=(\S+)", dockerfile.read_text(), re.MULTILINE)
    found = re.search(r"(?:python|lambda/python)[:-](\d+\.\d+)", base_image or (default[1] if default else ""))
    return found[1] if found else None


def findings(requirements: Path, python: str, architecture: str) -> list[Finding]:
    """Ask the package index, by pip, whether the requirements can be installed without compiling; install nothing.

    Indirect requirements are included only if pip runs on the same Python: otherwise it would evaluate markers for
    its own Python.
    """
    with tempfile.TemporaryDirectory() as empty:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--dry-run"]
        command += [
            "--quiet",
            "--ignore-installed",
            "--only-binary",
            ":all:",
            "--target",
            empty,
            "--implementation",
            "cp",
        ]
        for tag in ("manylinux_2_28", "manylinux_2_17", "manylinux2014"):
            command += ["--platform", f"{tag}_{_PLATFORMS[architecture]}"]
        command += [] if python == f"{sys.version_info.major}.{sys.version_info.minor}" else ["--no-deps"]
        command += ["--python-version", python, "-r", str(requirements)]
        try:
            ended = subprocess.run(
                command, env=variables.downloading(), capture_output=True, text=True, errors="replace", timeout=SECONDS
            )
        except subprocess.TimeoutExpired:
            return []
    if ended.returncode == 0:
        return []
    missing = re.findall(r"No matching distribution found for ([^\s;(]+)", ended.stderr)
    if not missing:  # the index can't be reached, or a line isn't a requirement: the build reports it
        last = (ended.stderr.strip().splitlines() or ["pip failed"])[-1]
        return [
            Finding(
                file=str(requirements),
                what=f"pip can't tell whether there are wheels for Python {python}: {last.removeprefix('ERROR: ')}",
                instead="Check that a package index can be reached, and that each line is a requirement.",
            )
        ]
    lines = requirements.read_text().splitlines()
    name = re.split(r"[=<>~!\[]", missing[0])[0]
    line = next((place for place, text in enumerate(lines, 1) if text.lower().startswith(name.lower())), 0)
    return [
        Finding(
            file=str(requirements),
            line=line,
            what=f"{missing[0]} has no wheel for Python {python} on {architecture}, and the build compiles nothing",
            instead="Choose another version of it, or an older Python: --set baseImage=python:3.13-slim.",
            stops=True,
        )
    ]
