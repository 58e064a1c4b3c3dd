"""A build context, read as a container engine reads it: what .dockerignore allows, and a digest of exactly that."""

import hashlib
import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sandbox.errors import SandboxError


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """The files, links and empty folders that a build may copy, by their path in the context, sorted."""

    root: Path
    paths: tuple[str, ...]
    """Files and links."""
    empty: tuple[str, ...]
    """Folders without any of these: a build makes them, too."""
    dockerfile: bytes

    def digest(self, arguments: Mapping[str, str]) -> str:
        """SHA-256 over names, contents, link targets and executable bits, the Dockerfile and the build's arguments.

        Times, owners and the order in which a file system lists don't count: a fresh clone has the same digest.
        """
        digest = hashlib.sha256()
        for name, value in sorted(arguments.items()):
            _feed(digest, b"argument", name.encode(), value.encode())
        _feed(digest, b"dockerfile", self.dockerfile)
        for path in self.paths:
            file = self.root / path
            if file.is_symlink():
                _feed(digest, b"link", path.encode(), os.fsencode(file.readlink()))
            else:
                _feed(digest, _kind(file), path.encode(), file.read_bytes())
        for path in self.empty:
            _feed(digest, b"folder", path.encode())
        return digest.hexdigest()

    def copy(self, source: str, target: Path) -> None:
        """Copy a file, or what lies under a folder, of the context into `target`, as the Dockerfile's `COPY` does.

        Raises:
            SandboxError: the context has no such file or folder.
        """
        prefix = "" if source in ("", ".") else f"{source.strip('/')}/"
        found = [path for path in self.paths if path.startswith(prefix)]
        if source in self.paths:
            found, prefix = [source], source.rpartition("/")[0] + "/"
        if not found:
            raise SandboxError(
                f"The build context {self.root} has no folder {source}, or .dockerignore leaves all of it out."
            )
        for path in self.empty:
            if path.startswith(prefix):
                (target / path.removeprefix(prefix)).mkdir(parents=True, exist_ok=True)
        for path in found:
            original, copy = self.root / path, target / path.removeprefix(prefix)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(original, copy, follow_symlinks=False)
            if not copy.is_symlink():
                copy.chmod(0o755 if _kind(original) == b"program" else 0o644)


def read_context(root: Path, dockerfile: Path) -> BuildContext:
    """Read the context below `root`; the Dockerfile is always included.

    Raises:
        SandboxError: the folder or the Dockerfile doesn't exist.
    """
    from docker.utils.build import PatternMatcher  # its own import takes as long as the rest of a start

    if not root.is_dir():
        raise SandboxError(f"The build context {root} is not a folder.")
    if not dockerfile.is_file():
        raise SandboxError(f"The Dockerfile {dockerfile} doesn't exist.")
    beside = dockerfile.with_name(f"{dockerfile.name}.dockerignore")
    ignore = beside if beside.exists() else root / ".dockerignore"
    lines = ignore.read_text().splitlines() if ignore.exists() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    found = sorted(PatternMatcher(patterns).walk(str(root)))
    paths = [path for path in found if (root / path).is_symlink() or (root / path).is_file()]
    paths = [path for path in paths if path not in (".dockerignore", "Dockerfile.dockerignore")]
    filled = {str(parent) for path in found for parent in PurePosixPath(path).parents}
    empty = [path for path in found if path not in filled and (root / path).is_dir() and not (root / path).is_symlink()]
    return BuildContext(root=root, paths=tuple(paths), empty=tuple(empty), dockerfile=dockerfile.read_bytes())


def left_out(context: BuildContext, folder: str) -> str:
    """The sentence that says which file of variables in an application's folder no image gets, or ""."""
    found = sorted(path.name for path in (context.root / folder).glob(".env*") if path.is_file())
    found = [name for name in found if f"{folder}/{name}" not in context.paths and not name.endswith(_TEMPLATES)]
    if not found:
        return ""
    files = " and ".join(f"{folder}/{name}" for name in found)
    says = (
        "stays out of the image: set its variables" if len(found) == 1 else "stay out of the image: set their variables"
    )
    return f"{files} {says} in the setting environment."


_TEMPLATES = ("example", "sample", "template", "dist")


def _kind(file: Path) -> bytes:
    return b"program" if file.stat().st_mode & stat.S_IXUSR else b"file"


def _feed(digest: "hashlib._Hash", *fields: bytes) -> None:
    """Lengths go in with the fields, so that two different lists never give the same bytes."""
    for field in fields:
        digest.update(b"%d:" % len(field))
        digest.update(field)
