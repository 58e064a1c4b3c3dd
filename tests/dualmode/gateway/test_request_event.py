"""The event an HTTP API makes of a request; expected values are those of docs/http-api.md."""

import asyncio
import base64
import datetime
import json
import re

import mangum
import pytest
from apig_wsgi import make_lambda_handler

from dualmode.gateway.api_gateway.request_event import (
    Endpoint,
    EventOptions,
    MalformedTargetError,
    decoded_path,
    event_from_request,
    new_request_id,
)
from dualmode.gateway.http.message import Request
from tests.support.cases import case_param

ABSENT = object()
HOST = ("Host", "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com")
PEER = "203.0.113.7"


def make_event(
    target="/", *headers, method="GET", body=b"", endpoint=None, options=None, client=PEER, time=1_700_000_000
):
    request = Request(method=method, target=target, headers=(HOST, *headers), body=body, client=client)
    return event_from_request(
        request,
        endpoint or Endpoint(account_id="123456789012", api_id="a1b2c3d4e5"),
        request_id="JCJJxhz4PHcEJgQ=",
        time=time,
        options=options or EventOptions(),
    )


def at(event, path):
    """The value at a path of keys, separated by slashes; ABSENT where a key is missing."""
    value = event
    for key in path.split("/"):
        if key not in value:
            return ABSENT
        value = value[key]
    return value


def post(content_type, body):
    headers = [] if content_type is None else [("Content-Type", content_type)]
    return {"headers": headers, "method": "POST", "body": body}


def b64(data):
    return base64.b64encode(data).decode()


RAW, PATH, QUERY = "rawPath", "requestContext/http/path", "rawQueryString"
PARAMETERS, BODY, FLAG = "queryStringParameters", "body", "isBase64Encoded"
PROXY_ROUTE = {"route_key": "ANY /{proxy+}", "stage": "beta"}
EXECUTE_API = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"

