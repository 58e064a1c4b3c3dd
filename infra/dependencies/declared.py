"""What an application's folder declares: its requirements.txt, or else its pyproject.toml with a lock, or setup.py.

The files that declare them are copied out of the folder. Their image layer then only changes when these files change,
not with every change of the code.
"""

import json
import os
import re
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from infra.dependencies.errors import DependencyError
from infra.dependencies.lock import local_packages
from infra.dependencies.requirements_file import lines, target

REQUIREMENTS, PYPROJECT, SETUP = "requirements.txt", "pyproject.toml", "setup.py"
UV_LOCK, POETRY_LOCK = "uv.lock", "poetry.lock"
PLAN = "plan.json"
LOCAL = "./"
"""Begins, in a plan, a project in the application's folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the dependencies are installed: first without the code of the application, then with it."""

    name: str
    """The application's folder, as its owner calls it."""
    source: str = ""
    """The file that declares them, "" where there is none."""
    lock: str = ""
    """`uv.lock` or `poetry.lock`, where one fixes the versions."""
    requirements: list[str] = field(default_factory=list)
    """What pip is told beside `source` or instead of it: what the application's own projects declare."""
    project: list[str] = field(default_factory=list)
    """pip's arguments for what is installed from the folder's own code; empty, nothing is."""


def read_plan(declared: Path) -> Plan:
    """Returns the plan in a folder that `copy` has written."""
    return Plan(**json.loads((declared / PLAN).read_text()))


def copy(folder: Path, name: str, declared: Path) -> Plan:
    """Copies the files that declare the dependencies of the application in `folder` to `declared`, with the plan.

    Raises:
        DependencyError: a file refers to a missing file, or can't be read.
    """
    declared.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    if (folder / REQUIREMENTS).is_file():
        plan = _from_requirements(folder, name, declared)
    elif (folder / PYPROJECT).is_file():
        plan = _from_pyproject(folder, name, declared)
    elif (folder / SETUP).is_file():
        plan = Plan(name=name, source=SETUP, project=["-e", "."])
    else:
        plan = Plan(name=name)
    (declared / PLAN).write_text(json.dumps(asdict(plan), indent=1, sort_keys=True))
    for path in declared.rglob("*"):
        os.utime(path, (0, 0))  # an engine may treat a file with another time as a different file
    return plan


def _from_requirements(folder: Path, name: str, declared: Path) -> Plan:
    projects: list[tuple[Path, tuple[str, ...]]] = []
    waiting, seen = [folder / REQUIREMENTS], set[Path]()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        try:
            text = file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise DependencyError(f"{name}/{file.relative_to(folder)} is not UTF-8 text: save it as such.") from None
        kept = text.splitlines()
        for line in lines(text):
            found = target(line, file=file, folder=folder, name=name)
            if found is None:
                continue
            if found.kind == "file":
                waiting.append(found.path)
            elif found.kind == "project":
                projects.append((found.path, found.extras))
                for number in range(line.first - 1, line.last):
                    kept[number] = ""  # pip's messages then have the same line numbers as the owner's file
            else:
                _copy(found.path, declared / found.path.relative_to(folder))
        copied = declared / file.relative_to(folder)
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_text("\n".join([*kept, ""]))
    static = [requirement for path, extras in projects for requirement in _static(path, extras, name) or []]
    project = ["-r", REQUIREMENTS] if projects else []
    return Plan(name=name, source=REQUIREMENTS, requirements=static, project=project)


def _from_pyproject(folder: Path, name: str, declared: Path) -> Plan:
    content = _read(folder / PYPROJECT, name)
    poetry = content.get("tool", {}).get("poetry", {})
    if not (isinstance(content.get("project"), dict) or poetry or (folder / SETUP).is_file()):
        return Plan(name=name)  # it only configures tools
    lock = next((lock for lock in (UV_LOCK, POETRY_LOCK) if (folder / lock).is_file()), "")
    static = _static(folder, (), name)
    # As in uv: a project that says how it is built is a package; anything else is a folder with code.
    packaged = bool(content.get("build-system")) or (folder / SETUP).is_file()
    packaged = (
        packaged and poetry.get("package-mode", True) and content.get("tool", {}).get("uv", {}).get("package", True)
    )
    if lock:
        return _from_lock(folder, name, declared, lock, content, ["-e", "."] if packaged else [])
    if static is None and not packaged:
        raise DependencyError(
            f"{name}/{PYPROJECT} leaves its dependencies to a tool, and has no build-system: add the tool's lock"
            f" ({UV_LOCK}, {POETRY_LOCK}), or a {REQUIREMENTS}."
        )
    return Plan(name=name, source=PYPROJECT, requirements=static or [], project=["-e", "."] if packaged else [])


def _from_lock(folder: Path, name: str, declared: Path, lock: str, content: Mapping[str, Any], own: list[str]) -> Plan:
    _copy(folder / PYPROJECT, declared / PYPROJECT)
    _copy(folder / lock, declared / lock)
    projects = []
    for local in local_packages(_read(folder / lock, name), content, folder=folder, place=f"{name}/{lock}"):
        if local.archive:
            _copy(folder / local.path, declared / local.path)
            continue
        if (folder / local.path / PYPROJECT).is_file():  # the lock's tool may look for it
            _copy(folder / local.path / PYPROJECT, declared / local.path / PYPROJECT)
        projects += [*(["-e"] if local.editable else []), f"{LOCAL}{local.path}"]
    arguments = [*own, *projects]
    return Plan(name=name, source=PYPROJECT, lock=lock, project=["--no-deps", *arguments] if arguments else [])


def _static(folder: Path, extras: tuple[str, ...], name: str) -> list[str] | None:
    """Returns the requirements that a project's file declares, or None if only its build can tell them."""
    if not (folder / PYPROJECT).is_file():
        return None
    project = _read(folder / PYPROJECT, name).get("project", {})
    if not project or "dependencies" in project.get("dynamic", []):
        return None
    optional = {_normal(extra): wanted for extra, wanted in project.get("optional-dependencies", {}).items()}
    own = _normal(project.get("name", ""))
    found = [*project.get("dependencies", []), *(each for extra in extras for each in optional.get(_normal(extra), []))]
    return [each for each in found if _normal(re.split(r"[^\w.\-]", each)[0]) != own]  # extras may name others


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _read(file: Path, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DependencyError(f"{name}/{file.name} is not valid TOML: {error}.") from None


def _copy(source: Path, copied: Path) -> None:
    copied.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, copied, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, copied)
