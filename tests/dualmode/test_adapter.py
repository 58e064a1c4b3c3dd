"""What the adapter does with requests and answers, beyond the cases of docs/http-api.md."""

import io
import json
import sys
from contextvars import ContextVar
from types import SimpleNamespace

import apig_wsgi
import pytest
from awslambdaric.lambda_runtime_marshaller import to_json
from flask import Flask, Response, redirect, request

from dualmode import logs
from dualmode.asgi import EnvironRequest
from dualmode.handler import wsgi_handler
from dualmode.http_event import make_environ_from_event
from dualmode.http_result import escapes_non_ascii, result_from_answer, within_limit
from dualmode.logs import AccessLog
from tests.support.events import (
    CONTEXT,
    make_alb_event,
    make_alb_multi_event,
    make_event,
    make_function_url_event,
    make_http_api_1_event,
    make_rest_event,
)

environ_from_event = make_environ_from_event()

UNAVAILABLE = (
    "<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>\n<h1>Internal Server Error</h1>\n"
    "<p>The server encountered an internal error and was unable to complete your request. Either the server is"
    " overloaded or there is an error in the application.</p>\n"
)
ERROR_PAGE = {
    "statusCode": 500,
    "headers": {"content-type": "text/html; charset=utf-8"},
    "body": UNAVAILABLE,
    "isBase64Encoded": False,
}


QUIET = AccessLog({"AWS_LAMBDA_LOG_LEVEL": "ERROR"}, sys.stdout.write)


def handler_of(app, **options):
    return wsgi_handler(app, QUIET, **options)


def text(status, body):
    return {"statusCode": status, "headers": {"content-type": "text/plain"}, "body": body, "isBase64Encoded": False}


def answering(*chunks, status="200 OK", headers=(("Content-Type", "text/plain"),)):
    def app(environ, start_response):
        start_response(status, list(headers))
        return chunks

    return app


def test_an_application_gets_a_whole_environ():
    event = make_event(
        method="POST",
        path="/a b/é",
        query="q=1",
        headers={"accept": "*/*", "content-type": "text/plain", "x-forwarded-proto": "http", "x-forwarded-port": "80"},
        cookies=["a=1"],
        body="hé",
    )
    environ = environ_from_event(event, CONTEXT)
    domain = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
    assert environ.pop("wsgi.input").read() == b"h\xc3\xa9"
    assert environ == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a b/\xc3\xa9",
        "QUERY_STRING": "q=1",
        "REQUEST_URI": "/a%20b/%C3%A9?q=1",
        "RAW_URI": "/a%20b/%C3%A9?q=1",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "3",
        "SERVER_NAME": domain,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "203.0.113.7",
        "HTTP_ACCEPT": "*/*",
        "HTTP_COOKIE": "a=1",
        "HTTP_HOST": domain,
        "HTTP_X_AMZN_TRACE_ID": "Root=1-67fd8860-650d70a10ef73c6b16106e8d",
        "HTTP_X_FORWARDED_FOR": "203.0.113.7",
        "HTTP_X_FORWARDED_PORT": "80",
        "HTTP_X_FORWARDED_PROTO": "http",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "lambda.event": event,
        "lambda.context": CONTEXT,
        "lambda.authorizer": {},
    }


def test_an_event_without_what_may_be_missing_is_a_request_for_the_root():
    event = {"version": "2.0", "requestContext": {"http": {}}}
    environ = environ_from_event(event, None)
    assert {key: environ.get(key) for key in ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "HTTP_HOST")} == {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "HTTP_HOST": None,
    }
    assert (environ["wsgi.url_scheme"], environ["SERVER_PORT"], environ["SERVER_NAME"]) == ("https", "443", "localhost")


def test_a_header_with_an_underscore_is_dropped_since_it_could_pass_for_another():
    environ = environ_from_event(make_event(headers={"x-user": "guest", "x_user": "admin"}), CONTEXT)
    assert environ["HTTP_X_USER"] == "guest"


