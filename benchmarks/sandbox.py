"""`python -m benchmarks.sandbox`: how long a sandbox takes for a request, and how many it answers in a second.

Its function runs in a process, without a container engine. The clients are in a process of their own.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import hello
from dualmode.gateway.http.message import Request, Response
from dualmode.gateway.http.server import HttpServer
from sandbox import settings
from sandbox.edge.edge import Edge, respond_with
from sandbox.lifecycle import Order, Sandbox, running
from sandbox.presets import PRESETS
from sandbox.runner.version_runner import VersionRunner
from walk.function_version import FunctionVersion

_ROOT = Path(__file__).parents[1]
_ALONE = 300
_EARLY = 5_000
_UNLIMITED = {"throttleRate": 10_000, "throttleBurst": 5_000}


class TimedFunctions:
    """Runs functions, and keeps how long each of them took, in milliseconds."""

    def __init__(self, runner: VersionRunner) -> None:
        self._runner = runner
        self.taken: list[float] = []

    def describe(self, version: FunctionVersion) -> str:
        """See `Functions`."""
        return self._runner.describe(version)

    def invoke(self, version: FunctionVersion, event: bytes, **given: Any) -> bytes:
        """See `Functions`."""
        began = time.perf_counter()
        try:
            return self._runner.invoke(version, event, **given)
        finally:
            self.taken.append((time.perf_counter() - began) * 1000)


def main() -> None:
    """Measure, and print one line for each figure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sandbox", description=__doc__)
    parser.add_argument("--requests", type=int, default=3_000, help="how many requests the clients send together")
    parser.add_argument("--clients", type=int, default=4, help="how many clients send requests at the same time")
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)  # of the server: this is the process of the clients
    options = parser.parse_args()
    if options.port is not None:
        print(json.dumps(_sent(options.port, options.clients, options.requests)))
        return
    project = settings.load_project(_ROOT)
    with tempfile.TemporaryDirectory(prefix="dualmode-bench-") as state:
        order = Order(
            project=project,
            config=settings.load(project, "dev", {**dict(preset.split("=", 1) for preset in PRESETS), **_UNLIMITED}),
            state=Path(state),
            container_engine=None,
            progress=lambda _line: None,
            venvs=_ROOT / ".sandbox" / "venvs",
        )
        with running(order) as sandbox:
            _measure(sandbox, options.clients, options.requests)


def _measure(sandbox: Sandbox, clients: int, requests: int) -> None:
    functions = TimedFunctions(sandbox.runner)
    edge = Edge(sandbox.edge.account, functions, default_name=sandbox.edge.default_name)
    request = Request(method="GET", target=hello.PATH, headers=(("Host", "localhost"),))
    taken = []
    for _ in range(_ALONE):
        answer = edge.answer(request)
        if answer.response.status != 200:
            sys.exit(f"The sandbox answered {answer.response.status}: {answer.trace.refusal}")
        taken.append(answer.duration)
    taken, functions.taken = taken[10:], functions.taken[10:]  # the first one starts the function
    over = [whole - own for whole, own in zip(taken, functions.taken, strict=True)]
    print(f"one client: {median(taken):.1f} ms, of which the function {median(functions.taken):.1f}, ", end="")
    print(f"and the way through the account {median(over):.2f} (slowest of 100: {sorted(over)[-len(over) // 100]:.1f})")
    answered = 0
    early = 0
    respond = respond_with(sandbox.edge, lambda _request, _answer: None)

    def counted(request: Request) -> Response:
        nonlocal answered, early
        answered += 1
        if answered == _EARLY:
            early = _resident_kib()
        return respond(request)

    server = HttpServer("127.0.0.1", 0, counted)
    server.start()
    try:
        command = [sys.executable, "-m", "benchmarks.sandbox", "--port", str(server.port)]
        command += ["--clients", str(clients), "--requests", str(requests)]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=_ROOT).stdout)
    finally:
        server.stop()
    late = _resident_kib()
    if found["wrong"]:
        sys.exit(f"{found['wrong']} of {requests} answers were wrong.")
    print(f"{clients} clients: {requests / found['seconds']:.0f} requests/s, {found['median']:.1f} ms each, ", end="")
    print(f"the slowest of 100 {found['slow']:.1f} ms")
    if early:
        print(f"memory: {early} KiB after {_EARLY} requests, {late} KiB after {requests}")


def _sent(port: int, clients: int, requests: int) -> dict[str, float]:
    """Send requests over connections that are kept open; times in ms."""
    taken: list[float] = []
    wrong: list[int] = []

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for _ in range(requests // clients):
            began = time.perf_counter()
            connection.request("GET", hello.PATH)
            answer = connection.getresponse()
            content = answer.read()
            taken.append((time.perf_counter() - began) * 1000)
            if answer.status != 200 or json.loads(content) != hello.ANSWER:
                wrong.append(answer.status)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "median": median(taken),
        "slow": sorted(taken)[-len(taken) // 100],
        "wrong": len(wrong),
    }


def _resident_kib() -> int:
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) if found else 0


if __name__ == "__main__":
    main()