CASES = [
    (
        "R01",
        {"target": "/"},
        {
            RAW: "/",
            PATH: "/",
            QUERY: "",
            PARAMETERS: ABSENT,
            BODY: ABSENT,
            "cookies": ABSENT,
            "pathParameters": ABSENT,
            FLAG: False,
        },
    ),
    ("R02", {"target": "/capture/space%20value"}, {RAW: "/capture/space value", PATH: "/capture/space value"}),
    ("R04", {"target": "/p/%E2%98%95%20Coffee/r/%F0%9F%98%8A"}, {RAW: "/p/☕ Coffee/r/😊"}),
    ("R05", {"target": "/a%2Fb"}, {RAW: "/a/b"}),
    ("R06", {"target": "/a%23b"}, {RAW: "/a#b"}),
    ("R08", {"target": "/a%3Fb/c"}, {RAW: "/a"}),
    ("R09", {"target": "/proxy/https://example.com"}, {RAW: "/proxy/https:/example.com"}),
    ("R10", {"target": "/proxy/https:%2F%2Fexample.com"}, {RAW: "/proxy/https:/example.com"}),
    ("R11", {"target": "/a+b"}, {RAW: "/a+b"}),
    ("R12", {"target": "/foo/"}, {RAW: "/foo/"}),
    (
        "R13",
        {
            "target": "/beta/api/values",
            "endpoint": {**PROXY_ROUTE, "domain_name": EXECUTE_API, "path_parameters": {"proxy": "api/values"}},
        },
        {
            RAW: "/beta/api/values",
            "routeKey": "ANY /{proxy+}",
            "pathParameters/proxy": "api/values",
            "requestContext/stage": "beta",
        },
    ),
    (
        "R14",
        {
            "target": "/beta/foo/",
            "endpoint": {**PROXY_ROUTE, "domain_name": EXECUTE_API, "path_parameters": {"proxy": "foo/"}},
        },
        {RAW: "/beta/foo/", "pathParameters/proxy": "foo/"},
    ),
    (
        "R15",
        {"target": "/v1/foo", "endpoint": {"mapping_key": "v1", "domain_name": "shop.example.com"}},
        {RAW: "/foo", "requestContext/domainName": "shop.example.com", "requestContext/domainPrefix": "shop"},
    ),
    (
        "R15-the-key-alone",
        {"target": "/v1", "endpoint": {"mapping_key": "v1", "domain_name": "shop.example.com"}},
        {RAW: "/"},
    ),
    (
        "R15-not-a-prefix-of-a-word",
        {"target": "/v10/foo", "endpoint": {"mapping_key": "v1", "domain_name": "shop.example.com"}},
        {RAW: "/v10/foo"},
    ),
    (
        "R15-two-levels",
        {"target": "/a/b/foo", "endpoint": {"mapping_key": "a/b", "domain_name": "shop.example.com"}},
        {RAW: "/foo"},
    ),
    (
        "R16",
        {"target": "/v1/foo", "endpoint": {"mapping_key": "v1", "stage": "dev", "domain_name": "shop.example.com"}},
        {RAW: "/dev/foo"},
    ),
    (
        "R17",
        {
            "target": "/pets/Chester%20Mall",
            "endpoint": {"route_key": "GET /pets/{name}", "path_parameters": {"name": "Chester Mall"}},
        },
        {"pathParameters/name": "Chester Mall"},
    ),
    (
        "R18",
        {
            "target": "/test9/api/users/123/orders",
            "method": "POST",
            "endpoint": {
                "route_key": "POST /test9/api/users/{userId}/orders",
                "path_parameters": {"userId": "123"},
            },
        },
        {
            "routeKey": "POST /test9/api/users/{userId}/orders",
            "requestContext/routeKey": "POST /test9/api/users/{userId}/orders",
            "pathParameters/userId": "123",
        },
    ),
    ("R21", {"target": "/?repeat=one&repeat=two"}, {QUERY: "repeat=one&repeat=two", PARAMETERS: {"repeat": "one,two"}}),
    (
        "R22",
        {"target": "/?literalPlus=a+b&encodedPlus=a%2Bb"},
        {QUERY: "literalPlus=a+b&encodedPlus=a%2Bb", PARAMETERS: {"literalPlus": "a b", "encodedPlus": "a+b"}},
    ),
    ("R23", {"target": "/?empty="}, {QUERY: "empty=", PARAMETERS: {"empty": ""}}),
    (
        "R24",
        {"target": "/?redirect=https%3A%2F%2Fx"},
        {QUERY: "redirect=https%3A%2F%2Fx", PARAMETERS: {"redirect": "https://x"}},
    ),
    ("R25", {"target": "/?url=http://www.google.com"}, {QUERY: "url=http://www.google.com"}),
    (
        "R26",
        {"target": "/?colors[]=blue&colors[]=red"},
        {QUERY: "colors[]=blue&colors[]=red", PARAMETERS: {"colors[]": "blue,red"}},
    ),
    (
        "R27",
        {"target": "/?tag=C%23%20Programming&tag=.NET%20Core"},
        {QUERY: "tag=C%23%20Programming&tag=.NET%20Core", PARAMETERS: {"tag": "C# Programming,.NET Core"}},
    ),
    ("R28", {"headers": [("X-P", "first"), ("x-p", "second")]}, {"headers/x-p": "first,second"}),
    (
        "R29",
        {"headers": [("Accept", "text/html, application/json")]},
        {"headers/accept": "text/html, application/json"},
    ),
    ("R30", {"headers": [("X-Mixed-Case", "V")]}, {"headers/x-mixed-case": "V", "headers/X-Mixed-Case": ABSENT}),
    (
        "R31",
        {"headers": [("Cookie", "session=abc123; theme=dark")]},
        {"cookies": ["session=abc123", "theme=dark"], "headers/cookie": ABSENT},
    ),
    ("R33", {}, {"headers/content-length": "0", "headers/content-type": ABSENT}),
    ("R34", {}, {"requestContext/http/userAgent": "", "headers/user-agent": ABSENT}),
    ("R35", {"headers": [("Connection", "keep-alive")]}, {"headers/connection": ABSENT}),
    (
        "R36",
        {"headers": [("TE", "trailers"), ("Expect", "100-continue"), ("Upgrade", "h2c")]},
        {"headers/te": ABSENT, "headers/expect": ABSENT, "headers/upgrade": ABSENT},
    ),
    (
        "R37",
        {},
        {
            "headers/host": HOST[1],
            "headers/x-amzn-trace-id": re.compile(r"^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$"),
            "headers/x-forwarded-port": "443",
            "headers/x-forwarded-proto": "https",
            "headers/x-forwarded-for": PEER,
            "requestContext/http/sourceIp": PEER,
        },
    ),
    ("R38", {"headers": [("X-Forwarded-For", "1.1.1.1")]}, {"headers/x-forwarded-for": PEER}),
    (
        "R38-append",
        {"headers": [("X-Forwarded-For", "1.1.1.1")], "options": EventOptions(x_forwarded_for="append")},
        {"headers/x-forwarded-for": f"1.1.1.1, {PEER}"},
    ),
    ("R41", post("application/json", b'{"a":1}'), {BODY: '{"a":1}', FLAG: False}),
    ("R42", post("application/json; Charset=UTF-8", b'{"a":1}'), {BODY: '{"a":1}', FLAG: False}),
    *(
        (f"R43-{content_type}", post(content_type, b"text"), {BODY: "text", FLAG: False})
        for content_type in (
            "text/plain",
            "text/html",
            "text/csv",
            "text/xml",
            "application/xml",
            "application/javascript",
            "application/graphql",
        )
    ),
    (
        "R44",
        post("application/x-www-form-urlencoded", b"a=1&b=2"),
        {BODY: "YT0xJmI9Mg==", FLAG: True, "headers/content-type": "application/x-www-form-urlencoded"},
    ),
    ("R45", post(None, b"hello"), {BODY: "aGVsbG8=", FLAG: True, "headers/content-type": ABSENT}),
    (
        "R46",
        post("application/octet-stream", bytes([1, 2, 3, 4, 5])),
        {BODY: "AQIDBAU=", FLAG: True, "headers/content-length": "5"},
    ),
    (
        "R47",
        post("multipart/form-data; boundary=xyz", b"--xyz--"),
        {BODY: b64(b"--xyz--"), FLAG: True, "headers/content-type": "multipart/form-data; boundary=xyz"},
    ),
    ("R48", post("text/plain; charset=iso-8859-1", b"abc"), {BODY: "YWJj", FLAG: True}),
    *(
        (f"R49-{content_type}", post(content_type, b"abc"), {BODY: "YWJj", FLAG: True})
        for content_type in ("image/png", "application/pdf", "application/zip", "weird/unknown")
    ),
    (
        "R50",
        {"headers": [("Content-Length", "0"), ("Content-Type", "application/json")], "method": "POST"},
        {BODY: ABSENT, FLAG: False, "headers/content-length": "0"},
    ),
    (
        "R51",
        {"headers": [("Content-Type", "application/json")], "body": b'{"a":1}'},
        {BODY: '{"a":1}', FLAG: False, "requestContext/http/method": "GET"},
    ),
    (
        "R52",
        post("application/json", '{"x":"é"}'.encode()),
        {BODY: '{"x":"é"}', FLAG: False, "headers/content-length": "10"},
    ),
    ("R56", {"endpoint": {"stage_variables": {"foo": "bar"}}}, {"stageVariables": {"foo": "bar"}}),
    ("R56-none", {}, {"stageVariables": ABSENT}),
    ("R59", {"endpoint": {"authorizer": {"lambda": {"k": "v"}}}}, {"requestContext/authorizer/lambda/k": "v"}),
    (
        "G01-protocol",
        {"headers": [("X-Forwarded-Proto", "http")]},
        {"headers/x-forwarded-proto": "https"},
    ),
    ("G01-port", {"headers": [("X-Forwarded-Port", "1")]}, {"headers/x-forwarded-port": "443"}),
    ("G03", {"target": "/%FF"}, {RAW: "/\ufffd"}),
    ("G04", {"target": "/a/../b"}, {RAW: "/a/../b"}),
    ("G05-slash", {"target": "/literal%252Fvalue"}, {RAW: "/literal/value"}),
    ("G05-question-mark", {"target": "/literal%253Fvalue"}, {RAW: "/literal?value"}),
    ("G05-percent-sign", {"target": "/literal%2525value"}, {RAW: "/literal%value"}),
    ("G06", {"target": "http://elsewhere.example/a?b=c"}, {RAW: "/a", QUERY: "b=c"}),
    ("G07", {"target": "/?"}, {QUERY: "", PARAMETERS: ABSENT}),
    ("G08", {"target": "/?a&b=1"}, {QUERY: "a&b=1", PARAMETERS: {"a": "", "b": "1"}}),
    (
        "G09",
        {"headers": [("Cookie", "a=1;"), ("cookie", "b=2")]},
        {"cookies": ["a=1", "b=2"]},
    ),
    ("G10", post("text/plain", b"\xff"), {BODY: "/w==", FLAG: True}),
    ("G11", post("application/problem+json", b"{}"), {BODY: "e30=", FLAG: True}),
    ("G12", post('text/plain; charset="utf-8"', b"x"), {BODY: "x", FLAG: False}),
    ("G13", {"method": "get"}, {"requestContext/http/method": "GET"}),
    ("G14", {"client": "::ffff:192.0.2.1"}, {"requestContext/http/sourceIp": "192.0.2.1"}),
]


