"""The local HTTP API in front of a real function: its limits, and what a client sees when something goes wrong."""

import json
import re
import threading
import time

import pytest

from dualmode.gateway.api_gateway.http_api import HttpApi, HttpApiOptions, head_bytes
from dualmode.gateway.api_gateway.request_event import Endpoint, event_from_request
from dualmode.gateway.api_gateway.throttle import Throttle
from dualmode.gateway.http.connection import RefusedError
from dualmode.gateway.http.message import Request
from tests.support.gateways import environments, event, function
from tests.support.waiting import until


def api(pool, *, throttle=None, **options):
    return HttpApi(pool, endpoint=Endpoint(), options=HttpApiOptions(**options), throttle=throttle)


def ask(made, *order, target="/", method="POST", headers=(), body=None):
    """Status, body and headers of the answer to a request that makes the probe do something."""
    fields = (("Host", "localhost:3000"), ("Content-Type", "application/json"), *headers)
    body = event(*order) if body is None else body
    response = made.respond(Request(method=method, target=target, headers=fields, body=body))
    return response.status, response.body, dict(response.headers)


def failed(answer):
    """Whether the answer is the one that API Gateway gives for a function's failure."""
    status, body, headers = answer
    return (status, body, headers["content-type"]) == (
        500,
        b'{"message":"Internal Server Error"}',
        "application/json",
    )


@pytest.mark.case("R54")
def test_the_function_and_the_client_get_the_same_request_id():
    with environments() as pool:
        _, body, headers = ask(api(pool))

    assert json.loads(body)["event"]["requestContext"]["requestId"] == headers["apigw-requestid"]


@pytest.mark.case("R63")
@pytest.mark.parametrize(
    ("size", "status", "body"),
    [
        pytest.param(6_291_456, 200, b"1", id="at the limit"),
        pytest.param(6_291_457, 413, b'{"message":"Request Entity Too Large"}', id="above"),
    ],
)
def test_an_event_may_be_as_large_as_lambda_lets_it_be(size, status, body):
    def padded(length):
        content = json.dumps({"do": ["return", 1], "pad": "x" * length}).encode()
        headers = (("Host", "h"), ("Content-Type", "application/json"))
        return Request(method="POST", target="/", headers=headers, body=content)

    def serialised(request):
        made = event_from_request(request, Endpoint(), request_id="JCJJxhz4PHcEJgQ=", time=time.time())
        return len(json.dumps(made, separators=(",", ":")))

    request = padded(size - serialised(padded(6_000_000)) + 6_000_000)
    with environments() as pool:
        answer = api(pool).respond(request)

    assert serialised(request) == size
    assert (answer.status, answer.body) == (status, body)


@pytest.mark.case("R64")
@pytest.mark.parametrize(
    ("length", "options", "status"),
    [
        pytest.param(10_240, {}, 200, id="at the limit"),
        pytest.param(10_241, {}, 431, id="above"),
        pytest.param(10_241, {"header_limit_status": 400}, 400, id="switched"),
    ],
)
def test_a_head_may_be_as_long_as_the_gateway_lets_it_be(length, options, status):
    bare = Request(method="GET", target="/", headers=(("Host", "h"), ("X-Fill", "")))
    fill = "x" * (length - head_bytes(bare))
    request = Request(method="GET", target="/", headers=(("Host", "h"), ("X-Fill", fill)))
    with environments() as pool:
        answer = api(pool, **options).respond(request)

    assert head_bytes(request) == length
    assert answer.status == status


@pytest.mark.case("R64")
def test_the_counted_head_is_the_request_line_and_the_values():
    request = Request(method="GET", target="/a", headers=(("Host", "12345"), ("Not-Counted", "678")))

    assert head_bytes(request) == len("GET /a HTTP/1.1") + 8


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(("raise", "boom"), id="raise", marks=pytest.mark.case("S30")),
        pytest.param(("exit", 1), id="exit", marks=pytest.mark.case("S30")),
        pytest.param(("return", {"statusCode": 200, "body": {}}), id="no response", marks=pytest.mark.case("S24")),
    ],
)
def test_a_failure_of_the_function_is_a_500_that_tells_nothing(order):
    with environments() as pool:
        assert failed(ask(api(pool), *order))


@pytest.mark.case("S32")
def test_a_function_beyond_its_own_timeout_is_a_500():
    with environments(described=function(timeout=1.0)) as pool:
        assert failed(ask(api(pool), "sleep", 30))


