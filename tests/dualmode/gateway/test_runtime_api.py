"""The Runtime API, as a runtime sees it; what AWS's own emulator answers is the standard."""

import http.client
import json
import os
import subprocess
import sys
import time

import pytest

from dualmode.gateway.lambda_.invocation import Invocation
from dualmode.gateway.lambda_.runtime_api import (
    ErrorReported,
    InitFailed,
    Ready,
    Responded,
    ResponseTooLarge,
    RuntimeApi,
)
from sandbox import ends_with_parent
from tests.support.gateways import FUNCTIONS, TRACE, environment, function, invocation, run
from tests.support.ports import free_ports
from tests.support.waiting import until

PREFIX = "/2018-06-01/runtime"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:function"


@pytest.fixture
def api():
    made = RuntimeApi((heard := []).append)
    made.heard = heard
    made.start()
    yield made
    made.stop()


def call(api, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection(api.address, timeout=10)
    try:
        connection.request(method, PREFIX + path, body, headers or {})
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


def fetch(api, asked):
    """What a runtime gets that asks for an event when this invocation is delivered."""
    connection = http.client.HTTPConnection(api.address, timeout=10)
    known = len(api.heard)
    connection.request("GET", f"{PREFIX}/invocation/next")
    until(lambda: api.heard[known:] == [Ready()])
    api.deliver(asked, function_arn=ARN, deadline_ms=int(time.time() * 1000) + 3000)
    response = connection.getresponse()
    answer = response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    connection.close()
    return answer


def make_invocation(**members):
    return Invocation(event=b'{"a":1}', trace_id=TRACE, **members)


@pytest.mark.case("L10")
def test_an_event_comes_with_what_a_runtime_needs_to_know(api):
    asked = make_invocation()
    before = time.time() * 1000

    status, headers, body = fetch(api, asked)

    assert (status, body) == (200, b'{"a":1}')
    assert int(headers.pop("lambda-runtime-deadline-ms")) > before
    assert headers == {
        "content-type": "application/json",
        "content-length": "7",
        "connection": "keep-alive",
        "lambda-runtime-aws-request-id": asked.id,
        "lambda-runtime-invoked-function-arn": ARN,
        "lambda-runtime-trace-id": TRACE,
    }


def test_a_client_context_reaches_the_runtime(api):
    _, headers, _ = fetch(api, make_invocation(client_context='{"custom": {}}'))

    assert headers["lambda-runtime-client-context"] == '{"custom": {}}'


def test_a_result_is_accepted_once(api):
    asked = make_invocation()
    fetch(api, asked)

    first = call(api, "POST", f"/invocation/{asked.id}/response", b'"one"')
    second = call(api, "POST", f"/invocation/{asked.id}/response", b'"two"')

    assert (first[0], first[2]) == (202, b'{"status":"OK"}')
    assert (second[0], json.loads(second[2])["errorType"]) == (403, "InvalidStateTransition")
    assert api.heard == [Ready(), Responded(b'"one"')]


@pytest.mark.case("L09")
@pytest.mark.parametrize("kind", ["response", "error"])
def test_an_answer_to_an_old_request_is_refused(api, kind):
    old, new = make_invocation(), make_invocation()
    fetch(api, old)
    call(api, "POST", f"/invocation/{old.id}/response", b'"one"')
    fetch(api, new)

    status, _, body = call(api, "POST", f"/invocation/{old.id}/{kind}", b'"late"')

    assert (status, json.loads(body)) == (
        400,
        {"errorMessage": "Invalid request ID", "errorType": "InvalidRequestID"},
    )
    assert api.heard == [Ready(), Responded(b'"one"'), Ready()]


@pytest.mark.parametrize(
    ("claimed", "kept"),
    [
        ("Runtime.ImportModuleError", "Runtime.ImportModuleError"),
        ("Function.Foo", "Function.Foo"),
        ("Function.foo1", "Function.Unknown"),
        ("Runtime.x", "Runtime.Unknown"),
        ("ValueError", "Runtime.Unknown"),
        ("", "Runtime.Unknown"),
    ],
)
def test_an_error_has_a_type_of_lambdas_form(api, claimed, kept):
    headers = {"Lambda-Runtime-Function-Error-Type": claimed}

    status, _, body = call(api, "POST", "/init/error", b"{}", headers)

    assert (status, body) == (202, b'{"status":"OK"}')
    assert api.heard == [InitFailed(b"{}", kept)]


def test_after_an_init_error_there_are_no_events(api):
    call(api, "POST", "/init/error", b"{}")

    status, _, body = call(api, "GET", "/invocation/next")

    assert (status, json.loads(body)["errorType"]) == (403, "InvalidStateTransition")


def test_an_error_is_accepted_in_place_of_a_result(api):
    asked = make_invocation()
    fetch(api, asked)

    status, _, body = call(api, "POST", f"/invocation/{asked.id}/error", b'{"errorType":"T"}')

    assert (status, body) == (202, b'{"status":"OK"}')
    assert api.heard == [Ready(), ErrorReported(b'{"errorType":"T"}', "Runtime.Unknown")]


@pytest.mark.parametrize(("size", "status"), [(6_291_556, 202), (6_291_557, 413)])
def test_a_result_may_be_as_large_as_lambda_lets_it_be(api, size, status):
    asked = make_invocation()
    fetch(api, asked)

    answer = call(api, "POST", f"/invocation/{asked.id}/response", b"x" * size)

    assert answer[0] == status
    if status == 413:
        assert json.loads(answer[2]) == {
            "errorMessage": "Exceeded maximum allowed payload size (6291556 bytes).",
            "errorType": "RequestEntityTooLarge",
        }
        assert api.heard == [Ready(), ResponseTooLarge()]


def test_a_runtime_that_asks_again_on_another_connection_gets_the_event_there(api):
    lost = http.client.HTTPConnection(api.address, timeout=10)
    lost.request("GET", f"{PREFIX}/invocation/next")
    until(lambda: api.heard == [Ready()])
    asking = http.client.HTTPConnection(api.address, timeout=10)
    asking.request("GET", f"{PREFIX}/invocation/next")
    assert lost.getresponse().status == 410
    asked = make_invocation()

    api.deliver(asked, function_arn=ARN, deadline_ms=0)

    assert asking.getresponse().getheader("Lambda-Runtime-Aws-Request-Id") == asked.id
    assert api.heard == [Ready()]
    lost.close()
    asking.close()


def comparable(steps):
    """What has to be equal: statuses, JSON bodies, and which headers an event has; ids are numbered.

    The emulator gives no trace ids and words its 404 and 405 in other media types.
    """
    ids = {}
    told = []
    for step in steps:
        request_id = step["headers"].get("lambda-runtime-aws-request-id")
        if request_id is not None:
            ids.setdefault(request_id, f"request {len(ids) + 1}")
        body = step["body"] if step["status"] not in (404, 405) else None
        told.append(
            {
                "step": step["step"],
                "status": step["status"],
                "body": json.loads(body) if body else None,
                "request": ids.get(request_id),
                "type": step["headers"].get("content-type") if body else None,
                "headers": sorted(
                    name
                    for name in step["headers"]
                    if name.startswith("lambda-runtime-") and name != "lambda-runtime-trace-id"
                ),
            }
        )
    return told


def steps_under_rie(rie, folder, events):
    transcript, (port, runtime_api) = folder / "rie.json", free_ports(2)
    environ = {
        **os.environ,
        "WALK_PYTHON": sys.executable,
        "WALK_PROGRAM": str(FUNCTIONS / "runtime_api_walk.py"),
        "WALK_TRANSCRIPT": str(transcript),
    }
    command = [rie, "--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    command += ["--runtime-api-address", f"127.0.0.1:{runtime_api}", FUNCTIONS / "walk.sh"]
    emulator = subprocess.Popen(
        ends_with_parent.alone(command), env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:

        def reachable():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                connection.connect()
            except OSError:
                return None
            return connection

        outcomes = []
        for payload in events:
            connection = until(reachable)
            connection.request("POST", "/2015-03-31/functions/function/invocations", payload)
            outcomes.append(json.loads(connection.getresponse().read()))
            connection.close()
        until(transcript.exists)
        return json.loads(transcript.read_text()), outcomes
    finally:
        emulator.kill()
        emulator.wait()


def steps_here(folder, events):
    transcript = folder / "here.json"
    program = (sys.executable, str(FUNCTIONS / "runtime_api_walk.py"), str(transcript))
    outcomes = []
    with environment(function(program)) as made:
        for payload in events:
            asked = Invocation(event=payload, trace_id=TRACE)
            made.run(asked)
            outcomes.append(json.loads(asked.wait(0).payload))
        until(transcript.exists)
    return json.loads(transcript.read_text()), outcomes


def test_a_runtime_is_told_what_awss_emulator_tells_it(rie, tmp_path):
    events = [b'{"n": 1}', b'{"n": 2}', b'{"n": 3}']

    there, outcomes_there = steps_under_rie(rie, tmp_path, events)
    here, outcomes_here = steps_here(tmp_path, events)

    assert comparable(here) == comparable(there)
    assert outcomes_here == outcomes_there


def test_awss_own_client_is_served():
    with environment() as made:
        assert run(made, "return", {"a": "b"}).payload == b'{"a": "b"}'
        assert run(made, "return", None).payload == b"null"
        assert invocation("return").outcome is None
