"""The cases of docs/http-api.md that an application sees: the facts of an event, and what becomes of its answers.

The expected values are those of the catalogue, none of the code.
"""

import pytest

from dualmode.http_event import make_environ_from_event
from dualmode.http_result import MOST_BYTES, result_from_answer, within_limit
from tests.support.cases import case_param
from tests.support.events import CONTEXT, make_event, make_function_url_event

JSON = {"content-type": "application/json"}


def seen(environ, *keys):
    """Values of an environ by key, None where there is none; the body under `body`."""
    body = environ["wsgi.input"].read()
    return {key: body if key == "body" else environ.get(key) for key in keys}


def wsgi(text):
    """Text in the form in which WSGI carries its bytes."""
    return text.encode().decode("latin-1")


IN = [
    ("R02", make_event(path="/capture/space value"), {"PATH_INFO": "/capture/space value"}),
    ("R03", make_function_url_event(path="/capture/space%20value"), {"PATH_INFO": "/capture/space value"}),
    ("R04", make_event(path="/p/☕ Coffee/r/😊"), {"PATH_INFO": wsgi("/p/☕ Coffee/r/😊")}),
    ("G05 a percent sign", make_event(path="/100%"), {"PATH_INFO": "/100%"}),
    ("G05 not decoded again", make_event(path="/100%25"), {"PATH_INFO": "/100%25"}),
    ("R11", make_event(path="/a+b"), {"PATH_INFO": "/a+b"}),
    ("R12", make_event(path="/foo/"), {"PATH_INFO": "/foo/"}),
    (
        "R13",
        make_event(path="/beta/api/values", stage="beta", routeKey="ANY /{proxy+}"),
        {"SCRIPT_NAME": "/beta", "PATH_INFO": "/api/values"},
    ),
    (
        "R15",
        make_event(path="/foo", domain="shop.example"),
        {"SCRIPT_NAME": "/v1", "PATH_INFO": "/foo", "SERVER_NAME": "shop.example"},
    ),
    (
        "R16",
        make_event(path="/dev/foo", stage="dev", domain="shop.example"),
        {"SCRIPT_NAME": "/v1", "PATH_INFO": "/foo"},
    ),
    ("R21", make_event(query="repeat=one&repeat=two"), {"QUERY_STRING": "repeat=one&repeat=two"}),
    (
        "R22",
        make_event(query="literalPlus=a+b&encodedPlus=a%2Bb"),
        {"QUERY_STRING": "literalPlus=a+b&encodedPlus=a%2Bb"},
    ),
    ("R23", make_event(query="empty="), {"QUERY_STRING": "empty="}),
    ("R24", make_event(query="redirect=https%3A%2F%2Fx"), {"QUERY_STRING": "redirect=https%3A%2F%2Fx"}),
    ("R25", make_event(query="url=http://www.google.com"), {"QUERY_STRING": "url=http://www.google.com"}),
    ("R26", make_event(query="colors[]=blue&colors[]=red"), {"QUERY_STRING": "colors[]=blue&colors[]=red"}),
    ("R28", make_event(headers={"x-p": "first,second"}), {"HTTP_X_P": "first,second"}),
    ("R30", make_event(headers={"x-mixed-case": "V"}), {"HTTP_X_MIXED_CASE": "V"}),
    (
        "R31",
        make_event(cookies=["session=abc123", "theme=dark"]),
        {"HTTP_COOKIE": "session=abc123; theme=dark"},
    ),
    (
        "R32",
        make_function_url_event(
            cookies=["session=abc123", "theme=dark"], headers={"cookie": "session=abc123; theme=dark"}
        ),
        {"HTTP_COOKIE": "session=abc123; theme=dark"},
    ),
    (
        "R33",
        make_event(),
        {"CONTENT_TYPE": None, "HTTP_CONTENT_TYPE": None, "CONTENT_LENGTH": None, "HTTP_CONTENT_LENGTH": None},
    ),
    ("R34", make_event(), {"HTTP_USER_AGENT": None}),
    ("R40", make_event(source_ip="10.1.15.242:39870"), {"REMOTE_ADDR": "10.1.15.242", "REMOTE_PORT": None}),
    ("R40 IPv6", make_event(source_ip="[2001:db8::7]:39870"), {"REMOTE_ADDR": "2001:db8::7"}),
    ("R40 IPv6 alone", make_event(source_ip="2001:db8::7"), {"REMOTE_ADDR": "2001:db8::7"}),
    (
        "R41",
        make_event(method="POST", headers=JSON, body='{"a":1}'),
        {"body": b'{"a":1}', "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": "7"},
    ),
    (
        "R44",
        make_event(
            method="POST",
            headers={"content-type": "application/x-www-form-urlencoded"},
            body="YT0xJmI9Mg==",
            isBase64Encoded=True,
        ),
        {"body": b"a=1&b=2", "CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": "7"},
    ),
    (
        "R45",
        make_event(method="POST", body="aGVsbG8=", isBase64Encoded=True),
        {"body": b"hello", "CONTENT_TYPE": None, "CONTENT_LENGTH": "5"},
    ),
    (
        "R46",
        make_event(
            method="POST",
            headers={"content-type": "application/octet-stream", "content-length": "5"},
            body="AQIDBAU=",
            isBase64Encoded=True,
        ),
        {"body": b"\x01\x02\x03\x04\x05", "CONTENT_LENGTH": "5"},
    ),
    ("R50", make_event(method="POST"), {"body": b"", "CONTENT_LENGTH": "0"}),
    (
        "R51",
        make_event(headers=JSON, body='{"a":1}'),
        {"body": b'{"a":1}', "REQUEST_METHOD": "GET", "CONTENT_LENGTH": "7"},
    ),
    (
        "R52",
        make_event(method="POST", headers=JSON, body='{"x":"é"}'),
        {"body": b'{"x":"\xc3\xa9"}', "CONTENT_LENGTH": "10"},
    ),
    ("R65", make_function_url_event(path="/a", stage="$default"), {"SCRIPT_NAME": "", "PATH_INFO": "/a"}),
]