@pytest.mark.parametrize("own_first", [True, False])
@pytest.mark.parametrize(
    ("own", "other"),
    [
        ("x-token", "X-To\u212aen"),  # the Kelvin sign is a k in lower case
        ("x-token", "x-to\u212aen"),
        ("x-session", "x-\u017fession"),  # the long s is an S in upper case
        ("content-type", "content-typ\uff45"),
        ("cookie", "coo\u212aie"),
        ("x-forwarded-proto", "x_forwarded_proto"),
    ],
)
def test_a_header_whose_name_only_looks_like_another_s_never_takes_its_place(own, other, own_first):
    environ_of = make_environ_from_event()
    pair = {own: "own", other: "other"}
    headers = pair if own_first else dict(reversed(pair.items()))
    for _ in range(2):  # names are remembered
        environ = environ_of(make_event(headers=headers), CONTEXT)
        assert "other" not in environ.values()
        assert "own" in environ.values() or own == "x-forwarded-proto"


HUGE_PORTS = ["1" * 5000, "99999", "65536", "0", "-1", "\uff11", "4 4", "443\r\nx: y", "0" * 5000 + "1"]


@pytest.mark.parametrize("port", HUGE_PORTS, ids=range(len(HUGE_PORTS)))
@pytest.mark.parametrize("kind", ["Flask", "FastAPI"])
def test_a_port_that_is_none_is_the_scheme_s_in_every_kind_of_event(port, kind, caplog):
    app = showing_port(kind)
    one, many = {"x-forwarded-port": port}, {"x-forwarded-port": [port]}
    events = [
        make_event(headers=one),
        make_event(path="/dev/", stage="dev", headers=one),
        make_function_url_event(headers=one),
        make_rest_event(headers=many),
        make_http_api_1_event(headers=many),
        make_alb_event(headers=one),
        make_alb_multi_event(headers=many),
    ]
    answers = [wsgi_handler(app, QUIET)(event, CONTEXT) for event in events]
    assert [(answer["statusCode"], answer["body"]) for answer in answers] == [(200, "443")] * len(events)
    assert caplog.records == []


def showing_port(kind):
    if kind == "Flask":
        app = Flask(__name__)
        app.add_url_rule("/", view_func=lambda: request.environ["SERVER_PORT"])
        return app

    def app(environ, start_response):  # what an ASGI application's scope has
        scope = EnvironRequest(environ, None, None).scope
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(scope["server"][1]).encode()]

    return app


MALFORMED = [
    {"version": "2.0", "requestContext": {"http": 5}},
    {"version": "2.0", "requestContext": {"http": {}}, "headers": [1]},
    {"version": "2.0", "requestContext": {"http": {}}, "headers": {"x-amzn-trace-id": 5}},
    {"version": "2.0", "requestContext": {"http": {}}, "headers": {"x-a": {}}},
    {"resource": "/", "httpMethod": "GET", "requestContext": {}, "multiValueHeaders": {"a": 5}},
    {"httpMethod": "GET", "requestContext": {"elb": 5}, "path": 5},
]


@pytest.mark.parametrize("malformed", MALFORMED, ids=str)
def test_nothing_of_one_invocation_is_left_for_the_next_also_if_that_one_is_malformed(malformed, caplog, monkeypatch):
    user = ContextVar("user", default="nobody")
    app = Flask(__name__)

    @app.get("/<name>")
    def view(name):
        seen = user.get()
        user.set(name)
        return seen

    monkeypatch.setattr(logs.current, "request_id", "")
    monkeypatch.setattr(logs.current, "trace", "")
    handler = handler_of(app)
    assert handler(make_event(path="/one"), CONTEXT)["body"] == "nobody"
    assert logs.current.trace_id == "1-67fd8860-650d70a10ef73c6b16106e8d"
    traced = []
    caplog.handler.addFilter(lambda record: traced.append(logs.current.trace_id) or logs._add_trace(record))
    later = SimpleNamespace(aws_request_id="later")
    assert handler(malformed, later)["statusCode"] == 400
    assert (logs.current.request_id, logs.current.trace, traced) == ("later", "", [""])
    assert [hasattr(record, "traceId") for record in caplog.records] == [False]
    assert (handler(make_event(path="/two"), CONTEXT)["body"], user.get()) == ("nobody", "nobody")


def test_a_malformed_event_is_logged_with_a_trace_of_its_own(caplog):
    event = make_event(headers={"x-amzn-trace-id": "Root=1-2;Parent=3", "x-a": None})
    caplog.handler.addFilter(logs._add_trace)
    assert handler_of(answering(b"never"))(event, CONTEXT)["statusCode"] == 400
    assert [record.traceId for record in caplog.records] == ["1-2"]


