"""What a uv.lock or poetry.lock takes from folders and files of this machine, and not from a package index.

Source: the files that `uv lock` and `poetry lock` write; neither form is specified.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.dependencies.errors import DependencyError
from infra.dependencies.requirements_file import lines


@dataclass(frozen=True, slots=True)
class Local:
    """A locked package in the application's folder: a project to install, or an archive (a wheel, for example)."""

    path: str
    """Its place in that folder, without `./`."""
    archive: bool
    editable: bool


def local_packages(lock: Mapping[str, Any], project: Mapping[str, Any], *, folder: Path, place: str) -> list[Local]:
    """Returns the packages in `folder` that the application needs to run; `place` is the lock as its owner calls it.

    Raises:
        DependencyError: a package that it needs lies outside of the folder, or isn't there.
    """
    packages = {_normal(str(each.get("name"))): each for each in lock.get("package", [])}
    found = []
    for name in sorted(_needed(packages, project)):
        package = packages[name]
        source = package.get("source", {})
        key = next((key for key in ("url", "directory", "editable", "path") if key in source), "")
        if not key or (key == "url" and source.get("type") not in ("directory", "file")) or "://" in source[key]:
            continue
        path = os.path.normpath(source[key])
        taken = f"{place} takes {name} from {source[key]}"
        if not (folder / path).resolve().is_relative_to(folder):
            raise DependencyError(
                f"{taken}, but that is outside {place.rpartition('/')[0]}: a build sees only that folder, so move it"
                " there and lock again."
            )
        if not (folder / path).exists():
            raise DependencyError(f"{taken}, but there is no such file or folder: lock again.")
        editable = key == "editable" or package.get("develop") is True
        found.append(Local(path, archive=(folder / path).is_file(), editable=editable))
    return found


def without(exported: str, projects: Iterable[str], folder: Path) -> str:
    """Returns an exported requirements file without the lines for these projects of `folder`."""
    beginnings = "|".join(re.escape(begin) for begin in ("./", f"file://{folder.resolve()}/", f"{folder.resolve()}/"))
    names = "|".join(map(re.escape, projects))
    local = re.compile(rf"(?:^|\s)(?:{beginnings})(?:{names})(?=\[|;|\s|$)")
    kept = exported.splitlines()
    for line in lines(exported) if names else ():
        if local.search(line.text):
            kept[line.first - 1 : line.last] = [""] * (line.last - line.first + 1)
    return "\n".join([*kept, ""])


def _needed(packages: Mapping[str, Mapping[str, Any]], project: Mapping[str, Any]) -> set[str]:
    """Returns the names of locked packages that the application needs to run, on any system: no groups, no extras."""
    root = [each for each in packages.values() if _is_root(each.get("source", {}))]
    waiting = [name for each in root for name in _names(each)] if root else list(_asked(project))
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in packages and name not in found:
            found.add(name)
            waiting += _names(packages[name])
    return found


def _is_root(source: Mapping[str, Any]) -> bool:
    return "." in (source.get("editable"), source.get("virtual"), source.get("directory"))


def _names(package: Mapping[str, Any]) -> Iterator[str]:
    """Returns the names of a package's dependencies: tables with names in uv's lock, keys in poetry's."""
    dependencies = package.get("dependencies", [])
    yield from (_normal(each if isinstance(each, str) else each["name"]) for each in dependencies)


def _asked(project: Mapping[str, Any]) -> Iterator[str]:
    """Returns the names of the packages that a pyproject.toml asks for, by the standard's table and poetry's own."""
    poetry = project.get("tool", {}).get("poetry", {})
    for requirement in project.get("project", {}).get("dependencies", []):
        yield _normal(re.split(r"[^\w.\-]", requirement)[0])
    yield from map(_normal, poetry.get("dependencies", {}))
    yield from map(_normal, poetry.get("group", {}).get("main", {}).get("dependencies", {}))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
