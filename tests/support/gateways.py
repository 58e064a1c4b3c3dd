"""EnvironmentPool and gateways for tests: real processes of real functions, on ports of their own."""

import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from dualmode.gateway.lambda_.environment_pool import EnvironmentPool
from dualmode.gateway.lambda_.execution_environment import Environment, Function
from dualmode.gateway.lambda_.invocation import Invocation
from dualmode.gateway.lambda_.log_stream import LogStream
from dualmode.gateway.lambda_.platform_log import JsonLog, TextLog
from sandbox import ends_with_parent
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
FUNCTIONS = Path(__file__).parent / "functions"
PROBE = (sys.executable, "-P", "-m", "awslambdaric", "probe.handler")
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"


def function(bootstrap=PROBE, environ=None, **overrides):
    """The probe function by default; `environ` is added to this process's own variables."""
    variables = {**os.environ, "PYTHONPATH": str(FUNCTIONS), "AWS_EXECUTION_ENV": "AWS_Lambda_Image", **(environ or {})}
    return Function(bootstrap=bootstrap, variables=variables, **overrides)


class Log:
    """Where environments write; the text of all of them."""

    def __init__(self):
        self.data = b""

    def write(self, data):
        self.data += data

    @property
    def text(self):
        return self.data.decode()

    @property
    def lines(self):
        return self.text.splitlines()

    @property
    def objects(self):
        return [json.loads(line) for line in self.lines]


@contextlib.contextmanager
def environment(described=None, log=None, *, level=None):
    """One environment, killed in the end; a JSON log where `level` is given."""
    described = described or function()
    stream = LogStream((log or Log()).write)
    written = TextLog(stream, described.version)
    if level:
        written = JsonLog(stream, function_name=described.name, version=described.version, level=level)
    made = Environment(described, stream, written)
    try:
        yield made
    finally:
        made.kill()


@contextlib.contextmanager
def environments(limit=1, described=None):
    """A pool of environments of one function, killed in the end."""
    described = described or function()

    def create():
        stream = LogStream(Log().write)
        return Environment(described, stream, TextLog(stream, described.version))

    pool = EnvironmentPool(create, limit)
    try:
        yield pool
    finally:
        pool.stop()


def event(*order):
    """An event that makes the probe do something; without an order it returns its input."""
    return json.dumps({"do": order} if order else {}).encode()


def invocation(*order, **members):
    return Invocation(event=event(*order), trace_id=TRACE, **members)


def run(made, *order, **members):
    """The outcome of one invocation, when the execution environment is free again."""
    asked = invocation(*order, **members)
    made.run(asked)
    return asked.wait(0)


def result(made, *order, **members):
    """The result of one invocation that succeeds."""
    outcome = run(made, *order, **members)
    assert not outcome.failed, outcome
    return json.loads(outcome.payload)


def error(made, *order, **members):
    """The error object of one invocation that fails."""
    outcome = run(made, *order, **members)
    assert outcome.failed, outcome
    return json.loads(outcome.payload)


class Gateway:
    """A running `python -m dualmode.gateway`."""

    def __init__(self, process, log):
        self.process = process
        self.log = log
        line = until(lambda: re.search(r"gateway: http://\S+:(\d+) is .* http://\S+:(\d+) takes", log.read_text()))
        self.port, self.events_port = int(line[1]), int(line[2])

    def request(self, method="GET", target="/", body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, target, body, headers or {})
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def post(self, *order, headers=None):
        """The probe's answer to an order over HTTP."""
        return self.request("POST", "/", event(*order), {"Content-Type": "application/json", **(headers or {})})

    def invoke(self, payload, headers=None, target="/2015-03-31/functions/function/invocations", method="POST"):
        connection = http.client.HTTPConnection("127.0.0.1", self.events_port, timeout=60)
        try:
            connection.request(method, target, payload, headers or {})
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()


@contextlib.contextmanager
def gateway(folder, bootstrap=PROBE, *, cwd=None, **variables):
    """A gateway in a process of its own, killed in the end; its output is in `log`, a file in `folder`."""
    log = Path(folder) / f"gateway-{time.monotonic_ns()}.log"
    environ = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}:{FUNCTIONS}",
        "PORT": "0",
        "EVENTS_PORT": "0",
        "GATEWAY_HOST": "127.0.0.1",
        **variables,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            ends_with_parent.alone([sys.executable, "-P", "-m", "dualmode.gateway", *bootstrap]),
            env=environ,
            cwd=cwd or folder,
            stdout=output,
            stderr=output,
        )
    try:
        yield Gateway(process, log)
    finally:
        process.kill()
        process.wait()
