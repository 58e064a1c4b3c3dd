"""One image, three modes: an application answers alike locally, under AWS's emulator and behind the gateway."""

import base64
import contextlib
import functools
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.support.bundle_use import VERBOSE, check_bundle
from tests.support.examples import build_arguments
from tests.support.images import Image
from tests.support.running_image import Reply, RunningImage

MODES = ["local", "lambda", "gateway"]
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


def event_of(method, target, body=None, headers=None):
    """A payload format 2.0 event, as an HTTP API makes it of a request whose path needs no decoding."""
    url = urlsplit(target)
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": url.path,
        "rawQueryString": url.query,
        "headers": {"host": "api.example.com", **(headers or {})},
        "requestContext": {
            "domainName": "api.example.com",
            "http": {"method": method, "path": url.path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "requestId": "JCJJxhz4PHcEJgQ=",
            "stage": "$default",
        },
        "isBase64Encoded": body is not None,
    }
    return event | ({} if body is None else {"body": base64.b64encode(body).decode()})


def reply_of(result):
    """What a client reads of a function's result; of several cookies the last, as everywhere in Reply."""
    body = base64.b64decode(result["body"]) if result["isBase64Encoded"] else result["body"].encode()
    cookies = dict(("set-cookie", cookie) for cookie in result.get("cookies", []))  # noqa: C402 - a key that repeats
    return Reply(result["statusCode"], result["headers"] | cookies, body)


class InMode(NamedTuple):
    """An image that runs in a mode; called, it answers a request."""

    mode: str
    image: Image
    running: RunningImage

    def __call__(self, *request):
        if self.mode == "lambda":
            return reply_of(self.running.invoke(event_of(*request)).json)
        return self.running.request(*request)

    def check_bundle(self, *modules):
        check_bundle(self.running, modules, used=self.image.has_bundle and self.mode != "local")


@contextlib.contextmanager
def in_mode(mode, image, rie):
    """Asks an image in a mode."""
    starting = (
        image.under_rie(rie, environment=VERBOSE) if mode == "lambda" else image.serving(mode, environment=VERBOSE)
    )
    with starting as running:
        yield InMode(mode, image, running)