@pytest.mark.parametrize(
    "respond",
    [
        lambda: Response("x", headers={"X-A": "1\r\nX-B: 2"}),
        lambda: Response("x", status="200 OK\r\nX-B: 2"),
        lambda: redirect(request.args["to"]),
        lambda: with_cookie("a", request.args["to"]),
        lambda: with_cookie("a\r\nX-B", "2"),
        lambda: with_cookie("a", "1", path="/\r\nX-B: 2"),
    ],
)
def test_what_a_client_sent_splits_no_response_of_flask(respond):
    app = Flask(__name__)
    app.add_url_rule("/", view_func=respond)
    result = handler_of(app)(make_event(query="to=/a%0D%0AX-B:%202%0D%0A%0D%0AHTTP/1.1%20200"), CONTEXT)
    sent = [*result["headers"].items(), *result.get("cookies", [])]
    assert isinstance(result["statusCode"], int)
    assert [field for field in sent if "\n" in "".join(field) or "\r" in "".join(field)] == []
    assert "x-b" not in result["headers"]


def with_cookie(name, value, **options):
    response = Response("x")
    response.set_cookie(name, value, **options)
    return response


@pytest.mark.parametrize(
    ("proto", "port", "seen"),
    [
        ("https", "443", ("https", "443")),
        ("http", "3000", ("http", "3000")),
        ("http,https", "80,443", ("https", "443")),
        ("javascript", "443", ("https", "443")),
        ("https", "http", ("https", "443")),
        ("HTTP", "x", ("http", "80")),
        ("https", "²", ("https", "443")),
    ],
)
def test_scheme_and_port_are_the_last_that_was_written_and_nothing_else_than_that(proto, port, seen):
    environ = environ_from_event(make_event(headers={"x-forwarded-proto": proto, "x-forwarded-port": port}), CONTEXT)
    assert (environ["wsgi.url_scheme"], environ["SERVER_PORT"]) == seen


def test_a_host_that_a_client_claims_to_have_been_forwarded_is_not_the_host():
    app = Flask(__name__)
    app.add_url_rule("/", view_func=lambda: request.url_root)
    event = make_event(domain="shop.example", headers={"x-forwarded-host": "evil.example"})
    assert handler_of(app)(event, CONTEXT)["body"] == "https://shop.example/"


@pytest.mark.parametrize(
    ("domain", "stage", "path", "places"),
    [
        ("shop.example", "$default", "/a", ("/v1", "/a")),
        ("shop.example", "dev", "/dev/a", ("/v1", "/a")),
        ("a1.execute-api.eu-central-1.amazonaws.com", "dev", "/dev/a", ("/dev", "/a")),
        ("a1.execute-api.eu-central-1.amazonaws.com", "dev", "/dev", ("/dev", "")),
        ("a1.execute-api.eu-central-1.amazonaws.com", "dev", "/device", ("", "/device")),
        ("a1.execute-api.eu-central-1.amazonaws.com", "$default", "/v1/a", ("", "/v1/a")),
        ("a1.lambda-url.eu-central-1.on.aws", "$default", "/a", ("", "/a")),
    ],
)
def test_the_stage_or_the_key_of_a_mapping_is_the_script_name(domain, stage, path, places):
    environ = make_environ_from_event("/v1")(make_event(domain=domain, stage=stage, path=path), CONTEXT)
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == places


def test_a_url_that_flask_makes_below_a_stage_leads_back_there():
    app = Flask(__name__)
    app.add_url_rule("/a", "a", lambda: app.url_for("a"))
    assert handler_of(app)(make_event(path="/dev/a", stage="dev"), CONTEXT)["body"] == "/dev/a"


def test_non_ascii_headers_and_cookies_reach_the_application_as_their_bytes():
    environ = environ_from_event(make_event(headers={"x-a": "é", "x-b": "日"}, cookies=["n=日"]), CONTEXT)
    assert (environ["HTTP_X_A"], environ["HTTP_X_B"]) == ("é", "日".encode().decode("latin-1"))
    assert environ["HTTP_COOKIE"] == "n=日".encode().decode("latin-1")


