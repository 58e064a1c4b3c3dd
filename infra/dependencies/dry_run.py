"""Says which package a build could not install, for the base's Python and processor; nothing is installed.

pip is asked for wheels alone. For a package without one its source is built as in the base image, where there is no
compiler: what can be built so is no obstacle, and pip goes on with it.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.dependencies import wheels
from infra.dependencies.declared import read_plan
from infra.dependencies.install import wanted

_SECONDS = 240.0  # for all that pip does together

# pip evaluates the markers of requirements (`; python_version < "3.13"`) for the Python that runs it, whatever
# --python-version says. It asks these functions, which here answer for the base's.
_PIP_FOR_ANOTHER = """
import platform, runpy, sys
version, machine = sys.argv[1:3]
del sys.argv[1:3]
platform.python_version = lambda: f"{version}.0"
platform.python_version_tuple = lambda: (*version.split("."), "0")
platform.machine = lambda: machine
sys.argv[0] = "pip"
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""

_NOT_FOUND = re.compile(r"No matching distribution found for (.+)$")
_DEPENDS = re.compile(r"^\s+[\w.\-]+ \S+ depends on ([^;\s]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the packages are for: a Python such as `3.15`, a processor as Linux names it, and the base image."""

    python: str
    machine: str
    base: str = ""

    @property
    def minor(self) -> int:
        """The second number of the Python's version."""
        return int(self.python.partition(".")[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """A package that can't be installed, as its requirement names it, and the requirement that brings it along."""

    package: str
    """Empty where pip failed for another reason."""
    wanted_by: str = ""
    """The package that requires it, "" where the application does itself."""
    why: str
    remedy: str


def lacking(application: Path, declared: Path, target: Target, environ: Mapping[str, str] = os.environ) -> Lack | None:
    """Returns the first package that an application asks for and a build for `target` can't install, or None.

    `application` is its folder, and `declared` what declares its dependencies.

    Raises:
        DependencyError: what is declared can't be read.
    """
    plan = read_plan(declared)
    until = time.monotonic() + _SECONDS
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for name in ("built", "empty", "target", "tools"):
            (scratch / name).mkdir()
        arguments = [_without_hashes(each, declared) for each in wanted(plan, declared, scratch / "tools")]
        if plan.project == ["-e", "."] and not arguments:  # only its own build can tell what it needs
            shutil.copytree(application, scratch / "application", symlinks=True)  # which may write beside its code
            arguments = [str(scratch / "application")]
        if not arguments:
            return None
        asked = [sys.executable, "-c", _PIP_FOR_ANOTHER, target.python, target.machine]
        asked += ["--disable-pip-version-check", "--no-input", "install", "--dry-run", "--ignore-installed"]
        asked += ["--target", str(scratch / "target"), "--find-links", str(scratch / "built")]
        asked += [*wheels.for_python(target.minor, target.machine), *arguments]
        try:
            done = set[str]()
            while True:
                said = _said(asked, declared, environ, until)
                missing = _missing(said, target, environ)
                if not said:
                    return None
                if not missing or missing in done:
                    return _unknown(said[-1].removeprefix("ERROR: "))
                done.add(missing)
                failed = _built(missing, scratch, environ, until)
                if failed:
                    has_source = not any(_NOT_FOUND.search(line) for line in failed)
                    return _lack(missing, said, target, environ, has_source=has_source)
        except subprocess.TimeoutExpired:
            return _unknown(f"it takes longer than {_SECONDS:.0f} s")


def _unknown(why: str) -> Lack:
    remedy = "Check that a package index can be reached, and that each line is a requirement."
    return Lack(package="", why=why, remedy=remedy)


def _said(command: Sequence[str], folder: Path, environ: Mapping[str, str], until: float) -> list[str]:
    """Returns what a command that failed says, line by line; empty if it succeeds."""
    ended = subprocess.run(
        command,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=max(until - time.monotonic(), 1.0),
    )
    return f"{ended.stdout}{ended.stderr}".strip().splitlines() or ["pip failed"] if ended.returncode else []


def _missing(said: Sequence[str], target: Target, environ: Mapping[str, str]) -> str:
    """Returns the requirement for which pip found no wheel, "" where it failed for another reason."""
    for line in said:
        if found := _NOT_FOUND.search(line):
            return found[1]
    # Where a requirement leaves several versions, each of them may depend on a package without a wheel.
    asked = dict.fromkeys(found[1] for line in said if (found := _DEPENDS.search(line)))
    return next((each for each in asked if not wheels.has_wheel(each, target.minor, target.machine, environ)), "")


def _built(requirement: str, scratch: Path, environ: Mapping[str, str], until: float) -> list[str]:
    """Builds the newest source of a package into `scratch/built` with nothing on the PATH; returns why it can't."""
    name = re.split(r"[^\w.\-]", requirement)[0]
    made = scratch / "made"
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "wheel", "--quiet"]
    command += ["--no-cache-dir"]  # it has wheels that a compiler of this machine made
    command += ["--no-deps", "--no-binary", name, "--wheel-dir", str(made), requirement]
    bare = {key: value for key, value in environ.items() if key not in ("CC", "CXX")}
    failed = _said(command, scratch, bare | {"PATH": str(scratch / "empty")}, until)
    for wheel in made.glob("*.whl"):
        project, version, *_ = wheel.name.split("-")
        # A package whose extensions are optional has this machine's tags, though nothing in it was compiled.
        wheel.rename(scratch / "built" / f"{project}-{version}-py3-none-any.whl")
    return failed


def _lack(package: str, said: Sequence[str], target: Target, environ: Mapping[str, str], *, has_source: bool) -> Lack:
    named = re.escape(package)
    by = [
        found[1]
        for line in said
        for pattern in (
            rf"requirement {named} \(from (?!versions:)(\w[\w.\-]*)",
            rf"^\s+([\w.\-]+) \S+ depends on {named}",
        )
        if (found := re.search(pattern, line))
    ]
    older = wheels.newest_older([package], target.minor, target.machine, environ)
    if older:
        remedy = f"The newest Python that has one is 3.{older}: {wheels.on_base(target.base, older)}."
    elif has_source:
        remedy = "No older Python that the runtime supports has one: take another version of it, or another package."
    else:
        remedy = "Check its name and its version, or take another version of it, or another package."
    return Lack(
        package=package,
        wanted_by=by[0] if by else "",
        why=f"no wheel for Python {target.python} on {target.machine},"
        f" and {'its source needs a compiler' if has_source else 'no source'}",
        remedy=remedy,
    )


def _without_hashes(argument: str, declared: Path) -> str:
    """Returns the argument; the files that it may name lose their hashes, which a wheel built here doesn't have."""
    for file in [declared / argument, *declared.rglob("*.txt")]:
        if file.is_file() and file.suffix in (".txt", ".lock"):
            text = file.read_text(errors="replace")
            if "--hash" in text:
                file.write_text(re.sub(r"(\s*\\\n)?[ \t]*--hash[= ]\S+", "", text))
    return argument
