"""An application below a base path: requests through the account into the runtime, with the deployed variables."""

import json
import subprocess
import sys

import pytest

from dualmode.gateway.http.message import Request
from sandbox.edge.edge import Edge
from tests.support.emulator import write
from tests.support.program import ROOT

FLASK = """
from flask import Flask, url_for
from dualmode import make_handler

app = Flask(__name__)

@app.get("/greet/<name>")
def greet(name):
    return {"own": url_for("greet", name="Ada"), "whole": url_for("greet", name="Bob", _external=True)}

handler = make_handler(app)
"""
ASGI = """
import json
from dualmode import make_handler

async def app(scope, receive, send):
    if scope["type"] == "http":
        below = scope["path"].removeprefix(scope["root_path"])
        own = f"{scope['root_path']}/greet/Ada"
        whole = f"{scope['scheme']}://{dict(scope['headers'])[b'host'].decode()}{scope['root_path']}/greet/Bob"
        found = below == "/greet/me"
        await send({"type": "http.response.start", "status": 200 if found else 404, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps({"own": own, "whole": whole}).encode()})

handler = make_handler(app)
"""
RUN = """
import json, sys
from lambda_function import handler
print(json.dumps(handler(json.load(sys.stdin), None)))
"""


class Runtime:
    """Runs the runtime in a process, with an application in place of the image's and the function's own variables."""

    def __init__(self, account, folder):
        self._account, self._folder = account, folder

    def describe(self, version):
        return "here"

    def invoke(self, version, event, **_):
        function = self._account.client("lambda").get_function_configuration(FunctionName=version.name)
        variables = {**function["Environment"]["Variables"], "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", RUN]
        done = subprocess.run(command, input=event, cwd=self._folder, env=variables, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


@pytest.fixture(scope="module")
def deployed(program):
    return program.deploy(domainName="app.sandbox.test", basePath="shop/v1", keepDefaultEndpoint=True)


@pytest.fixture(params=[FLASK, ASGI], ids=["flask", "asgi"])
def ask(request, deployed, tmp_path):
    write(tmp_path, lambda_function=request.param)
    edge = Edge(deployed.account, Runtime(deployed.account, tmp_path))

    def ask(host, target):
        answer = edge.answer(Request(method="GET", target=target, headers=(("Host", host),), body=b""))
        return answer.response.status, answer.response.body

    return ask


def test_routes_are_reached_without_the_path_and_addresses_are_made_with_it(ask):
    status, body = ask("app.sandbox.test", "/shop/v1/greet/me")
    assert (status, json.loads(body)) == (
        200,
        {"own": "/shop/v1/greet/Ada", "whole": "https://app.sandbox.test/shop/v1/greet/Bob"},
    )
    assert ask("app.sandbox.test", "/shop/v1/greet")[0] == 404  # the application's own
    assert ask("app.sandbox.test", "/greet/me") == (403, b'{"message":"Forbidden"}')


def test_by_api_gateways_own_address_there_is_no_path(ask, deployed):
    host = deployed.outputs["api_endpoint"].partition("://")[2].partition(":")[0]
    status, body = ask(host, "/greet/me")
    assert (status, json.loads(body)) == (200, {"own": "/greet/Ada", "whole": f"https://{host}/greet/Bob"})
    assert ask(host, "/shop/v1/greet/me")[0] == 404
