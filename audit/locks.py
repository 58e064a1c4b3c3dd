"""The locks of this repository: one requirements file with hashes for each part."""

import re
from collections.abc import Iterable
from pathlib import Path

IMAGE = "dualmode/requirements.txt"
"""The lock of what the image has beside the application's own packages."""
TOOLCHAIN = ("requirements.txt", "sandbox/requirements.txt", "tests/requirements.txt", "benchmarks/requirements.txt")
OWN = ("audit/requirements.txt", "audit/checkov/requirements.txt")

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def present(project: Path, locks: Iterable[str]) -> list[Path]:
    """Return those of the locks that a repository has: one made by `make new` has no tests."""
    return [project / lock for lock in locks if (project / lock).is_file()]


def pinned(lock: Path) -> dict[str, str]:
    """Return the versions of a lock by the packages' normal names; the last one, where it depends on the Python."""
    return {normal(name): version for name, version in _PIN.findall(lock.read_text())}


def normal(name: str) -> str:
    """Return a package's name as it is compared. Source: "Names and normalization", Python Packaging User Guide."""
    return re.sub(r"[-_.]+", "-", name).lower()
