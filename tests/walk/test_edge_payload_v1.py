import json

import pytest

from dualmode.gateway.api_gateway.result_response import InvalidResultError
from sandbox.edge.payload_v1 import response_v1

TEXT = ("content-type", "text/plain; charset=utf-8")
OF_THE_GATEWAY = ("date", "content-length", "apigw-requestid")


def response(result):
    payload = result if isinstance(result, bytes) else json.dumps(result).encode()
    found = response_v1(payload, request_id="id", method="GET")
    fields = [field for field in found.headers if field[0] not in OF_THE_GATEWAY]
    return found.status, sorted(fields, key=lambda field: field[0]), found.body


@pytest.mark.case("S46")
@pytest.mark.parametrize(
    ("different", "headers"),
    [
        ({}, [TEXT]),
        ({"headers": None, "multiValueHeaders": None}, [TEXT]),
        ({"headers": {"X-One": "1", "Content-Type": "a/b"}}, [("content-type", "a/b"), ("x-one", "1")]),
        (
            {"multiValueHeaders": {"Set-Cookie": ["a=1", "b=2", "c=3"]}},
            [TEXT, ("set-cookie", "a=1"), ("set-cookie", "b=2"), ("set-cookie", "c=3")],
        ),
        (
            {"headers": {"x-two": "single"}, "multiValueHeaders": {"X-Two": ["a", "b"]}},
            [TEXT, ("x-two", "a"), ("x-two", "b")],
        ),
        (
            {"headers": {"X-One": "1"}, "multiValueHeaders": {"X-Three": ["a", "b"], "X-Two": ["c"]}},
            [TEXT, ("x-one", "1"), ("x-three", "a"), ("x-three", "b"), ("x-two", "c")],
        ),
        ({"multiValueHeaders": {"X-One": [True, 1, "a"]}}, [TEXT, ("x-one", "true"), ("x-one", "1"), ("x-one", "a")]),
        ({"multiValueHeaders": {"Transfer-Encoding": ["chunked", "gzip"]}}, [TEXT]),
        ({"cookies": ["a=1"]}, [TEXT]),  # 2.0's own
    ],
    ids=str,
)
def test_the_headers_of_a_1_0_result_are_its_own_and_repeated_ones_count(different, headers):
    assert response({"statusCode": 201, "body": "a", **different}) == (201, headers, b"a")


def test_the_body_of_a_1_0_result_may_be_base64():
    assert response({"statusCode": 200, "body": "/wA=", "isBase64Encoded": True}) == (200, [TEXT], b"\xff\x00")


@pytest.mark.case("S46")
@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (b"<html>", "The result is not JSON"),
        ("a text", "Payload 1.0 needs a result with a statusCode."),
        ({"body": "a"}, "Payload 1.0 needs a result with a statusCode."),
        ([200], "Payload 1.0 needs a result with a statusCode."),
        ({"statusCode": "often"}, "statusCode 'often' is not an HTTP status"),
        ({"statusCode": 200, "headers": ["a"]}, "headers is not an object."),
        ({"statusCode": 200, "multiValueHeaders": ["a"]}, "multiValueHeaders is not an object of lists."),
        ({"statusCode": 200, "multiValueHeaders": {"X-One": "a"}}, "multiValueHeaders is not an object of lists."),
        ({"statusCode": 200, "multiValueHeaders": {"X-One": ["a", "b\r\nX-Two: c"]}}, "has a control character."),
        ({"statusCode": 200, "multiValueHeaders": {"X-One": ["a", ["b"]]}}, "is not a string."),
    ],
    ids=str,
)
def test_what_is_no_1_0_result_is_refused(result, sentence):
    with pytest.raises(InvalidResultError) as refused:
        response(result)
    assert sentence in str(refused.value)
