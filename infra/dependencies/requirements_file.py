"""A pip requirements file: its lines, and the files and folders of the application that they refer to.

Source: "Requirements File Format", pip documentation.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.dependencies.errors import DependencyError

_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2")
_OPTION = re.compile(r"(-r|--requirement|-c|--constraint|-e|--editable|-f|--find-links)(?:\s*=?\s*)(.+)")


@dataclass(frozen=True, slots=True)
class Line:
    """One logical line: the numbers of its first and last physical line, counted from 1, and its text."""

    first: int
    last: int
    text: str


@dataclass(frozen=True, slots=True)
class Target:
    """What a line refers to in the application's folder; `kind` is `file`, `archive`, `folder` or `project`.

    A `file` is another requirements file, a `folder` holds archives, and a `project` is installed from its source.
    """

    kind: str
    path: Path
    extras: tuple[str, ...] = ()


def lines(text: str) -> Iterator[Line]:
    """Returns the logical lines that aren't empty."""
    first, parts = 1, list[str]()
    for number, physical in enumerate([*text.splitlines(), ""], 1):
        first = first if parts else number
        stripped = re.sub(r"(^|\s)#.*$", "", physical).rstrip()
        if stripped.endswith("\\"):
            parts.append(stripped[:-1])
            continue
        joined = "".join([*parts, stripped]).strip()
        parts = []
        if joined:
            yield Line(first, number, joined)


def target(line: Line, *, file: Path, folder: Path, name: str) -> Target | None:
    """Returns what a line of `file` refers to in `folder`, the application called `name`; None for an index.

    Raises:
        DependencyError: it refers to something that doesn't exist or is outside the folder.
    """
    option = _OPTION.fullmatch(line.text)
    key, value = (option[1], option[2].strip().strip("'\"")) if option else ("", line.text)
    if key in ("-r", "--requirement", "-c", "--constraint"):
        return Target("file", _inside(file.parent / value, line, file, folder, name))
    if key in ("-f", "--find-links"):
        if "://" in value:
            return None
        beside = file.parent / value  # as in pip: beside the file, or else where pip runs
        return Target("folder", _inside(beside if beside.exists() else folder / value, line, file, folder, name))
    if line.text.startswith("-") and not key:
        return None
    value = re.split(r"\s+--|\s*;|\s+@\s+file:(?!//)", value)[0].strip() if " @ file:" not in value else value
    value = re.sub(r"^[\w.\-]+(\[[^\]]*\])?\s*@\s*file:(?!//)", "", value).removeprefix("file:").strip()
    if "://" in value or " @ " in value:
        return None
    extras = re.search(r"\[([^\]]*)\]$", value)
    path = value[: extras.start()] if extras else value
    if not (key or path.startswith(".") or "/" in path or path.endswith(_ARCHIVES)):
        return None
    found = _inside(folder / path, line, file, folder, name)
    wanted = tuple(extra.strip() for extra in extras[1].split(",")) if extras else ()
    return Target("project" if found.is_dir() else "archive", found, wanted)


def _inside(path: Path, line: Line, file: Path, folder: Path, name: str) -> Path:
    place = f"{name}/{file.relative_to(folder)}, line {line.first}, names {line.text!r}"
    resolved = path.resolve()
    if not resolved.is_relative_to(folder.resolve()):
        raise DependencyError(f"{place}, but that is outside {name}: a build sees only that folder, so move it there.")
    if not resolved.exists():
        raise DependencyError(f"{place}, but {name} has no such file or folder: correct the line, or add it.")
    return resolved
