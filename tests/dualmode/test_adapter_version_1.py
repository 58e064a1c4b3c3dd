"""Requests to REST APIs, to HTTP APIs with payload format 1.0 and to load balancers, through Mangum's handlers."""

import json
import subprocess
import sys

import pytest
from flask import Flask, Response, request

from dualmode.handler import wsgi_handler
from dualmode.http_result import result_from_answer
from dualmode.logs import AccessLog
from tests.support.events import (
    CONTEXT,
    make_alb_event,
    make_alb_multi_event,
    make_event,
    make_http_api_1_event,
    make_rest_event,
)


def handler_of(app, **options):
    return wsgi_handler(app, AccessLog({"AWS_LAMBDA_LOG_LEVEL": "ERROR"}, sys.stdout.write), **options)


def environ_of(event, **options):
    """The environ that an application sees, its body read."""
    seen = []

    def app(environ, start_response):
        seen.append(environ | {"body": environ["wsgi.input"].read()})
        start_response("204 No Content", [])
        return []

    handler_of(app, **options)(event, CONTEXT)
    return seen[0]


PATHS = [
    ("/a%20b", "/a b"),
    ("/100%25", "/100%"),
    ("/%2525", "/%25"),
    ("/a+b", "/a+b"),
    ("/%C3%A9/", "/\xc3\xa9/"),
    ("/", "/"),
]


@pytest.mark.case("R81")
@pytest.mark.parametrize(("typed", "path"), PATHS)
@pytest.mark.parametrize("make", [make_rest_event, make_http_api_1_event, make_alb_event, make_alb_multi_event])
def test_an_encoded_path_is_decoded_once(make, typed, path):
    assert environ_of(make(path=typed))["PATH_INFO"] == path


@pytest.mark.case("R82")
@pytest.mark.parametrize(
    ("event", "places"),
    [
        (make_rest_event(path="/a", stage="prod"), ("/prod", "/a")),
        (make_rest_event(path="/", stage="prod"), ("/prod", "/")),
        (make_rest_event(path="/prod/a", stage="prod"), ("/prod", "/prod/a")),
        (make_rest_event(path="/v1/a", domain="shop.example"), ("/v1", "/a")),
        (make_rest_event(path="/v1", domain="shop.example"), ("/v1", "/")),
        (make_rest_event(path="/v10", domain="shop.example"), ("/v1", "/v10")),
        (make_http_api_1_event(path="/a"), ("", "/a")),
        (make_http_api_1_event(path="/dev/a", stage="dev"), ("/dev", "/a")),
        (make_http_api_1_event(path="/v1/a", domain="shop.example"), ("/v1", "/a")),
        (make_alb_event(path="/v1/a"), ("/v1", "/a")),
    ],
)
def test_the_stage_or_the_key_of_a_mapping_is_the_script_name(event, places):
    environ = environ_of(event, base_path="/v1")
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == places


@pytest.mark.case("R86")
@pytest.mark.parametrize(
    ("event", "query"),
    [
        (make_rest_event(query={"a": ["1", "2"], "b c": ["é&=", "a+b"]}), "a=1&a=2&b+c=%C3%A9%26%3D&a%2Bb"),
        (make_http_api_1_event(query={"empty": [""]}), "empty="),
        (make_rest_event(queryStringParameters={"a": "1"}), "a=1"),
        (make_rest_event(), ""),
        (make_alb_event(query={"a%20b": "x+y", "c": "%C3%A9"}), "a%20b=x+y&c=%C3%A9"),
        (make_alb_multi_event(query={"a": ["1", "%32"]}), "a=1&a=%32"),
    ],
)
def test_a_query_is_spelled_as_a_client_would_and_a_balancer_s_stays_as_it_was(event, query):
    expected = query.replace("b+c=%C3%A9%26%3D&a%2Bb", "b+c=%C3%A9%26%3D&b+c=a%2Bb")
    assert environ_of(event)["QUERY_STRING"] == expected


@pytest.mark.case("R84", "R85")
def test_repeated_headers_and_cookies_are_all_there():
    sent = {"X-A": ["1", "2"], "Cookie": ["a=1", "b=2"]}
    for event in (make_rest_event(headers=sent), make_alb_multi_event(headers=sent)):
        environ = environ_of(event)
        assert (environ["HTTP_X_A"], environ["HTTP_COOKIE"]) == ("1,2", "a=1; b=2")


