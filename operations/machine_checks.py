"""What `doctor` checks on this machine: Python, the pulumi command, the container engine, the disk."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from operations.findings import Finding

_OLDEST_PYTHON = (3, 11)
_DISK_BYTES = 5 * 1000**3
_COMMAND_SECONDS = 20


def check(folder: Path) -> Iterator[Finding]:
    """Check the machine for the repository in a folder."""
    yield _python()
    yield _packages()
    yield _pulumi(folder)
    yield _container_engine()
    yield _disk(folder)


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _OLDEST_PYTHON:
        remedy = "install Python 3.11 or newer, and run make PYTHON=/path/to/python3"
        return Finding(subject="Python", level="wrong", found=found, remedy=remedy)
    return Finding(subject="Python", level="good", found=found)


def _packages() -> Finding:
    try:
        import boto3
    except ImportError:
        remedy = "run `make sandbox` once, which installs the packages into .venv"
        return Finding(subject="packages", level="wrong", found="boto3 is not installed", remedy=remedy)
    return Finding(subject="packages", level="good", found=f"boto3 {boto3.__version__}")


def _pulumi(folder: Path) -> Finding:
    subject = "Pulumi"
    remedy = "install it (https://www.pulumi.com/docs/install/); the sandbox works without it"
    command = shutil.which("pulumi")
    if command is None:
        return Finding(subject=subject, level="wrong", found="the pulumi command is not on the PATH", remedy=remedy)
    status, said = _run(command, "version")
    version = re.search(r"(\d+)\.(\d+)\.(\d+)", said)
    if status != 0 or version is None:
        return Finding(subject=subject, level="wrong", found=f"`pulumi version` failed ({said})", remedy=remedy)
    required = required_pulumi(folder)
    if required and not satisfies(version[0], required):
        remedy = f"install a version {required}, which Pulumi.yaml asks for"
        return Finding(subject=subject, level="wrong", found=version[0], remedy=remedy)
    return Finding(subject=subject, level="good", found=version[0] + (f", {required} is required" if required else ""))


def required_pulumi(folder: Path) -> str:
    """Return the range of versions that the project asks for, or ""."""
    file = folder / "Pulumi.yaml"
    text = file.read_text() if file.is_file() else ""
    found = re.search(r"^requiredPulumiVersion: *[\"']?([^\"'\n#]+)", text, re.MULTILINE)
    return found[1].strip() if found else ""


def satisfies(version: str, required: str) -> bool:
    """Say whether a version is in a range of comparisons, such as ">=3.180.0" or ">=3.180.0 <4.0.0"."""
    given = _numbers(version)
    for operator, limit in re.findall(r"(>=|<=|>|<|=)? *v?(\d+(?:\.\d+)*)", required):
        wanted = _numbers(limit)
        holds = {">=": given >= wanted, "<=": given <= wanted, ">": given > wanted, "<": given < wanted}
        if not holds.get(operator, given == wanted):
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in version.split(".")]
    return tuple(numbers + [0] * (3 - len(numbers)))


def _container_engine() -> Finding:
    subject = "container engine"
    there = [name for name in ("docker", "podman") if shutil.which(name)]
    for name in there:
        status, said = _run(name, "info", "--format", "{{.Host.Arch}}" if name == "podman" else "{{.Architecture}}")
        if status == 0:
            return Finding(subject=subject, level="good", found=f"{name} answers ({said})")
    found = f"{there[0]} does not answer" if there else "neither docker nor podman is on the PATH"
    remedy = "`pulumi up` builds the image with it: start or install Docker; the sandbox works without it"
    return Finding(subject=subject, level="wrong", found=found, remedy=remedy)


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    found = f"{free / 1000**3:.1f} GB free"
    if free < _DISK_BYTES:
        remedy = "an image's build needs about 5 GB: free some, as with `docker system prune`"
        return Finding(subject="disk", level="wrong", found=found, remedy=remedy)
    return Finding(subject="disk", level="good", found=found)


def _run(*words: str) -> tuple[int, str]:
    """The exit status of a command, and the last line that it printed."""
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, str(error)
    lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
    return done.returncode, lines[-1].strip() if lines else ""