@pytest.fixture(scope="module")
def modes(rie):
    """Images in their modes: each is started once, whatever the order of the tests."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def started(mode, image):
            return stack.enter_context(in_mode(mode, image, rie))

        yield started


def facts(reply, *names):
    return reply.status, {name: reply.headers.get(name) for name in names}, reply.body


@pytest.fixture(params=MODES)
def sample(request, modes, sample_anywhere):
    return modes(request.param, sample_anywhere)


@pytest.mark.parametrize(
    ("request_", "status", "document"),
    [
        (("GET", "/"), 200, {"ok": True}),
        (("GET", "/hello"), 200, {"message": "Hello from Flask!"}),
        (("GET", "/health"), 200, {"status": "healthy"}),
        (("POST", "/echo", b'{"message":"abc"}', JSON), 200, {"reversed": "cba"}),
        (("POST", "/echo", b"abc", JSON), 400, {"error": "Invalid JSON in request body"}),
        (("POST", "/echo", b"{}", JSON), 400, {"error": "Missing required field: message"}),
        (("GET", "/nope"), 404, {"error": "Not found"}),
        (("GET", "/echo"), 405, {"error": "Method not allowed"}),
    ],
    ids=lambda value: " ".join(map(str, value[:3])) if isinstance(value, tuple) else "",
)
def test_the_sample_answers_in_each_mode(sample, request_, status, document):
    reply = sample(*request_)
    assert (reply.status, reply.headers["content-type"], reply.json) == (status, "application/json", document)


@pytest.fixture(params=MODES)
def httpbin(request, modes, httpbin_anywhere):
    return modes(request.param, httpbin_anywhere)


def test_httpbin_s_modules_come_out_of_the_bundle_in_each_mode_but_local(httpbin):
    assert httpbin("GET", "/get").status == 200
    httpbin.check_bundle("httpbin", "httpbin.core", "flask.globals", "json.decoder", "dualmode.application")


def test_httpbin_reads_a_query_in_each_mode(httpbin):
    assert httpbin("GET", "/get?a=1&b=x%20y&a=2").json["args"] == {"a": ["1", "2"], "b": "x y"}


def test_httpbin_reads_a_form_in_each_mode(httpbin):
    assert httpbin("POST", "/post", b"a=1&b=%E2%98%95", FORM).json["form"] == {"a": "1", "b": "\u2615"}


def test_httpbin_sends_bytes_in_each_mode(httpbin):
    status, headers, body = facts(httpbin("GET", "/image/png"), "content-type")
    assert (status, headers, body[:8], len(body)) == (200, {"content-type": "image/png"}, b"\x89PNG\r\n\x1a\n", 8090)


def test_httpbin_renders_a_template_in_each_mode(httpbin):
    reply = httpbin("GET", "/forms/post")
    assert (reply.status, reply.body.count(b"<form")) == (200, 1)


def test_httpbin_sets_a_cookie_in_each_mode(httpbin):
    reply = httpbin("GET", "/cookies/set/flavour/oat")
    assert (reply.status, reply.headers["location"]) == (302, "/cookies")
    assert reply.headers["set-cookie"].split("; ")[0] == "flavour=oat"


def test_httpbin_answers_as_a_teapot_in_each_mode(httpbin):
    reply = httpbin("GET", "/status/418")
    assert (reply.status, b"teapot" in reply.body) == (418, True)


@pytest.fixture(scope="module")
def fastapi_image(build_to_run):
    return build_to_run("fastapi", **build_arguments("fastapi"))


@pytest.fixture(params=MODES)
def fastapi(request, modes, fastapi_image):
    return modes(request.param, fastapi_image)


def test_fastapi_s_modules_come_out_of_the_bundle_in_each_mode_but_local(fastapi):
    assert fastapi("GET", "/").status == 200
    fastapi.check_bundle("greetings", "fastapi", "pydantic", "json.decoder", "dualmode.asgi", "mangum.protocols.http")


def test_fastapi_has_started_up_in_each_mode(fastapi):
    assert fastapi("GET", "/").json == {"languages": ["de", "en", "fr", "ja"]}


def test_fastapi_starts_up_once_for_all_requests_in_each_mode(fastapi):
    assert [fastapi("GET", "/starts").json for _ in range(3)] == [{"starts": 1}] * 3


def test_fastapi_reads_path_query_and_cookie_in_each_mode(fastapi):
    assert fastapi("GET", "/greetings/ja?name=Ada%20L").json == {"greeting": "こんにちは, Ada L!"}
    assert fastapi("GET", "/greetings/en", None, {"cookie": "visitor=Bo"}).json == {"greeting": "Hello, Bo!"}


def test_fastapi_validates_a_body_and_sets_cookies_in_each_mode(fastapi):
    reply = fastapi("POST", "/greetings", b'{"name":"Ada","language":"fr"}', JSON)
    assert (reply.status, reply.json) == (201, {"greeting": "Salut, Ada!"})
    assert reply.headers["set-cookie"] == "language=fr; Path=/; SameSite=lax"
    assert fastapi("POST", "/greetings", b'{"name":""}', JSON).status == 422


def test_fastapi_takes_and_sends_bytes_in_each_mode(fastapi):
    reply = fastapi("PUT", "/mirror", bytes(range(256)), {"content-type": "application/octet-stream"})
    assert facts(reply, "content-type") == (
        200,
        {"content-type": "application/octet-stream"},
        bytes(reversed(range(256))),
    )


def test_fastapi_streams_in_each_mode(fastapi):
    assert facts(fastapi("GET", "/countdown/3"), "content-type") == (
        200,
        {"content-type": "text/plain; charset=utf-8"},
        b"3\n2\n1\n",
    )


def test_fastapi_answers_404_in_each_mode(fastapi):
    reply = fastapi("GET", "/greetings/tlh")
    assert (reply.status, reply.json) == (404, {"detail": "No greeting is known in tlh"})


@pytest.fixture(scope="module")
def views_image(build_to_run):
    return build_to_run("views", **build_arguments("views"))


@pytest.mark.parametrize("mode", MODES)
def test_views_imported_for_their_side_effect_are_registered_in_each_mode(mode, views_image, rie):
    with in_mode(mode, views_image, rie) as ask:
        assert ask("GET", "/").json == {"registered": "by import"}
