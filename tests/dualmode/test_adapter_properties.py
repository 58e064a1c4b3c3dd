"""Whatever a gateway sends and an application answers, the handler answers, and WSGI's validator has no objection."""

import base64
import json
import string
import sys
from wsgiref.validate import validator

from hypothesis import given, settings
from hypothesis import strategies as st

from dualmode.handler import wsgi_handler
from dualmode.http_result import MOST_BYTES
from dualmode.logs import AccessLog
from tests.support.events import CONTEXT

METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
TEXT = st.text(max_size=30)
NAMES = st.text(string.ascii_letters + string.digits + "-_é", min_size=1, max_size=12)
HEADERS = st.dictionaries(
    NAMES | st.sampled_from(["host", "cookie", "content-type", "x-forwarded-proto", "x-forwarded-port"]),
    TEXT,
    max_size=5,
)
BODIES = st.one_of(
    st.just({}),
    st.builds(lambda text: {"body": text, "isBase64Encoded": False}, TEXT),
    st.builds(lambda data: {"body": base64.b64encode(data).decode(), "isBase64Encoded": True}, st.binary(max_size=60)),
    st.builds(lambda text: {"body": text, "isBase64Encoded": True}, TEXT),
    st.just({"body": None}),
)


def members(required, optional):
    return st.fixed_dictionaries(required, optional=optional)


PATHS = TEXT.map(lambda text: "/" + text)
STAGES = st.sampled_from(["$default", "dev"])
PAYLOAD_2 = members(
    {
        "version": st.just("2.0"),
        "requestContext": members(
            {"http": members({"method": METHODS}, {"protocol": st.just("HTTP/1.1"), "sourceIp": TEXT, "path": TEXT})},
            {"stage": STAGES, "domainName": st.sampled_from(["a.lambda-url.b.on.aws", "shop.example", "é", ""])},
        ),
    },
    {
        "rawPath": PATHS | TEXT.map(lambda text: "/dev" + text),
        "rawQueryString": TEXT,
        "headers": HEADERS | st.none(),
        "cookies": st.lists(TEXT, max_size=3),
    },
)
MULTI = st.dictionaries(NAMES, st.lists(TEXT, max_size=3) | st.none(), max_size=4) | st.none()
VERSION_1 = {
    "path": PATHS | st.none(),
    "headers": HEADERS | st.none(),
    "multiValueHeaders": MULTI,
    "queryStringParameters": st.dictionaries(TEXT, TEXT, max_size=3) | st.none(),
    "multiValueQueryStringParameters": MULTI,
}
CONTEXT_1 = members({}, {"path": PATHS, "stage": STAGES, "identity": st.none() | st.just({"sourceIp": "::1"})})
REST = members({"resource": TEXT, "httpMethod": METHODS, "requestContext": CONTEXT_1}, VERSION_1)
HTTP_API_1 = members(
    {"version": st.just("1.0"), "resource": TEXT, "httpMethod": METHODS, "requestContext": CONTEXT_1}, VERSION_1
)
ALB = members({"httpMethod": METHODS, "requestContext": st.just({"elb": {}})}, VERSION_1)
EVENTS = st.builds(lambda event, body: event | body, st.one_of(PAYLOAD_2, REST, HTTP_API_1, ALB), BODIES)

ANSWERS = st.tuples(
    st.sampled_from(["200 OK", "204 No Content", "304 Not Modified", "404 Not Found", "599 Odd"]),
    st.lists(
        st.tuples(
            st.sampled_from(["X-A", "x-a", "Set-Cookie", "Content-Encoding", "Vary", "Date"]),
            st.text(string.printable.strip(), min_size=1, max_size=9),
        ),
        max_size=4,
    ),
    st.lists(st.binary(max_size=40) | TEXT.map(str.encode), max_size=3),
)


def valid(answer, seen):
    status, headers, chunks = answer
    if status[:3] in ("204", "304"):
        chunks = []
    else:
        headers = [*headers, ("Content-Type", "text/plain; charset=utf-8")]

    def app(environ, start_response):
        seen.append(environ["wsgi.input"].read(10_000_000))
        start_response(status, headers)
        return chunks

    return validator(app)


@settings(max_examples=400, deadline=None)
@given(EVENTS, ANSWERS)
def test_any_request_is_answered_with_what_the_application_answered(event, answer):
    handler = wsgi_handler(valid(answer, seen := []), AccessLog({"AWS_LAMBDA_LOG_LEVEL": "ERROR"}, sys.stdout.write))
    result = json.loads(json.dumps(handler(event, CONTEXT)))
    if not seen:  # only where the body isn't the base64 it is said to be
        assert result["statusCode"] == 400
        return
    sent = event.get("body") or ""
    assert seen == [base64.b64decode(sent) if event.get("isBase64Encoded") else sent.encode("utf-8", "surrogatepass")]
    status, _, chunks = answer
    method = event.get("httpMethod") or event["requestContext"]["http"]["method"]
    expected = b"" if method == "HEAD" or status[:3] in ("204", "304") else b"".join(chunks)
    body = base64.b64decode(result["body"]) if result["isBase64Encoded"] else result["body"].encode()
    assert (result["statusCode"], body) == (int(status[:3]), expected)
    assert len(json.dumps(result)) < MOST_BYTES


JUNK = (
    st.none()
    | st.booleans()
    | st.integers()
    | TEXT
    | st.lists(TEXT, max_size=2)
    | st.dictionaries(TEXT, TEXT, max_size=2)
)


def places(value, path=()):
    """Every place in an event, as the keys that lead there."""
    for key, member in value.items() if isinstance(value, dict) else ():
        yield (*path, key)
        yield from places(member, (*path, key))


@settings(max_examples=400, deadline=None)
@given(EVENTS, st.integers(0, 10_000), JUNK)
def test_an_event_with_anything_anywhere_is_answered_all_the_same(event, number, junk):
    event = json.loads(json.dumps(event))
    found = list(places(event))
    *outer, key = found[number % len(found)]
    member = event
    for step in outer:
        member = member[step]
    member[key] = junk
    app = valid(("200 OK", [], [b"{}"]), [])
    # With a route for events: what is no request any more is an event.
    handler = wsgi_handler(app, AccessLog({"AWS_LAMBDA_LOG_LEVEL": "ERROR"}, sys.stdout.write), events_path="/events")
    json.dumps(handler(event, CONTEXT))