@pytest.mark.parametrize(("given", "facts"), [case_param(*row) for row in CASES])
def test_a_request_becomes_the_event_that_aws_sends(given, facts):
    given = dict(given)
    endpoint = Endpoint(account_id="123456789012", api_id="a1b2c3d4e5", **given.pop("endpoint", {}))
    event = make_event(given.pop("target", "/"), *given.pop("headers", ()), endpoint=endpoint, **given)

    seen = {path: at(event, path) for path in facts}

    patterns = {path: fact for path, fact in facts.items() if isinstance(fact, re.Pattern)}
    assert all(pattern.match(seen[path]) for path, pattern in patterns.items())
    assert {path: seen[path] for path in facts if path not in patterns} == {
        path: fact for path, fact in facts.items() if path not in patterns
    }


@pytest.mark.case("R53")
@pytest.mark.parametrize("time", [1_426_250_350.75, 1_700_000_000.0])
def test_the_two_times_of_an_event_agree(time):
    context = make_event(time=time)["requestContext"]

    assert re.match(r"^\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000$", context["time"])
    assert context["timeEpoch"] == int(time * 1000)
    moment = datetime.datetime.strptime(context["time"], "%d/%b/%Y:%H:%M:%S %z")
    assert int(moment.timestamp()) == int(time)


