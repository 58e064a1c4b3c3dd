"""A stack of the program with an application of the tests, deployed to one account by one sandbox after another."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from dualmode.gateway.http.message import Request
from sandbox import settings
from sandbox.edge.answer import Answer
from sandbox.lifecycle import Order, Sandbox, running
from sandbox.presets import DOMAIN
from tests.support.program import ROOT


class Stack:
    """A copy of the program with an application, in a folder whose state stays from one sandbox to the next."""

    def __init__(self, folder: Path, application: Path) -> None:
        left_out = shutil.ignore_patterns(
            ".git", ".venv", ".sandbox", "*_cache", "__pycache__", "tests", "benchmarks", "docs"
        )
        shutil.copytree(ROOT, folder / "copy", ignore=left_out)
        shutil.copytree(application, folder / "copy" / application.name)
        self.folder, self.state = folder / "copy", folder / "state"
        self.lines: list[str] = []
        self._own = {"domainName": DOMAIN, "appDir": application.name, "flaskApp": "app:app"}
        self._project = settings.load_project(self.folder)

    def order(self, **chosen: object) -> Order:
        """What a sandbox is started with: the dev stack's settings, the application's, and those given."""
        return Order(
            project=self._project,
            config=settings.load(self._project, "dev", {**self._own, **chosen}),
            state=self.state,
            container_engine=None,
            progress=self.lines.append,
            venvs=ROOT / ".sandbox" / "venvs",
        )

    @contextlib.contextmanager
    def running(self, **chosen: object) -> Iterator[Sandbox]:
        """A sandbox that serves this stack."""
        with running(self.order(**chosen)) as sandbox:
            yield sandbox


def ask(sandbox: Sandbox, target: str, method: str = "GET", body: bytes = b"") -> tuple[int, str]:
    """The status and the text with which a sandbox answers a request to its domain."""
    response = answer(sandbox, target, method, body).response
    return response.status, response.body.decode()


def answer(sandbox: Sandbox, target: str, method: str = "GET", body: bytes = b"") -> Answer:
    """How a sandbox answers a request to its domain, with its trace."""
    return sandbox.edge.answer(Request(method=method, target=target, headers=(("Host", DOMAIN),), body=body))
