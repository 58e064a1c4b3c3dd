"""`python -m gateway` as a person runs it: ports, raw events, logs, signals, what is left behind."""

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.support.gateways import FUNCTIONS, PROBE, ROOT, event, gateway
from tests.support.ports import free_ports
from tests.support.processes import lives
from tests.support.waiting import until

LATEST = {"content-type": "application/json", "x-amz-executed-version": "$LATEST"}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with gateway(tmp_path_factory.mktemp("gateway")) as made:
        yield made


def without_ids(headers):
    return {name: value for name, value in headers.items() if name not in ("x-amzn-requestid", "x-amzn-trace-id")}


def test_a_request_goes_through_the_function_and_back(running):
    status, headers, body = running.request("GET", "/a%20b?c=d", headers={"Cookie": "e=f"})

    seen = json.loads(body)["event"]
    assert (status, headers["content-type"]) == (200, "application/json")
    assert (seen["rawPath"], seen["rawQueryString"], seen["cookies"]) == ("/a b", "c=d", ["e=f"])
    assert seen["requestContext"]["http"]["sourceIp"] == "127.0.0.1"
    assert seen["requestContext"]["domainName"] == "127.0.0.1"


@pytest.mark.case("R15")
def test_a_base_path_is_the_mapping_that_a_custom_domain_would_have(tmp_path):
    with gateway(tmp_path, DUALMODE_BASE_PATH="/v1") as mapped:
        _, _, body = mapped.request("GET", "/v1/a")
    assert json.loads(body)["event"]["rawPath"] == "/a"


def test_a_raw_event_gets_lambdas_answer(running):
    status, headers, body = running.invoke(event("return", {"a": [1, None, "é"]}))

    assert (status, body) == (200, b'{"a": [1, null, "\\u00e9"]}')
    assert without_ids(headers) == {**LATEST, "content-length": str(len(body)), "connection": "keep-alive"}
    assert re.match(r"^[0-9a-f-]{36}$", headers["x-amzn-requestid"])
    assert re.match(r"^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$", headers["x-amzn-trace-id"])


def test_an_event_nested_too_deeply_to_be_read_is_refused_or_run_but_never_an_error_of_ours(running):
    status, _, _ = running.invoke(b"[" * 50_000 + b"]" * 50_000)
    assert status in (200, 400)  # where Python's parser gives up differs between its versions


def test_a_failed_event_gets_lambdas_error(running):
    status, headers, body = running.invoke(event("raise", "boom"))

    error = json.loads(body)
    assert (status, headers["x-amz-function-error"]) == (200, "Unhandled")
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "boom")
    assert error["requestId"] == headers["x-amzn-requestid"]


def test_a_raw_event_gets_its_log_where_it_is_wanted(running):
    _, headers, _ = running.invoke(event("print", "seen"), {"X-Amz-Log-Type": "Tail"})

    request_id = headers["x-amzn-requestid"]
    lines = base64.b64decode(headers["x-amz-log-result"]).decode().splitlines()
    assert lines[:-1] == [f"START RequestId: {request_id} Version: $LATEST", "seen", f"END RequestId: {request_id}"]
    assert lines[-1].startswith(f"REPORT RequestId: {request_id}\t")