@pytest.mark.case("R87")
@pytest.mark.parametrize(
    ("event", "address"),
    [
        (make_rest_event(source_ip="203.0.113.7:5000"), "203.0.113.7"),
        (make_rest_event(source_ip="2001:db8::7"), "2001:db8::7"),
        (make_alb_event(headers={"x-forwarded-for": "1.1.1.1, 203.0.113.7"}), "203.0.113.7"),
        (make_alb_event(headers={"x-forwarded-for": "1.1.1.1,[2001:db8::7]:5000"}), "2001:db8::7"),
        (make_alb_multi_event(headers={"x-forwarded-for": ["1.1.1.1", "203.0.113.7"]}), "203.0.113.7"),
    ],
)
def test_the_client_is_who_aws_says_it_is_and_not_who_it_says_itself(event, address):
    assert environ_of(event)["REMOTE_ADDR"] == address


@pytest.mark.case("R88")
def test_a_health_check_of_a_balancer_with_next_to_no_headers_is_answered():
    event = make_alb_event() | {"headers": {"user-agent": "ELB-HealthChecker/2.0"}}
    environ = environ_of(event)
    assert (environ["HTTP_USER_AGENT"], environ["REMOTE_ADDR"], environ["SERVER_NAME"]) == (
        "ELB-HealthChecker/2.0",
        "",
        "localhost",
    )


def test_a_host_with_a_port_is_no_trouble():
    environ = environ_of(make_alb_event(headers={"host": "shop.example:8443", "x-forwarded-port": "8443"}))
    assert (environ["HTTP_HOST"], environ["SERVER_NAME"], environ["SERVER_PORT"]) == (
        "shop.example:8443",
        "shop.example",
        "8443",
    )


def test_a_header_whose_name_only_looks_like_another_s_never_takes_its_place():
    lookalikes = {"X-To\u212aen": "other", "Coo\u212aie": "a=other"}
    own = {"X-Token": "own", "Cookie": "a=own"}
    for headers in (own | lookalikes, lookalikes | own):
        lists = {name: [value] for name, value in headers.items()}
        for event in (
            make_rest_event(headers=lists),
            make_http_api_1_event(headers=lists),
            make_alb_event(headers=headers),
            make_alb_multi_event(headers=lists),
        ):
            environ = environ_of(event)
            assert (environ["HTTP_X_TOKEN"], environ["HTTP_COOKIE"]) == ("own", "a=own")


def test_keys_that_are_null_are_as_if_they_were_absent():
    event = make_rest_event() | dict.fromkeys(
        ["headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters", "body"]
    )
    event["requestContext"]["identity"] = None
    environ = environ_of(event)
    assert (environ["body"], environ["QUERY_STRING"], environ["REMOTE_ADDR"]) == (b"", "", "")


@pytest.mark.parametrize("make", [make_rest_event, make_http_api_1_event, make_alb_event, make_alb_multi_event])
def test_the_event_in_reach_of_the_application_is_the_one_that_lambda_passed(make):
    event = make()
    assert environ_of(event)["lambda.event"] is event


@pytest.mark.parametrize("make", [make_rest_event, make_http_api_1_event, make_alb_event, make_alb_multi_event])
def test_a_body_is_what_the_client_sent(make):
    assert environ_of(make(method="POST", body=b"\xff\x00"))["body"] == b"\xff\x00"
    assert environ_of(make(method="POST", body="é"))["body"] == b"\xc3\xa9"


def answering():
    app = Flask(__name__)

    @app.route("/", methods=["GET", "POST"])
    def view():
        response = Response(request.args.get("body", "é" * 20), status=int(request.args.get("status", 200)))
        response.headers["Content-Type"] = "text/plain; charset=utf-8"
        response.headers.add("Vary", "A")
        response.headers.add("Vary", "B")
        for cookie in ("a", "b"):
            response.set_cookie(cookie, "1")
        return response

    return app


COOKIES = ["a=1; Path=/", "b=1; Path=/"]


@pytest.mark.parametrize("make", [make_rest_event, make_http_api_1_event])
def test_an_api_gets_text_as_text_since_it_may_not_decode_and_every_cookie(make):
    assert handler_of(answering())(make(), CONTEXT) == {
        "statusCode": 200,
        "headers": {"content-type": "text/plain; charset=utf-8", "vary": "A, B"},
        "multiValueHeaders": {"set-cookie": COOKIES},
        "body": "é" * 20,
        "isBase64Encoded": False,
    }


