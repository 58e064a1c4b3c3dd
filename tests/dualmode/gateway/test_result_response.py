"""The response an HTTP API makes of a function's result; expected values are those of docs/http-api.md."""

import json
import re

import pytest

from dualmode.gateway.api_gateway.result_response import ResultOptions, message_response, response_from_result
from tests.support.cases import case_param

ID = "JCJJxhz4PHcEJgQ="
ERROR = b'{"message":"Internal Server Error"}'
TEXT, JSON = "text/plain; charset=utf-8", "application/json"


def answer(result, *, method="GET", options=None):
    """The response to a result, given as what the function returns or, as bytes, as what the runtime sends."""
    payload = result if isinstance(result, bytes) else json.dumps(result).encode()
    return response_from_result(payload, request_id=ID, method=method, options=options or ResultOptions())


def fields(response):
    """The headers, without those that are in every response."""
    return [field for field in response.headers if field[0] not in ("date", "apigw-requestid")]


def structured(**members):
    return {"statusCode": 200, **members}


# result, status, headers besides date and apigw-requestid, body
CASES = [
    (
        "S01",
        structured(body="Hello, World!"),
        200,
        [("content-type", TEXT), ("content-length", "13")],
        b"Hello, World!",
    ),
    (
        "S03",
        {"statusCode": 201, "body": '{"message":"Created"}'},
        201,
        [("content-type", TEXT), ("content-length", "21")],
        b'{"message":"Created"}',
    ),
    (
        "S04",
        structured(headers={"Content-Type": "application/xml"}, body="<a/>"),
        200,
        [("content-type", "application/xml"), ("content-length", "4")],
        b"<a/>",
    ),
    (
        "S05",
        structured(headers={"content-type": "application/json"}, body="{}"),
        200,
        [("content-type", JSON), ("content-length", "2")],
        b"{}",
    ),
    (
        "S06",
        structured(isBase64Encoded=True, body="eyJtZXNzYWdlIjoiSGVsbG8sIEFQSSBHYXRld2F5IHYyISJ9"),
        200,
        [("content-type", TEXT), ("content-length", "36")],
        b'{"message":"Hello, API Gateway v2!"}',
    ),
    (
        "S07",
        structured(isBase64Encoded=True, headers={"content-type": "image/png"}, body="iVBORw=="),
        200,
        [("content-type", "image/png"), ("content-length", "4")],
        b"\x89PNG",
    ),
    (
        "S08",
        structured(headers={"myheader": "test,shouldhavesecondvalue"}, body=""),
        200,
        [("myheader", "test,shouldhavesecondvalue"), ("content-type", TEXT), ("content-length", "0")],
        b"",
    ),
    ("S09", {"statusCode": 0, "body": "x"}, 500, [("content-type", JSON), ("content-length", "35")], ERROR),
    ("S10", "hello", 200, [("content-type", JSON), ("content-length", "5")], b"hello"),
    ("S12", b'{"message":"hi"}', 200, [("content-type", JSON), ("content-length", "16")], b'{"message":"hi"}'),
    ("S16", None, 200, [("content-type", JSON), ("content-length", "4")], b"null"),
    ("S17", "", 200, [("content-type", JSON), ("content-length", "0")], b""),
    ("S18", b'{"body":"x"}', 200, [("content-type", JSON), ("content-length", "12")], b'{"body":"x"}'),
    (
        "S19",
        b'{"headers":{"location":"/x"}}',
        200,
        [("content-type", JSON), ("content-length", "29")],
        b'{"headers":{"location":"/x"}}',
    ),
    (
        "S20",
        structured(cookies=["a=1; Path=/", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT"], body=""),
        200,
        [
            ("set-cookie", "a=1; Path=/"),
            ("set-cookie", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT"),
            ("content-type", TEXT),
            ("content-length", "0"),
        ],
        b"",
    ),
    (
        "S21",
        structured(cookies=["a=1"], headers={"set-cookie": "b=2"}, body=""),
        200,
        [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("content-type", TEXT), ("content-length", "0")],
        b"",
    ),
    (
        "S22",
        structured(multiValueHeaders={"x-a": ["1", "2"]}, body=""),
        200,
        [("content-type", TEXT), ("content-length", "0")],
        b"",
    ),
    (
        "S23",
        structured(
            headers={
                "connection": "close",
                "Content-Length": "1",
                "date": "Thu, 01 Jan 1970 00:00:00 GMT",
                "transfer-encoding": "chunked",
                "upgrade": "h2c",
            },
            body="four",
        ),
        200,
        [("content-type", TEXT), ("content-length", "4")],
        b"four",
    ),
    ("S24", structured(body={"a": 1}), 500, [("content-type", JSON), ("content-length", "35")], ERROR),
    ("S25-headers", structured(headers=["a"], body=""), 500, [("content-type", JSON), ("content-length", "35")], ERROR),
    ("S25-cookies", structured(cookies="a=1", body=""), 500, [("content-type", JSON), ("content-length", "35")], ERROR),
    (
        "S25-base64",
        structured(isBase64Encoded="yes", body=""),
        500,
        [("content-type", JSON), ("content-length", "35")],
        ERROR,
    ),
    (
        "S26",
        structured(base64Encoded=True, body="aGk="),
        200,
        [("content-type", TEXT), ("content-length", "4")],
        b"aGk=",
    ),
    (
        "S27",
        {"statusCode": 302, "headers": {"location": "/y"}},
        302,
        [("location", "/y"), ("content-type", TEXT), ("content-length", "0")],
        b"",
    ),
    ("S29", {"statusCode": "200", "body": ""}, 200, [("content-type", TEXT), ("content-length", "0")], b""),
    (
        "S40",
        structured(isBase64Encoded=True, body="%%%"),
        500,
        [("content-type", JSON), ("content-length", "35")],
        ERROR,
    ),
    ("S41", structured(body="é"), 200, [("content-type", TEXT), ("content-length", "2")], "é".encode()),
    ("G16", b"not json", 500, [("content-type", JSON), ("content-length", "35")], ERROR),
    ("G17", b"3.1", 200, [("content-type", JSON), ("content-length", "3")], b"3.1"),
    ("G18-true", {"statusCode": True}, 500, [("content-type", JSON), ("content-length", "35")], ERROR),
    ("G18-1xx", {"statusCode": 101}, 500, [("content-type", JSON), ("content-length", "35")], ERROR),
    ("G18-600", {"statusCode": 600}, 500, [("content-type", JSON), ("content-length", "35")], ERROR),
    ("G18-a-fraction", {"statusCode": 200.5}, 500, [("content-type", JSON), ("content-length", "35")], ERROR),
    (
        "G19",
        structured(headers={"x-n": 1, "x-t": True, "x-null": None}, body=""),
        200,
        [("x-n", "1"), ("x-t", "true"), ("content-type", TEXT), ("content-length", "0")],
        b"",
    ),
    (
        "G20-a-header-that-would-be-two",
        structured(headers={"x-a": "1\r\nset-cookie: stolen=1"}),
        500,
        [("content-type", JSON), ("content-length", "35")],
        ERROR,
    ),
    (
        "G20-a-name-that-is-none",
        structured(headers={"x a": "1"}),
        500,
        [("content-type", JSON), ("content-length", "35")],
        ERROR,
    ),
    *(
        (name, structured(**members), 500, [("content-type", JSON), ("content-length", "35")], ERROR)
        for name, members in (
            ("G20-a-line-feed-in-a-value", {"headers": {"x-a": "1\nx-b: 2"}}),
            ("G20-a-carriage-return-in-a-value", {"headers": {"x-a": "1\rx-b: 2"}}),
            ("G20-a-second-response-in-a-value", {"headers": {"location": "/\r\n\r\nHTTP/1.1 200 OK"}}),
            ("G20-a-header-in-a-name", {"headers": {"x-a: 1\r\nx-b": "2"}}),
            ("G20-a-header-in-a-dropped-name", {"headers": {"date\r\nx-b": "2"}}),
            ("G20-a-header-in-a-content-type", {"headers": {"content-type": "text/html\r\nx-b: 2"}}),
            ("G20-a-header-in-a-cookie", {"cookies": ["a=1\r\nset-cookie: b=2"]}),
            ("G18-a-header-in-a-status", {"statusCode": "200\r\nx-b: 2"}),
            ("G18-a-status-of-5000-digits", {"statusCode": "9" * 5000}),
        )
    ),
    (
        "G21",
        structured(headers={"x-a": "☕"}, body=""),
        200,
        [("x-a", "☕".encode().decode("latin-1")), ("content-type", TEXT), ("content-length", "0")],
        b"",
    ),
]


@pytest.mark.parametrize(("result", "status", "headers", "body"), [case_param(*row) for row in CASES])
def test_a_result_becomes_the_response_that_aws_sends(result, status, headers, body):
    response = answer(result)

    assert (response.status, fields(response), response.body) == (status, headers, body)


@pytest.mark.case("S01")
@pytest.mark.parametrize("result", [structured(body="x"), "x"], ids=["a response", "a string"])
def test_every_response_has_a_date_and_the_id_of_its_request(result):
    headers = dict(answer(result).headers)

    assert headers["apigw-requestid"] == ID
    assert re.match(r"^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$", headers["date"])


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        case_param("S38", 204, []),
        case_param("S38-not-modified", 304, [("etag", '"x"')]),
    ],
)
def test_a_response_that_has_no_body_gets_none(status, headers):
    response = answer({"statusCode": status, "headers": dict(headers), "body": "x"})

    assert (response.status, fields(response), response.body) == (status, headers, b"")


@pytest.mark.case("S39")
def test_the_answer_to_head_is_that_to_get_without_its_body():
    get, head = answer(structured(body="four")), answer(structured(body="four"), method="HEAD")

    assert (head.status, fields(head), head.body) == (get.status, fields(get), b"")


@pytest.mark.parametrize(
    ("options", "result", "status", "body"),
    [
        case_param(
            "S29-refuse", ResultOptions(status_code_string="refuse"), {"statusCode": "200", "body": ""}, 500, ERROR
        ),
        case_param(
            "S40-verbatim",
            ResultOptions(invalid_base64="verbatim"),
            structured(isBase64Encoded=True, body="%%%"),
            200,
            b"%%%",
        ),
    ],
)
def test_what_is_not_known_of_aws_can_be_switched(options, result, status, body):
    response = answer(result, options=options)

    assert (response.status, response.body) == (status, body)


def test_the_gateways_own_answers_are_worded_as_aws_words_them():
    response = message_response(503, "Service Unavailable", request_id=ID)

    assert (response.status, fields(response), response.body) == (
        503,
        [("content-type", JSON), ("content-length", "33")],
        b'{"message":"Service Unavailable"}',
    )