def test_what_a_client_names_its_headers_is_not_remembered_without_end():
    import tracemalloc

    environ_of = make_environ_from_event()
    for number in range(3000):
        environ_of(make_event(headers={f"x-{number}": "1"}), CONTEXT)
    tracemalloc.start()
    try:
        for number in range(3000, 6000):
            assert environ_of(make_event(headers={f"x-{number}": "1"}), CONTEXT)[f"HTTP_X_{number}"] == "1"
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 50_000


@pytest.mark.parametrize("body", ["a", "é", "=a===", "!!!", "YQ==\n"])
def test_a_body_that_is_not_the_base64_it_is_said_to_be_is_a_bad_request(body):
    event = make_event(method="POST", body=body, isBase64Encoded=True)
    assert handler_of(answering(b"never"))(event, CONTEXT) == {
        "statusCode": 400,
        "headers": {"content-type": "application/json"},
        "body": '{"error":"The body is not valid base64"}\n',
        "isBase64Encoded": False,
    }


def test_an_application_may_write_instead_of_returning():
    def app(environ, start_response):
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        write(b"a")
        write(b"b")
        return [b"c"]

    assert handler_of(app)(make_event(), CONTEXT) == text(200, "abc")


def test_an_application_may_start_its_response_with_the_first_chunk():
    def app(environ, start_response):
        start_response("201 Created", [("Content-Type", "text/plain")])
        yield b"a"
        yield b"b"

    assert handler_of(app)(make_event(), CONTEXT) == text(201, "ab")


def test_an_application_may_replace_its_response_before_it_produced_any():
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/html")])
        try:
            raise ValueError
        except ValueError:
            start_response("502 Bad Gateway", [("Content-Type", "text/plain")], sys.exc_info())
        return [b"sorry"]

    assert handler_of(app)(make_event(), CONTEXT) == text(502, "sorry")


def broken_at_once(environ, start_response):
    raise ValueError("broken")