@pytest.mark.case("S47")
def test_a_balancer_with_single_values_gets_each_cookie_under_a_spelling_of_its_own():
    assert handler_of(answering())(make_alb_event(query={"status": "418", "body": "x"}), CONTEXT) == {
        "statusCode": 418,
        "statusDescription": "418 I'm a Teapot",
        "headers": {
            "content-type": "text/plain; charset=utf-8",
            "vary": "A, B",
            "set-cookie": COOKIES[0],
            "Set-cookie": COOKIES[1],
        },
        "body": "x",
        "isBase64Encoded": False,
    }


@pytest.mark.case("S47", "R85")
def test_a_balancer_with_multiple_values_gets_lists():
    assert handler_of(answering())(make_alb_multi_event(query={"status": ["599"], "body": ["x"]}), CONTEXT) == {
        "statusCode": 599,
        "statusDescription": "599 Unknown",
        "multiValueHeaders": {
            "content-type": ["text/plain; charset=utf-8"],
            "vary": ["A, B"],
            "set-cookie": COOKIES,
        },
        "body": "x",
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize("make", [make_rest_event, make_alb_event, make_alb_multi_event])
def test_binary_answers_and_those_without_a_body_are_sent_as_such(make):
    def app(environ, start_response):
        status = "204 No Content" if environ["REQUEST_METHOD"] == "POST" else "200 OK"
        start_response(status, [("Content-Type", "image/png")])
        return [b"\x89PNG"]

    binary = handler_of(app)(make(), CONTEXT)
    empty = handler_of(app)(make(method="POST"), CONTEXT)
    assert [(result["body"], result["isBase64Encoded"]) for result in (binary, empty)] == [
        ("iVBORw==", True),
        ("", False),
    ]


@pytest.mark.case("S48")
def test_a_balancer_s_own_limit_of_1_mb_is_kept():
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"x" * 1_000_000]

    assert handler_of(app)(make_alb_event(), CONTEXT)["statusCode"] == 500
    assert handler_of(app)(make_rest_event(), CONTEXT)["statusCode"] == 200


@pytest.mark.parametrize(
    "event",
    [
        {"requestContext": {"connectionId": "a", "routeKey": "$connect", "eventType": "CONNECT"}},
        {"type": "TOKEN", "methodArn": "arn", "requestContext": {}},
        {"resource": "/", "path": "/", "requestContext": {"stage": "prod"}},
        {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event"},
        {"requestContext": None, "resource": "/", "httpMethod": "GET"},
    ],
)
def test_what_is_no_request_is_not_taken_for_one(event):
    seen = []

    def app(environ, start_response):
        seen.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], json.loads(environ["wsgi.input"].read())))
        start_response("204 No Content", [])
        return []

    assert handler_of(app, events_path="/events")(event, CONTEXT) is None
    assert seen == [("POST", "/events", event)]


def test_the_same_request_gets_the_same_answer_from_each_service():
    app = answering()
    (expected, *others) = [
        handler_of(app)(event, CONTEXT)
        for event in (
            make_event(query="body=hello"),
            make_rest_event(query={"body": ["hello"]}),
            make_http_api_1_event(query={"body": ["hello"]}),
            make_alb_event(query={"body": "hello"}),
        )
    ]
    for other in others:
        assert {key: other[key] for key in ("statusCode", "body", "isBase64Encoded")} == {
            "statusCode": 200,
            "body": "hello",
            "isBase64Encoded": False,
        }
        assert other["headers"].items() >= expected["headers"].items()


def test_a_request_of_the_current_format_never_imports_mangum():
    program = (
        "import sys, json; from dualmode.handler import wsgi_handler; from dualmode.logs import AccessLog\n"
        "def app(environ, start_response): start_response('204 -', []); return []\n"
        "wsgi_handler(app, AccessLog({}, lambda line: None))(json.load(sys.stdin), None)\n"
        "print([name for name in ('mangum', 'asyncio', 'urllib.parse', 'email', 'http.client') if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps(make_event()), capture_output=True, text=True
    )
    assert (run.stdout, run.stderr) == ("[]\n", "")


def test_result_of_the_current_format_is_not_what_an_older_one_gets():
    assert "multiValueHeaders" not in result_from_answer((200, [("Set-Cookie", "a=1")], b""), "GET")
