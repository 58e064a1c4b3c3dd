"""A running sandbox, and the commands run against it: in this process, or as a program of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from dualmode.gateway.api_gateway.http_api import BODY_LIMIT
from dualmode.gateway.http.server import HttpServer
from operations.__main__ import main
from sandbox import settings
from sandbox.edge.edge import refuse, respond_with
from sandbox.lifecycle import Order, Sandbox, running
from sandbox.presets import DOMAIN
from tests.support.program import ROOT
from tests.support.pulumi_command import path_without_pulumi

NAME = "dualmode-dev"


@dataclass(frozen=True)
class Live:
    """A sandbox with its door."""

    sandbox: Sandbox
    address: str

    @property
    def words(self) -> list[str]:
        """The options that name its deployment."""
        return ["--function", NAME, "--url", f"https://{DOMAIN}"]

    @property
    def functions(self) -> Any:
        return self.sandbox.account.client("lambda")

    @property
    def shares(self) -> tuple[str, dict[str, float]]:
        """The version of the alias, and the shares of others."""
        alias = self.functions.get_alias(FunctionName=NAME, Name="live")
        return alias["FunctionVersion"], (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}

    def publish(self, **variables: str) -> str:
        """Publishes a version of the same image with these variables, which gets no requests yet."""
        self.functions.update_function_configuration(
            FunctionName=NAME, Environment={"Variables": {"DUALMODE_ALLOW_COMMANDS": "1", **variables}}
        )
        self.functions.get_waiter("function_updated_v2").wait(FunctionName=NAME, WaiterConfig={"Delay": 1})
        return str(self.functions.publish_version(FunctionName=NAME)["Version"])

    def serve(self, version: str) -> None:
        """Leads all requests to a version."""
        self.functions.update_alias(
            FunctionName=NAME, Name="live", FunctionVersion=version, RoutingConfig={"AdditionalVersionWeights": {}}
        )


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The sample application in a sandbox without a pulumi command and without containers."""
    chosen = {"domainName": DOMAIN, "environment": {"DUALMODE_ALLOW_COMMANDS": "1"}}
    order = Order(
        project=settings.load_project(ROOT),
        config=settings.load(settings.load_project(ROOT), "dev", chosen),
        state=tmp_path_factory.mktemp("operations"),
        container_engine=None,
        progress=lambda _: None,
        venvs=ROOT / ".sandbox" / "venvs",
    )
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:  # only for the start: other tests want the command
            patch.setenv("PATH", path_without_pulumi())
            sandbox = stack.enter_context(running(order))
        answer = respond_with(sandbox.edge, lambda _request, _answer: None)
        server = HttpServer("127.0.0.1", 0, answer, refuse=refuse, body_limit=BODY_LIMIT)
        server.start()
        yield Live(sandbox, f"http://127.0.0.1:{server.port}")
        server.stop()


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def operate(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Runs a command in this process, with the variables that are set."""

    def operate(*words: str) -> Done:
        status = main(words)
        return Done(status, *capsys.readouterr())

    return operate


@pytest.fixture
def in_sandbox(live: Live, monkeypatch: pytest.MonkeyPatch, operate: Callable[..., Done]) -> Callable[..., Done]:
    """Runs a command for the sandbox's deployment."""
    for name, value in live.sandbox.variables.items():
        monkeypatch.setenv(name, value)

    def in_sandbox(verb: str, *words: str) -> Done:
        return operate(verb, *words, *live.words)

    return in_sandbox


@pytest.fixture
def program(live: Live) -> Callable[..., Any]:
    """Starts a command for the sandbox's deployment as a program that can get signals."""

    @contextmanager
    def program(verb: str, *words: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [sys.executable, "-m", "operations", verb, *words, *live.words],
            cwd=ROOT,
            env={**os.environ, **live.sandbox.variables, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            limit = threading.Timer(120, process.kill)
            limit.start()
            try:
                yield process
            finally:
                limit.cancel()
                process.kill()

    return program
