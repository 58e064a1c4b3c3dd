import json

import pytest

from dualmode.gateway.api_gateway.result_response import InvalidResultError
from sandbox.edge.function_url import refused_by_url, response_of_url
from walk.trace import RequestRefusedError


def answer(result):
    response = response_of_url(json.dumps(result).encode(), request_id="id", method="GET")
    headers = dict(response.headers)
    assert headers["x-amzn-requestid"] == "id"
    return response.status, headers["content-type"], response.body


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        pytest.param(
            {"statusCode": 200, "body": "body123"}, (200, "application/json", b"body123"), marks=pytest.mark.case("S02")
        ),
        pytest.param(
            {"statusCode": 200, "headers": {"Content-Type": "text/html"}, "body": "x"},
            (200, "text/html", b"x"),
            marks=pytest.mark.case("S02"),
        ),
        pytest.param("hello", (200, "application/json", b"hello"), marks=pytest.mark.case("S11")),
        pytest.param(
            {"hello": "world"}, (200, "application/json", b'{"hello":"world"}'), marks=pytest.mark.case("S13")
        ),
        pytest.param(["hello", 3, True], (200, "application/json", b'["hello",3,true]'), marks=pytest.mark.case("S14")),
        *(
            pytest.param(value, (200, "application/json", text), marks=pytest.mark.case("S15"))
            for value, text in ((3, b"3"), (3.1, b"3.1"), (True, b"true"))
        ),
        pytest.param({"statusCode": "418", "body": ""}, (418, "application/json", b""), marks=pytest.mark.case("S28")),
    ],
)
def test_a_result_is_the_response_that_a_function_url_sends(result, expected):
    assert answer(result) == expected


@pytest.mark.parametrize("payload", [b"not json", b'{"statusCode":200,"headers":[1]}'])
def test_a_result_that_is_no_response_is_refused(payload):
    with pytest.raises(InvalidResultError):
        response_of_url(payload, request_id="id", method="GET")


@pytest.mark.case("G38")
def test_a_function_without_concurrency_is_one_of_too_many_requests():
    refused = RequestRefusedError(503, "Service Unavailable", hop="version", id="f", reason="none")
    response = refused_by_url(refused, request_id="id")
    assert (response.status, response.body) == (429, b'{"Message":"Rate Exceeded."}')
    assert dict(response.headers)["x-amzn-errortype"] == "TooManyRequestsException"


def test_what_lambda_refuses_otherwise_keeps_its_status():
    refused = RequestRefusedError(413, "too large", hop="function", id="f", reason="size")
    response = refused_by_url(refused, request_id="id")
    assert (response.status, response.body) == (413, b'{"Message":"too large"}')