@pytest.mark.case("S34")
def test_a_result_beyond_lambdas_limit_is_a_500():
    with environments() as pool:
        assert failed(ask(api(pool), "repeat", ["x", 6_291_556]))


def test_an_app_that_cannot_start_is_a_500():
    with environments(described=function(environ={"PROBE_INIT": "raise"})) as pool:
        assert failed(ask(api(pool)))


@pytest.mark.case("S33")
def test_a_slow_function_is_a_503_and_goes_on(tmp_path, caplog):
    begun, go_on = tmp_path / "begun", tmp_path / "go on"
    with environments(described=function(timeout=60.0)) as pool:
        ask(api(pool))
        made = api(pool, integration_seconds=0.5)
        status, body, _ = ask(made, "hold", [str(begun), str(go_on)])
        assert begun.exists()
        go_on.touch()
        after = until(lambda: json.loads(answer[1]) if (answer := ask(made))[0] == 200 else None)

    assert (status, body) == (503, b'{"message":"Service Unavailable"}')
    assert after["calls"] >= 3  # the same process
    assert "503 after 0.5 s" in caplog.text


@pytest.mark.case("G22")
def test_with_no_environment_free_a_request_waits_and_then_is_a_503(tmp_path):
    with environments(described=function(timeout=60.0)) as pool:
        patient, hasty = api(pool), api(pool, integration_seconds=0.2)
        ask(patient)
        begun, go_on = tmp_path / "begun", tmp_path / "go on"
        busy = threading.Thread(target=ask, args=(patient, "hold", [str(begun), str(go_on)]))
        busy.start()
        until(begun.exists)
        refused = ask(hasty)
        go_on.touch()
        served = ask(patient)
        busy.join()

    assert refused[:2] == (503, b'{"message":"Service Unavailable"}')
    assert served[0] == 200
    assert json.loads(served[1])["calls"] == 3  # the refused one never ran


@pytest.mark.case("S37")
def test_beyond_the_throttle_a_request_is_a_429():
    now = [0.0]
    with environments() as pool:
        made = api(pool, throttle=Throttle(1.0, 2, clock=lambda: now[0]))
        first = [ask(made)[0] for _ in range(2)]
        status, body, headers = ask(made)
        now[0] += 1.0
        later = [ask(made)[0] for _ in range(2)]

    assert first == [200, 200]
    assert (status, body) == (429, b'{"message":"Too Many Requests"}')
    assert headers["content-type"] == "application/json"
    assert later == [200, 429]


def test_a_bucket_never_holds_more_than_its_burst():
    now = [0.0]
    throttle = Throttle(10.0, 3, clock=lambda: now[0])
    now[0] += 100.0

    assert [throttle.admits() for _ in range(4)] == [True, True, True, False]


@pytest.mark.case("G15")
@pytest.mark.parametrize("target", ["*", "example.com:443"])
def test_a_target_without_a_path_is_a_400(target):
    with environments() as pool:
        assert ask(api(pool), target=target)[:2] == (400, b'{"message":"Bad Request"}')


@pytest.mark.case("R64", "G25")
@pytest.mark.parametrize(
    ("refused", "status", "body"),
    [
        (RefusedError(400, "A header is malformed."), 400, b'{"message":"Bad Request"}'),
        (RefusedError(413, "The body is too long."), 413, b'{"message":"Request Entity Too Large"}'),
        (RefusedError(431, "The head is too long."), 400, b'{"message":"HTTP header is larger than 10240 bytes."}'),
    ],
)
def test_what_is_no_request_is_answered_in_the_gateways_form(refused, status, body):
    with environments() as pool:
        response = api(pool, header_limit_status=400).refuse(refused)

    assert (response.status, response.body) == (status, body)
    assert "apigw-requestid" in dict(response.headers)


@pytest.mark.case("S39")
def test_the_answer_to_head_has_no_body():
    with environments() as pool:
        status, body, headers = ask(api(pool), "return", {"statusCode": 200, "body": "four"}, method="HEAD")

    assert (status, body, headers["content-length"]) == (200, b"", "4")


def test_the_functions_trace_is_that_of_its_event():
    with environments() as pool:
        seen = json.loads(ask(api(pool), "trace")[1])

    assert re.match(rf"^{seen['header']};Parent=[0-9a-f]{{16}};Sampled=0$", seen["environment"])