@pytest.mark.parametrize(("event", "facts"), [case_param(*row) for row in IN])
def test_an_application_sees_the_facts_of_an_event(event, facts):
    environ = make_environ_from_event(base_path="/v1")(event, CONTEXT)
    assert seen(environ, *facts) == facts


def result(status=200, headers=(), body=b"", method="GET"):
    return result_from_answer((status, list(headers), body), method)


OUT = [
    (
        "S04",
        result(headers=[("Content-Type", "application/xml")], body=b"<a/>"),
        {"statusCode": 200, "headers": {"content-type": "application/xml"}, "body": "<a/>", "isBase64Encoded": False},
    ),
    (
        "S05",
        result(headers=[("content-type", "application/json")], body=b"{}"),
        {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": "{}", "isBase64Encoded": False},
    ),
    (
        "S08",
        result(headers=[("MyHeader", "test,shouldhavesecondvalue")]),
        {
            "statusCode": 200,
            "headers": {"myheader": "test,shouldhavesecondvalue"},
            "body": "",
            "isBase64Encoded": False,
        },
    ),
    (
        "S20",
        result(
            headers=[("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT")],
        ),
        {
            "statusCode": 200,
            "headers": {},
            "cookies": ["a=1; Path=/", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT"],
            "body": "",
            "isBase64Encoded": False,
        },
    ),
    (
        "S22",
        result(headers=[("X-A", "1"), ("x-a", "2")]),
        {"statusCode": 200, "headers": {"x-a": "1, 2"}, "body": "", "isBase64Encoded": False},
    ),
    (
        "S23",
        result(
            headers=[
                ("Connection", "close"),
                ("Content-Length", "1"),
                ("Date", "Wed, 21 Oct 2026 07:28:00 GMT"),
                ("Transfer-Encoding", "chunked"),
                ("Upgrade", "h2c"),
            ],
        ),
        {"statusCode": 200, "headers": {}, "body": "", "isBase64Encoded": False},
    ),
    (
        "S38",
        result(status=204, body=b"x"),
        {"statusCode": 204, "headers": {}, "body": "", "isBase64Encoded": False},
    ),
    (
        "S38 not modified",
        result(status=304, headers=[("ETag", '"a"')], body=b"x"),
        {"statusCode": 304, "headers": {"etag": '"a"'}, "body": "", "isBase64Encoded": False},
    ),
    (
        "S39",
        result(headers=[("Content-Type", "text/plain")], body=b"x", method="HEAD"),
        {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "", "isBase64Encoded": False},
    ),
    (
        "S41",
        result(headers=[("Content-Type", "text/plain; charset=utf-8")], body="aé".encode()),
        # 7 bytes as text, since awslambdaric escapes the letter, and 4 as base64.
        {
            "statusCode": 200,
            "headers": {"content-type": "text/plain; charset=utf-8"},
            "body": "YcOp",
            "isBase64Encoded": True,
        },
    ),
]


@pytest.mark.parametrize(("actual", "expected"), [case_param(*row) for row in OUT])
def test_an_answer_becomes_the_result_that_a_gateway_turns_back_into_it(actual, expected):
    assert actual == expected


@pytest.mark.case("S34")
def test_a_response_over_the_limit_becomes_an_error_that_names_size_and_limit(caplog):
    answer = (200, [("Content-Type", "text/plain")], b"x" * MOST_BYTES)
    size = len('{"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "", "isBase64Encoded": false}')
    sentence = (
        f"The response is {size + MOST_BYTES} bytes as Lambda counts it, but the limit is 6291556 bytes:"
        " answer with less, or with a redirect to where it is stored"
    )
    assert within_limit(answer, "GET") == {
        "statusCode": 500,
        "headers": {"content-type": "application/json"},
        "body": f'{{"error":"{sentence}"}}\n',
        "isBase64Encoded": False,
    }
    assert [(record.levelname, record.message) for record in caplog.records] == [("ERROR", sentence)]


@pytest.mark.case("L06")
def test_text_that_escapes_would_inflate_over_the_limit_is_sent_as_base64():
    text = "é" * 3_000_000
    # 18 MB escaped, 8 MB as base64 of 6 MB: too large either way; 4 MB of it isn't.
    fits = text[:1_500_000]
    answer = (200, [("Content-Type", "text/plain; charset=utf-8")], fits.encode())
    assert within_limit(answer, "GET")["isBase64Encoded"] is True
    assert within_limit((200, answer[1], text.encode()), "GET")["statusCode"] == 500