@pytest.mark.case("R01")
def test_an_event_has_the_keys_of_aws_in_the_order_of_aws():
    event = make_event("/a?b=c", ("Cookie", "d=e"), ("Content-Type", "text/plain"), method="POST", body=b"f")

    assert list(event) == [
        "version",
        "routeKey",
        "rawPath",
        "rawQueryString",
        "cookies",
        "headers",
        "queryStringParameters",
        "requestContext",
        "body",
        "isBase64Encoded",
    ]
    assert list(event["requestContext"]) == [
        "accountId",
        "apiId",
        "domainName",
        "domainPrefix",
        "http",
        "requestId",
        "routeKey",
        "stage",
        "time",
        "timeEpoch",
    ]
    assert event["headers"] | {"x-amzn-trace-id": "-"} == {
        "content-length": "1",
        "content-type": "text/plain",
        "host": HOST[1],
        "x-amzn-trace-id": "-",
        "x-forwarded-for": PEER,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    assert event["requestContext"] == {
        "accountId": "123456789012",
        "apiId": "a1b2c3d4e5",
        "domainName": HOST[1],
        "domainPrefix": "a1b2c3d4e5",
        "http": {"method": "POST", "path": "/a", "protocol": "HTTP/1.1", "sourceIp": PEER, "userAgent": ""},
        "requestId": "JCJJxhz4PHcEJgQ=",
        "routeKey": "$default",
        "stage": "$default",
        "time": "14/Nov/2023:22:13:20 +0000",
        "timeEpoch": 1_700_000_000_000,
    }
    assert {key: event[key] for key in ("version", "routeKey", "rawPath", "cookies", "body", "isBase64Encoded")} == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/a",
        "cookies": ["d=e"],
        "body": "f",
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize("target", ["*", "example.com:443", "", "relative"])
def test_a_target_without_a_path_is_refused(target):
    with pytest.raises(MalformedTargetError):
        decoded_path(target)


@pytest.mark.parametrize(
    "target", [case_param("R07", "/percent%25done"), case_param("G02", "/%zz/%"), case_param("G02-end", "/a%2525%25")]
)
def test_a_percent_sign_that_begins_no_escape_is_refused(target):
    with pytest.raises(MalformedTargetError):
        decoded_path(target)


def test_request_ids_have_the_form_of_aws_and_differ():
    ids = {new_request_id() for _ in range(100)}

    assert len(ids) == 100
    assert all(re.match(r"^[A-Za-z0-9_-]{15}=$", request_id) for request_id in ids)


def through_apig_wsgi(event):
    seen = {}

    def application(environ, start_response):
        seen["method"], seen["path"] = environ["REQUEST_METHOD"], environ["PATH_INFO"].encode("latin-1").decode()
        seen["query"], seen["body"] = environ["QUERY_STRING"], environ["wsgi.input"].read()
        seen["header"], seen["cookie"] = environ["HTTP_X_P"], environ["HTTP_COOKIE"]
        start_response("204 No Content", [])
        return []

    make_lambda_handler(application)(event, None)
    return seen


def through_mangum(event):
    seen = {}

    async def application(scope, receive, send):
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        seen["method"], seen["path"], seen["query"] = scope["method"], scope["path"], scope["query_string"].decode()
        seen["body"], seen["header"], seen["cookie"] = (await receive())["body"], headers["x-p"], headers["cookie"]
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with asyncio.Runner() as runner:
        runner.get_loop()  # Mangum takes the thread's event loop, and would leave open one that it had to make
        mangum.Mangum(application, lifespan="off")(event, None)
    return seen


@pytest.mark.parametrize("read", [through_apig_wsgi, through_mangum])
@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", ""),
        ("/a%20b/c+d/", "/a b/c+d/", ""),
        (
            "/p?repeat=one&repeat=two&plus=a%2Bb&space=a+b&slash=%2F",
            "/p",
            "repeat=one&repeat=two&plus=a%2Bb&space=a+b&slash=%2F",
        ),
    ],
)
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"a": 1}'),
        ("image/png", b"\x89PNG\r\n"),
        ("application/x-www-form-urlencoded", b"a=1&b=%C3%A9"),
    ],
)
def test_adapters_that_others_wrote_read_what_the_client_sent(read, target, path, query, content_type, body):
    headers = (("X-P", "first"), ("x-p", "second"), ("Cookie", "a=1; b=2"), ("Content-Type", content_type))
    event = json.loads(json.dumps(make_event(target, *headers, method="POST", body=body)))

    seen = read(event)

    seen["cookie"] = [cookie.strip() for cookie in seen["cookie"].split(";")]  # one joins them without a blank
    assert seen == {
        "method": "POST",
        "path": path,
        "query": query,
        "body": body,
        "header": "first,second",
        "cookie": ["a=1", "b=2"],
    }
