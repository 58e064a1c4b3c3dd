"""The sandbox for tests: its command in a process of its own, or a running one in the test's own process."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import ends_with_parent, settings
from sandbox.lifecycle import Order, Sandbox, running
from sandbox.presets import DOMAIN
from tests.support.pulumi_command import path_without_pulumi

ROOT = Path(__file__).parents[2]
VENVS = ROOT / ".sandbox" / "venvs"


def with_venvs(state: Path) -> Path:
    """Makes a state folder that takes the environments of the repository's own."""
    VENVS.mkdir(parents=True, exist_ok=True)
    state.mkdir(parents=True, exist_ok=True)
    (state / "venvs").symlink_to(VENVS)
    return state


def command(state: Path, *arguments: str) -> list[str]:
    """The sandbox's command, for the thread that calls this: it ends with that."""
    return ends_with_parent.alone([sys.executable, "-m", "sandbox", "--state", str(state), *arguments])


def environment(**more: str) -> dict[str, str]:
    """Without container engine and pulumi command, which have tests of their own, and without the variables of make."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return {**inherited, "PATH": path_without_pulumi(), "DUALMODE_ENGINE": "none", **more}


@contextlib.contextmanager
def serving(
    state: Path, *arguments: str, folder: Path = ROOT, **more: str
) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """A sandbox that serves a folder's program; its process, its address, and what it printed until then."""
    process = subprocess.Popen(
        command(state, "--port", "0", "--page-port", "0", *arguments),
        cwd=folder,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        printed = []
        try:
            assert process.stdout
            assert process.stderr
            for line in process.stdout:
                printed.append(line)
                if line.startswith("Serving "):
                    break
            else:
                pytest.fail(process.stderr.read())
            yield process, printed[-1].split(" on ")[1].split()[0], printed
        finally:
            process.terminate()  # killed, it could not remove what it has made in its state folder
            try:
                process.communicate(timeout=60)
            finally:
                process.kill()


def ask(address: str, path: str, **headers: str) -> tuple[int, Any]:
    """The status and the JSON of an answer."""
    request = urllib.request.Request(address + path, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@contextlib.contextmanager
def deployed(
    state: Path, project: settings.Project | None = None, container_engine: str | None = None, **chosen: object
) -> Iterator[Sandbox]:
    """The program deployed with a domain, in this process; by Pulumi's mocks even where there is a pulumi command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", path_without_pulumi())
        project = project or settings.load_project(ROOT)
        order = Order(
            project=project,
            config=settings.load(project, "dev", {"domainName": DOMAIN, **chosen}),
            state=state,
            container_engine=container_engine,
            progress=lambda _: None,
            venvs=VENVS,
        )
        with running(order) as found:
            yield found
