"""Finds Python interpreters, and measures each one in its own worker process."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.container import Engine, EngineError, base_image
from benchmarks.stage import REPOSITORY

CACHE = REPOSITORY / ".sandbox" / "benchmarks"
_ON_PATH = ("python3.13", "python3.14", "python3.15")
_VERSION = "import platform; print(platform.python_version())"


class InterpreterError(Exception):
    """Nothing can be measured under an interpreter; one sentence says why."""


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """A command that runs Python, the version it said it is, and the image it lives in, if any."""

    command: tuple[str, ...]
    version: str
    image: str = ""

    @property
    def name(self) -> str:
        """What the table calls it."""
        return f"Python {self.version}{' in image' if self.image else ''}"

    @property
    def folder(self) -> Path:
        """Where its environment is kept between runs."""
        return CACHE / re.sub(r"[^A-Za-z0-9.]+", "-", f"{self.version} {self.image}".strip())

    @property
    def minor(self) -> str:
        """The version without its last part."""
        return self.version.rpartition(".")[0]


def interpreter(command: Sequence[str], image: str = "") -> Interpreter:
    """Returns the interpreter that a command starts.

    Raises:
        InterpreterError: the command doesn't start one.
    """
    try:
        asked = subprocess.run([*command, "-c", _VERSION], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", "") or error
        raise InterpreterError(f"{shlex.join(command)} doesn't run Python: {reason}".strip()) from None
    return Interpreter(command=tuple(command), version=asked.stdout.strip(), image=image)


def found(pythons: Sequence[str], images: Sequence[str]) -> list[Interpreter]:
    """Returns the interpreters asked for; without any, those of Python 3.13 to 3.15 on the PATH, or the one running.

    Raises:
        InterpreterError: one that was asked for isn't there.
    """
    asked = [interpreter([shutil.which(python) or python]) for python in pythons]
    asked += [_in_image(image or base_image()) for image in images]
    if asked:
        return asked
    on_path = []
    for name in filter(shutil.which, _ON_PATH):
        try:
            on_path.append(interpreter([name]))
        except InterpreterError:  # a version manager's stub for what it hasn't installed
            continue
    return on_path or [interpreter([sys.executable])]


def missing(measured: Sequence[Interpreter]) -> list[str]:
    """Returns the default Pythons that were not measured."""
    minors = {each.minor for each in measured}
    return [name for name in _ON_PATH if name.removeprefix("python") not in minors]


def _in_image(image: str) -> Interpreter:
    CACHE.mkdir(parents=True, exist_ok=True)
    try:
        engine = Engine.found()
        if engine is None:
            raise InterpreterError(
                "--in-image needs a container engine: neither docker nor podman answers, or DUALMODE_ENGINE is none"
            )
        compiled = engine.compiled(image)
    except EngineError as error:
        raise InterpreterError(f"--in-image {image}: {error}") from None
    command = engine.python(compiled, readable=REPOSITORY, writable=CACHE)
    return interpreter(command, image=image if compiled == image else f"{image} and a compiled standard library")


class Worker:
    """A process of an interpreter that measures when asked to."""

    def __init__(self, interpreter: Interpreter, settings: dict[str, Any], progress: Callable[[str], None]) -> None:
        self.interpreter = interpreter
        self._progress = progress
        self._process = subprocess.Popen(
            [*interpreter.command, "-m", "benchmarks.worker"],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._write({**settings, "folder": str(interpreter.folder)})
        answer = self._read()
        self.failed: dict[str, str] = answer["failed"]

    def ask(self, name: str, *arguments: object, **settings: object) -> Any:
        """Returns what the worker's method of that name returned.

        Raises:
            InterpreterError: the worker couldn't do it.
        """
        self._write([name, arguments, settings])
        return self._read()

    def close(self) -> None:
        """End the process and what it started."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _write(self, value: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            if "progress" in message:
                self._progress(message["progress"])
            elif "error" in message:
                raise InterpreterError(f"{self.interpreter.name}: {message['error']}")
            else:
                return message["answer"]
        raise InterpreterError(f"{self.interpreter.name}: the process that measures ended")