def broken_in_the_middle(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"half"
    raise ValueError("broken")


def broken_with_error_page_in_the_middle(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"half"
    try:
        raise ValueError("broken")
    except ValueError:
        start_response("500 Sorry", [("Content-Type", "text/plain")], sys.exc_info())
    yield b"the other half"


def never_starting(environ, start_response):
    return [b"a"]


def never_starting_nor_answering(environ, start_response):
    return []


def starting_twice(environ, start_response):
    start_response("200 OK", [])
    start_response("200 OK", [])
    return []


def answering_text(environ, start_response):
    start_response("200 OK", [])
    return ["text"]


def answering_no_status(environ, start_response):
    start_response("OK", [])
    return [b""]


@pytest.mark.parametrize(
    ("app", "error"),
    [
        (broken_at_once, ValueError),
        (broken_in_the_middle, ValueError),
        (broken_with_error_page_in_the_middle, ValueError),
        (never_starting, AssertionError),
        (never_starting_nor_answering, AssertionError),
        (starting_twice, AssertionError),
        (answering_text, TypeError),
        (answering_no_status, ValueError),
    ],
)
def test_a_broken_application_is_a_500_and_never_half_an_answer(app, error, caplog):
    assert handler_of(app)(make_event(path="/a"), CONTEXT) == ERROR_PAGE
    assert [(record.message, record.exc_info[0]) for record in caplog.records] == [("Exception on /a [GET]", error)]


def test_an_exit_in_the_application_ends_the_process_as_it_asked_for():
    def app(environ, start_response):
        sys.exit(3)

    with pytest.raises(SystemExit):
        handler_of(app)(make_event(), CONTEXT)


class Closing:
    """A body that counts how often it was closed."""

    def __init__(self, chunks, error=None):
        self.chunks, self.error, self.closed = chunks, error, 0

    def __iter__(self):
        return iter(self.chunks)

    def close(self):
        self.closed += 1
        if self.error:
            raise self.error


@pytest.mark.parametrize(
    ("chunks", "method", "status"),
    [([b"a"], "GET", 200), ([b"a"], "HEAD", 200), ([1], "GET", 500), ([], "GET", 200)],
)
def test_the_body_is_closed_once_whatever_became_of_it(chunks, method, status):
    body = Closing(chunks)

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return body

    assert handler_of(app)(make_event(method=method), CONTEXT)["statusCode"] == status
    assert body.closed == 1


def test_an_exception_on_closing_is_logged_and_the_whole_answer_kept(caplog):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Closing([b"whole"], ValueError("late"))

    assert handler_of(app)(make_event(path="/a"), CONTEXT) == text(200, "whole")
    assert [record.message for record in caplog.records] == ["Exception on closing /a [GET]"]


BODIES = [
    pytest.param(b"plain", "text/plain", None, ("plain", False), id="ascii is text"),
    pytest.param(b"", None, None, ("", False), id="nothing is nothing"),
    pytest.param("naïve".encode(), "text/plain; charset=utf-8", None, ("bmHDr3Zl", True), id="shorter as base64"),
    pytest.param(b"x" * 40 + "é".encode(), "text/plain", None, ("x" * 40 + "é", False), id="shorter as text"),
    pytest.param(b"\xff\xfe", "text/plain", None, ("//4=", True), id="not utf-8"),
    pytest.param(b"abc", "text/plain", "gzip", ("YWJj", True), id="encoded content"),
    pytest.param(b"x" * 40 + b"\xc3\xa9", "text/html; charset=ISO-8859-1", None, ("eHh4", True), id="other charset"),
    pytest.param(b"x" * 40 + b"\xc3\xa9", 'text/html; charset="UTF-8"', None, ("x" * 40 + "é", False), id="quoted"),
    pytest.param(b"x", "image/png", None, ("x", False), id="what is ascii survives under any type"),
]


@pytest.mark.parametrize(("body", "content_type", "encoding", "expected"), BODIES)
def test_a_body_is_text_where_text_comes_out_as_the_same_bytes(body, content_type, encoding, expected):
    headers = [("Content-Type", content_type)] if content_type else []
    headers += [("Content-Encoding", encoding)] if encoding else []
    result = result_from_answer((200, headers, body), "GET")
    assert (result["body"][: len(expected[0])], result["isBase64Encoded"]) == expected


def test_a_body_without_a_type_gets_the_one_that_claims_nothing_and_no_body_gets_none():
    assert result_from_answer((200, [], b"x"), "GET")["headers"] == {"content-type": "application/octet-stream"}
    assert result_from_answer((200, [], b""), "GET")["headers"] == {}
    assert result_from_answer((200, [], b"x"), "HEAD")["headers"] == {}


@pytest.mark.parametrize("character", ["x", '"', "\x00", "é", "😀"])
def test_the_limit_is_that_of_the_result_as_awslambdaric_writes_it(character, caplog):
    limit, headers = 200_000, [("Content-Type", "text/plain; charset=utf-8"), ("Set-Cookie", "a=é")]

    def sent(length):
        return within_limit((200, headers, (character * length).encode()), "GET", limit=limit)

    low, high = 0, limit
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if sent(middle)["statusCode"] == 200 else (low, middle)
    assert (
        len(to_json(sent(low)))
        <= limit
        < len(to_json(result_from_answer((200, headers, (character * high).encode()), "GET")))
    )


def test_large_headers_count_towards_the_limit():
    answer = (200, [("X-Large", "x" * 7_000_000)], b"")
    assert within_limit(answer, "GET")["statusCode"] == 500


@pytest.mark.parametrize(
    ("name", "escapes"),
    [("AWS_Lambda_python3.12", False), ("AWS_Lambda_python3.15", False), ("AWS_Lambda_Image", True)],
)
def test_who_escapes_text_is_known_as_awslambdaric_knows_it(name, escapes, monkeypatch):
    monkeypatch.setenv("AWS_EXECUTION_ENV", name)
    assert escapes_non_ascii({"AWS_EXECUTION_ENV": name}) is escapes is (to_json("é") == '"\\u00e9"')


def everything():
    """A Flask application that shows what it was asked."""
    app = Flask(__name__)

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
    @app.route("/<path:path>", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
    def view(path):
        response = Response(
            json.dumps(
                {
                    "method": request.method,
                    "path": request.path,
                    "args": request.args.to_dict(flat=False),
                    "form": request.form.to_dict(flat=False),
                    "files": {name: file.read().decode() for name, file in request.files.items()},
                    "data": request.get_data(cache=True).decode("latin-1"),
                    "cookies": request.cookies,
                    "agent": request.headers.get("User-Agent"),
                    "length": request.content_length,
                    "ip": request.remote_addr,
                }
            ),
            mimetype="application/json",
        )
        response.set_cookie("seen", "yes")
        return response

    return app


REQUESTS = {
    "plain": {"path": "/a/b"},
    "spaces and signs": {"path": "/a b/c+d/100%/é"},
    "query": {"path": "/", "query": "a=1&a=2&b=%C3%A9&c=a+b&d"},
    "form": {
        "method": "POST",
        "path": "/f",
        "headers": {"content-type": "application/x-www-form-urlencoded"},
        "body": b"a=1&b=%20x",
    },
    "upload": {
        "method": "POST",
        "path": "/u",
        "headers": {"content-type": "multipart/form-data; boundary=b"},
        "body": b'--b\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\nhello\r\n--b--\r\n',
    },
    "json": {"method": "PUT", "path": "/j", "headers": {"content-type": "application/json"}, "body": '{"a": 1}'},
    "bytes": {"method": "PATCH", "path": "/b", "body": bytes(range(256))},
    "cookies": {"path": "/c", "cookies": ["a=1", "b=x y"]},
    "delete": {"method": "DELETE", "path": "/d", "headers": {"user-agent": "curl/8"}},
}


@pytest.mark.parametrize("made", REQUESTS.values(), ids=REQUESTS)
def test_flask_sees_the_same_request_as_through_its_own_test_client(made):
    app = everything()
    result = handler_of(app)(make_event(**made), CONTEXT)
    body = made.get("body", b"")
    headers = {"Cookie": "; ".join(made["cookies"])} if "cookies" in made else {}
    client = app.test_client(use_cookies=False)
    response = client.open(
        path=made["path"],
        method=made.get("method", "GET"),
        query_string=made.get("query"),
        data=body.encode() if isinstance(body, str) else body or None,
        headers=headers | made.get("headers", {}) | {"User-Agent": made.get("headers", {}).get("user-agent", "")},
        environ_overrides={"REMOTE_ADDR": "203.0.113.7"},
    )
    expected = json.loads(response.get_data()) | {"agent": made.get("headers", {}).get("user-agent")}
    assert (result["statusCode"], json.loads(result["body"])) == (response.status_code, expected)
    assert result["cookies"] == response.headers.getlist("Set-Cookie")


# apig-wsgi decodes a decoded path once more; the rest must be the same.
COMPARED = {name: made for name, made in REQUESTS.items() if name != "spaces and signs"}


@pytest.mark.parametrize("made", COMPARED.values(), ids=COMPARED)
def test_flask_sees_the_same_request_as_through_apig_wsgi(made):
    app = everything()
    theirs = apig_wsgi.make_lambda_handler(app, binary_support=True)(make_event(**made), CONTEXT)
    ours = handler_of(app)(make_event(**made), CONTEXT)
    seen_by_theirs, seen_by_ours = json.loads(theirs["body"]), json.loads(ours["body"])
    if not made.get("body") and made.get("method", "GET") in ("GET", "DELETE"):
        assert (seen_by_theirs.pop("length"), seen_by_ours.pop("length")) == (0, None)
    if "cookies" not in made:
        assert seen_by_theirs["cookies"] == {}
    assert seen_by_ours == seen_by_theirs


def test_the_event_and_the_context_are_in_reach_of_the_application():
    app = Flask(__name__)

    @app.get("/")
    def claims():
        event, context = request.environ["lambda.event"], request.environ["lambda.context"]
        assert event["requestContext"]["authorizer"] == request.environ["lambda.authorizer"]
        return {"claims": request.environ["lambda.authorizer"], "id": context.aws_request_id}

    event = make_event()
    event["requestContext"]["authorizer"] = {"jwt": {"claims": {"sub": "1"}}}
    assert json.loads(handler_of(app)(event, CONTEXT)["body"]) == {
        "claims": {"jwt": {"claims": {"sub": "1"}}},
        "id": CONTEXT.aws_request_id,
    }


def test_a_stream_is_collected_and_a_file_sent():
    app = Flask(__name__)
    app.add_url_rule("/stream", "stream", lambda: Response(f"{n}," for n in range(3)))

    @app.get("/file")
    def file():
        from flask import send_file

        return send_file(io.BytesIO(b"\x89PNG\r\n"), mimetype="image/png")

    handler = handler_of(app)
    assert handler(make_event(path="/stream"), CONTEXT)["body"] == "0,1,2,"
    sent = handler(make_function_url_event(path="/file"), CONTEXT)
    assert (sent["body"], sent["isBase64Encoded"], sent["headers"]["content-type"]) == ("iVBORw0K", True, "image/png")
