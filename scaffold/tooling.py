"""The files of dualmode that a deployment repository has, and their digests, to detect edits."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from scaffold.errors import ScaffoldError

MANIFEST = ".dualmode.json"

_PLACES: Mapping[str, str] = {
    **{
        name: name
        for name in (
            *(
                "__main__.py",
                "Makefile",
                "sandbox.sh",
                "requirements.txt",
                "Pulumi.yaml",
                ".dockerignore",
                ".gitignore",
            ),
            *("audit", "check_app", "deployer", "docs", "dualmode", "infra", "operations", "sandbox", "scaffold"),
            *("scripts", "walk", ".github/workflows/deploy.yml", ".github/workflows/preview.yml"),
        )
    },
    "README.md": "DUALMODE.md",
    "LICENSE": "LICENSE.dualmode",
}
"""Each file or folder that is copied, and its name in the other repository."""

_NOT_THERE = ("test", "check", "lint", "format", "locks", "mutants", "interruptions", "bench-runtime")
"""Targets of the Makefile for work on dualmode itself: what they need is not copied."""

TAKEN = frozenset(place.partition("/")[0] for place in _PLACES.values())
"""Names at the top of a deployment repository that an application can't have."""


@dataclass(frozen=True, slots=True)
class ToolingFile:
    """A file as it is put into a deployment repository."""

    content: bytes
    program: bool

    @property
    def digest(self) -> str:
        """SHA-256 of the content, in hexadecimal."""
        return digest(self.content)


def read_tooling(source: Path, project: str) -> dict[str, ToolingFile]:
    """Return the tooling in a checkout of dualmode, by its path in a repository whose Pulumi project has that name.

    Raises:
        ScaffoldError: the folder is not a checkout of dualmode.
    """
    missing = [name for name in _PLACES if not (source / name).exists()]
    if missing:
        raise ScaffoldError(
            f"{source} is not a checkout of dualmode, since it has no {missing[0]}: set FROM to the folder of one."
        )
    found = {}
    for name, place in _PLACES.items():
        for path in _files(source / name):
            target = place if path == source / name else f"{place}/{path.relative_to(source / name).as_posix()}"
            content = _adapted(target, path.read_bytes(), project)
            found[target] = ToolingFile(content, program=bool(path.stat().st_mode & 0o100))
    return found


def put(repository: Path, path: str, file: ToolingFile) -> None:
    """Write a tooling file."""
    target = repository / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(file.content)
    target.chmod(0o755 if file.program else 0o644)


def read_manifest(repository: Path) -> dict[str, str]:
    """Return the digest of each tooling file as it was put into a repository.

    Raises:
        ScaffoldError: `make new` didn't make the repository.
    """
    try:
        files = json.loads((repository / MANIFEST).read_text())["files"]
    except (OSError, ValueError, KeyError):
        raise ScaffoldError(
            f"{repository / MANIFEST} is missing or unreadable: only a repository that `make new` made can be upgraded."
        ) from None
    return {str(path): str(known) for path, known in files.items()}


def write_manifest(repository: Path, files: Mapping[str, str]) -> None:
    """Save the digests of the tooling as it was written."""
    text = json.dumps({"files": dict(sorted(files.items()))}, indent=1)
    (repository / MANIFEST).write_text(f"{text}\n")


def digest(content: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def project_name(repository: Path) -> str:
    """Return the name of the Pulumi project in a repository.

    Raises:
        ScaffoldError: there is none.
    """
    file = repository / "Pulumi.yaml"
    found = re.search(r"^name: *(\S+)", file.read_text() if file.exists() else "", re.MULTILINE)
    if found is None:
        raise ScaffoldError(f"{file} has no project name: run this in a repository that `make new` made.")
    return found[1]


def _adapted(target: str, content: bytes, project: str) -> bytes:
    if target == "Pulumi.yaml":
        return re.sub(rb"^name: .*$", f"name: {project}".encode(), content, count=1, flags=re.MULTILINE)
    if target == "Makefile":
        paragraphs = content.decode().split("\n\n")
        kept = [part for part in paragraphs if not part.startswith(tuple(f"{name}:" for name in _NOT_THERE))]
        return "\n\n".join(kept).encode()
    return content


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for below in sorted(path.rglob("*")):
        parts = below.relative_to(path).parts
        if below.is_file() and not any(part.startswith((".", "__pycache__")) for part in parts):
            yield below