def test_a_raw_event_carries_its_context(running):
    given = base64.b64encode(b'{"custom":\r\n{"a": 1}}').decode()
    trace_id = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    target = "/2015-03-31/functions/function/invocations?Qualifier=live"

    _, _, body = running.invoke(
        event("context"), {"X-Amz-Client-Context": given, "X-Amzn-Trace-Id": trace_id}, target=target
    )

    seen = json.loads(body)
    assert (seen["client_context"], seen["trace_id"]) == ({"a": 1}, trace_id)
    assert seen["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:function:live"


def test_an_empty_event_is_an_empty_object(running):
    assert json.loads(running.invoke(b"")[2])["event"] == {}


def test_an_event_may_be_sent_without_waiting(running, tmp_path):
    status, _, body = running.invoke(event("touch", str(tmp_path / "done")), {"X-Amz-Invocation-Type": "Event"})

    assert (status, body) == (202, b"")
    until((tmp_path / "done").exists)


def test_a_dry_run_runs_nothing(running, tmp_path):
    status, _, _ = running.invoke(event("touch", str(tmp_path / "done")), {"X-Amz-Invocation-Type": "DryRun"})

    assert status == 204
    running.invoke(event())
    assert not (tmp_path / "done").exists()


@pytest.mark.parametrize(
    ("request_", "status", "error_type"),
    [
        pytest.param({"headers": {"Origin": "https://evil.example"}}, 403, "AccessDeniedException", id="a-web-page"),
        pytest.param({"headers": {"Origin": "null"}}, 403, "AccessDeniedException", id="a-page-without-origin"),
        pytest.param({"payload": b"{"}, 400, "InvalidRequestContentException", id="no-json"),
        pytest.param({"payload": b"\xff"}, 400, "InvalidRequestContentException", id="no-text"),
        pytest.param(
            {"headers": {"X-Amz-Client-Context": "%"}}, 400, "InvalidRequestContentException", id="no-client-context"
        ),
        pytest.param(
            {"headers": {"X-Amz-Invocation-Type": "Later"}}, 400, "InvalidParameterValueException", id="no-such-type"
        ),
        pytest.param(
            {"target": "/2015-03-31/functions/function/invocations?Qualifier=a%20b"},
            400,
            "InvalidParameterValueException",
            id="no-qualifier",
        ),
        pytest.param({"target": "/"}, 404, "ResourceNotFoundException", id="another-path"),
        pytest.param({"method": "GET", "payload": None}, 405, "MethodNotAllowedException", id="another-method"),
        pytest.param({"payload": b'"' + b"x" * 6_291_455 + b'"'}, 413, "RequestTooLargeException", id="too-large"),
    ],
)
def test_an_invocation_that_lambda_would_refuse_is_refused(running, request_, status, error_type):
    answer = running.invoke(**{"payload": b"{}", **request_})

    assert (answer[0], answer[1]["x-amzn-errortype"]) == (status, error_type)


def test_an_event_may_be_as_large_as_lambda_lets_it_be(running):
    padding = 6_291_456 - len(json.dumps({"do": ["return", 1], "pad": ""}))
    payload = json.dumps({"do": ["return", 1], "pad": "x" * padding}).encode()

    assert len(payload) == 6_291_456
    assert running.invoke(payload)[2] == b"1"


def test_events_cannot_come_through_the_http_port(running):
    target = "/2015-03-31/functions/function/invocations"
    sent = json.dumps({"version": "2.0", "requestContext": {"authorizer": {"lambda": {"role": "admin"}}}})

    _, _, body = running.request("POST", target, sent, {"Content-Type": "application/json"})

    seen = json.loads(body)["event"]
    assert (seen["rawPath"], seen["body"]) == (target, sent)
    assert "authorizer" not in seen["requestContext"]


def test_uploads_of_every_kind_arrive(running):
    address = f"http://127.0.0.1:{running.port}/upload"
    headers = {"Content-Type": "application/octet-stream"}
    with requests.Session() as session:
        plain = session.put(address, data=b"\x00\x01", headers=headers).json()["event"]
        chunked = session.put(address, data=iter([b"\x00", b"\x01"]), headers=headers).json()["event"]
        patient = session.put(address, data=b"\x00\x01", headers={**headers, "Expect": "100-continue"}).json()["event"]

    for seen in (plain, chunked, patient):
        assert (seen["body"], seen["isBase64Encoded"], seen["headers"]["content-length"]) == ("AAE=", True, "2")
        assert not {"transfer-encoding", "expect", "connection"} & seen["headers"].keys()


def test_a_body_beyond_the_gateways_limit_is_a_413(running):
    status, _, body = running.request("POST", "/", b"x" * (10 * 1024 * 1024 + 1))

    assert (status, body) == (413, b'{"message":"Request Entity Too Large"}')


def test_a_request_that_could_be_smuggled_never_reaches_the_function(running):
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as sock:
        sock.sendall(
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 44\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"0\r\n\r\nGET /admin HTTP/1.1\r\nHost: h\r\n\r\n"
        )
        received = b""
        while data := sock.recv(65536):
            received += data

    assert re.findall(rb"HTTP/1\.1 (\d+)", received) == [b"400"]
    assert received.endswith(b'{"message":"Bad Request"}')


def test_the_log_is_text_or_objects(tmp_path):
    with gateway(tmp_path, AWS_LAMBDA_LOG_FORMAT="JSON", AWS_LAMBDA_FUNCTION_NAME="shop") as made:
        made.invoke(event("return", 1))
        until(lambda: "platform.report" in made.log.read_text())
        kinds = re.findall(r'"type":"([\w.]+)"', made.log.read_text())

    assert kinds == [
        "platform.initStart",
        "platform.initRuntimeDone",
        "platform.initReport",
        "platform.start",
        "platform.runtimeDone",
        "platform.report",
    ]


def test_a_burst_starts_no_more_environments_than_allowed(tmp_path):
    with gateway(tmp_path, GATEWAY_WORKERS="2") as made:
        with ThreadPoolExecutor(12) as clients:
            answers = list(clients.map(lambda _: made.request(), range(12)))
        pids = {json.loads(body)["pid"] for _, _, body in answers}

    assert len(pids) == 2


def test_a_throttle_holds_for_http_and_not_for_events(tmp_path):
    with gateway(tmp_path, GATEWAY_THROTTLE_RATE="0.001", GATEWAY_THROTTLE_BURST="1") as made:
        statuses = [made.request()[0] for _ in range(2)]
        raw = made.invoke(event("return", 1))[0]

    assert (statuses, raw) == ([200, 429], 200)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_at_once_with_its_processes(tmp_path, number):
    with gateway(tmp_path) as made:
        busy = json.loads(made.request()[2])["pid"]
        made.invoke(event("sleep", 60), {"X-Amz-Invocation-Type": "Event"})
        made.process.send_signal(number)
        assert made.process.wait(30) == 0  # the event would take twice as long

    until(lambda: not lives(busy))


def test_nothing_is_left_when_it_is_killed(tmp_path):
    with gateway(tmp_path) as made:
        pid = json.loads(made.request()[2])["pid"]
        busy = tmp_path / "busy"  # one that waits for events would notice by itself
        made.invoke(event("hold", [str(busy), str(tmp_path / "never")]), {"X-Amz-Invocation-Type": "Event"})
        until(busy.exists)
        made.process.kill()
        made.process.wait()

    until(lambda: not lives(pid))


def test_a_taken_port_is_said_in_one_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = start(PORT=str(port), EVENTS_PORT=str(*free_ports(1)))

    assert ended.returncode == 69
    assert ended.stderr == f"gateway: PORT {port} can't be used on 127.0.0.1: Address already in use.\n"


def test_a_wrong_variable_is_said_in_one_sentence():
    ended = start(GATEWAY_WORKERS="none")

    assert ended.returncode == 64
    assert ended.stderr == "gateway: GATEWAY_WORKERS is 'none': it must be a whole number from 1 to 1000.\n"


def test_without_a_bootstrap_it_says_its_usage():
    ended = start(arguments=[])

    assert ended.returncode == 64
    assert ended.stderr.startswith("gateway: usage: python -m dualmode.gateway COMMAND")


def start(arguments=PROBE, **environ):
    """The end of a gateway that can't serve."""
    variables = {"GATEWAY_HOST": "127.0.0.1", "PYTHONPATH": str(ROOT), "PORT": "0", "EVENTS_PORT": "0", **environ}
    command = [sys.executable, "-P", "-m", "dualmode.gateway", *arguments]
    return subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=10)


def test_orphans_of_the_function_are_reaped_where_it_is_their_parent():
    program = FUNCTIONS / "orphans.py"
    ended = subprocess.run(
        [sys.executable, program], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "1 zombie before, 0 after\n", "")
