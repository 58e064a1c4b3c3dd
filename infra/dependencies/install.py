"""Installs an application's dependencies into an environment with pip; a lock is exported with its own tool."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from infra.dependencies import failure
from infra.dependencies.declared import LOCAL, POETRY_LOCK, PYPROJECT, REQUIREMENTS, UV_LOCK, Plan, read_plan
from infra.dependencies.errors import DependencyError
from infra.dependencies.lock import without

# Each lock's own tool, only for its export. The lock decides what is installed, not the tool's version.
_TOOLS = {
    UV_LOCK: (["uv"], ["uv", "export", "--frozen", "--no-dev", "--no-emit-project", "--quiet", "--output-file"]),
    POETRY_LOCK: (["poetry", "poetry-plugin-export"], ["poetry", "export", "--no-interaction", "--output"]),
}


def install(declared: Path, python: Path, base: str) -> None:
    """Installs what the folder `declared` says into the environment of `python`, without the application's code.

    Raises:
        DependencyError: it can't be installed; pip's own lines are printed already.
    """
    plan = read_plan(declared)
    with tempfile.TemporaryDirectory() as scratch:
        arguments = wanted(plan, declared, Path(scratch))
        if arguments:
            _pip(["install", "--no-compile", *arguments], plan, declared, declared, python, base)


def wanted(plan: Plan, declared: Path, scratch: Path) -> list[str]:
    """Returns pip's arguments for all that is installed without the application's code; empty, nothing is.

    Raises:
        DependencyError: a lock can't be read.
    """
    arguments = list(plan.requirements)
    if plan.lock:
        arguments += ["-r", str(_export(plan, declared, scratch))]
    elif plan.source == REQUIREMENTS:
        arguments += ["-r", REQUIREMENTS]
    return arguments


def install_project(folder: Path, declared: Path, python: Path, base: str) -> None:
    """Installs the dependencies that are part of the application's own code, in the folder where it will run.

    Raises:
        DependencyError: it can't be installed; pip's own lines are printed already.
    """
    plan = read_plan(declared)
    if plan.project:
        _pip(["install", "--no-compile", *plan.project], plan, declared, folder, python, base)


def _pip(arguments: Sequence[str], plan: Plan, declared: Path, folder: Path, python: Path, base: str) -> None:
    status, output = _run([*pip(python), *arguments], folder, hidden={arguments[-1]: plan.lock} if plan.lock else {})
    if status != 0:
        raise DependencyError(failure.explain(output, plan, declared, python, base))


def pip(python: Path) -> list[str]:
    """Returns the command of this Python's pip for another environment."""
    return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--python", str(python)]


def _export(plan: Plan, declared: Path, scratch: Path) -> Path:
    """Returns a requirements file with the versions from the lock."""
    packages, command = _TOOLS[plan.lock]
    tools, exported = scratch / "tools", scratch / plan.lock
    own_pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    status, _ = _run([*own_pip, "install", "--quiet", "--target", str(tools), *packages], declared)
    if status != 0:
        raise DependencyError(
            f"{packages[0]}, which reads {plan.name}/{plan.lock}, can't be installed: check that a package index can be"
            f" reached, or export the lock to {plan.name}/{REQUIREMENTS}."
        )
    path = {"PYTHONPATH": str(tools), "POETRY_VIRTUALENVS_CREATE": "false"}
    program = [sys.executable, "-m", command[0]] if packages[0] == "poetry" else [str(tools / "bin" / command[0])]
    status, output = _run([*program, *command[1:], str(exported)], declared, variables=path)
    if status != 0 or not exported.exists():
        said = output[-1].strip().rstrip(".") if output else f"exit status {status}"
        raise DependencyError(
            f"{packages[0]} can't read {plan.name}/{plan.lock} ({said}): lock again, so that it fits {PYPROJECT}."
        )
    projects = [each.removeprefix(LOCAL) for each in plan.project if each.startswith(LOCAL)]
    exported.write_text(without(exported.read_text(), projects, declared))
    return exported


def _run(
    command: Sequence[str],
    folder: Path,
    *,
    variables: Mapping[str, str] = MappingProxyType({}),
    hidden: Mapping[str, str] = MappingProxyType({}),
) -> tuple[int, list[str]]:
    """Runs a command in a folder, prints its output at once, and returns its exit status and the lines.

    `hidden` are texts that say nothing to a user, such as temporary paths, with what is printed instead.
    """
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        output = []
        for line in process.stdout or ():
            for text, instead in hidden.items():
                line = line.replace(text, instead)
            output.append(line.rstrip())
            print(output[-1], flush=True)  # noqa: T201 - a command
    return process.returncode, output
