"""Requests to the sample application, and what its answers are."""

import gzip
import json

from tests.image.parity.case import HOST, UNREADABLE, Facts, case, group

JSON = "Content-Type: application/json"
TYPE = {"content-type": "application/json"}

OK = {"headers": TYPE, "body": b'{"ok":true}\n'}
HELLO = {"headers": TYPE, "body": b'{"message":"Hello from Flask!"}\n'}
NOT_FOUND = {"status": 404, "headers": TYPE, "body": b'{"error":"Not found"}\n'}
INVALID = {"status": 400, "headers": TYPE, "body": b'{"error":"Invalid JSON in request body"}\n'}
MISSING = {"status": 400, "headers": TYPE, "body": b'{"error":"Missing required field: message"}\n'}
BAD = {"status": 400, "headers": TYPE}
UNSUPPORTED = {"status": 415, "headers": TYPE}

READING = frozenset({"GET", "HEAD", "OPTIONS"})
POSTING = frozenset({"POST", "OPTIONS"})


def not_allowed(allow):
    return {"status": 405, "headers": TYPE | {"allow": allow}, "body": b'{"error":"Method not allowed"}\n'}


def reversed_to(text):
    return {"headers": TYPE, "body": (json.dumps({"reversed": text}, separators=(",", ":")) + "\n").encode()}


def echo(name, send, *headers, **facts):
    """A POST of JSON to /echo."""
    return case(f"echo {name}", "POST", "/echo", *(headers or [JSON]), send=send, **facts)


def message(text):
    return json.dumps({"message": text}, ensure_ascii=False).encode()


ROUTES = [
    case("index", "GET", "/", **OK),
    case("index with a query", "GET", "/?a=1&a=2&b=%20+%2B", **OK),
    case("index with an empty query", "GET", "/?", **OK),
    case("hello", "GET", "/hello", **HELLO),
    case("health", "GET", "/health", headers=TYPE, body=b'{"status":"healthy"}\n'),
    case("echo of a query alone", "GET", "/echo?message=a", **not_allowed(POSTING)),
    case("unknown path", "GET", "/nope", **NOT_FOUND),
    case("unknown path by POST", "POST", "/nope", JSON, send=b"{}", **NOT_FOUND),
    case("another case of letters", "GET", "/Hello", **NOT_FOUND),
    case("trailing slash", "GET", "/hello/", **NOT_FOUND),
    case("path below a route", "GET", "/hello/there", **NOT_FOUND),
]

METHODS = [
    case("HEAD of the index", "HEAD", "/", differs="length of HEAD", headers=TYPE, body=b""),
    case("HEAD of hello", "HEAD", "/hello", differs="length of HEAD", headers=TYPE, body=b""),
    case("HEAD of an unknown path", "HEAD", "/nope", differs="length of HEAD", status=404, headers=TYPE),
    case("HEAD of echo", "HEAD", "/echo", differs="length of HEAD", status=405, headers=TYPE | {"allow": POSTING}),
    case("OPTIONS of the index", "OPTIONS", "/", headers={"allow": READING, "content-length": "0"}, body=b""),
    case("OPTIONS of echo", "OPTIONS", "/echo", headers={"allow": POSTING}, body=b""),
    case("OPTIONS of an unknown path", "OPTIONS", "/nope", **NOT_FOUND),
    case(
        "preflight of a browser",
        "OPTIONS",
        "/echo",
        "Origin: https://example.com",
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: content-type",
        headers={"allow": POSTING, "access-control-allow-origin": None},
        body=b"",
    ),
    case("POST of the index", "POST", "/", send=b"", **not_allowed(READING)),
    case("PUT", "PUT", "/hello", JSON, send=b'{"a":1}', **not_allowed(READING)),
    case("PATCH", "PATCH", "/hello", JSON, send=b'{"a":1}', **not_allowed(READING)),
    case("DELETE", "DELETE", "/hello", **not_allowed(READING)),
    case("DELETE with a body", "DELETE", "/hello", JSON, send=b'{"a":1}', **not_allowed(READING)),
    case("TRACE", "TRACE", "/hello", **not_allowed(READING)),
    case("a method of WebDAV", "PROPFIND", "/hello", **not_allowed(READING)),
    case("a method of caches", "PURGE", "/hello", **not_allowed(READING)),
    case("an invented method", "FROB", "/hello", **not_allowed(READING)),
    case("a method in lower case", "get", "/hello", **HELLO),
    case("GET with a body", "GET", "/hello", JSON, send=b'{"a":1}', **HELLO),
    case("GET with a length of 0", "GET", "/hello", send=b"", **HELLO),
]

PATHS = [
    case("an encoded letter", "GET", "/hell%6F", **HELLO),
    case("an encoded slash at the end", "GET", "/hello%2F", **NOT_FOUND),
    case("an encoded slash in front", "GET", "/%2Fhello", **HELLO),
    case(
        "an encoded percent sign",
        "GET",
        "/hello%25",
        differs="no escape",
        **NOT_FOUND,
        gateway=Facts(**UNREADABLE),
    ),
    case("a twice encoded letter", "GET", "/hell%256F", differs="encoded twice", **NOT_FOUND, gateway=Facts(**HELLO)),
    case("an encoded space", "GET", "/hello%20", **NOT_FOUND),
    case("a plus sign", "GET", "/hello+", **NOT_FOUND),
    case("an encoded null", "GET", "/hello%00", **NOT_FOUND),
    case("an encoded line end", "GET", "/hello%0D%0Ax", **NOT_FOUND),
    case("an encoded number sign", "GET", "/hello%23x", **NOT_FOUND),
    case(
        "an encoded question mark",
        "GET",
        "/hello%3Fx",
        differs="encoded question mark",
        **NOT_FOUND,
        gateway=Facts(**HELLO),
    ),
    case("encoded UTF-8", "GET", "/%E2%98%95%20Coffee/%F0%9F%98%8A", **NOT_FOUND),
    case("raw UTF-8", "GET", "/caf\u00e9".encode(), **NOT_FOUND),
    case("bytes that are not UTF-8", "GET", "/hello%FF", **NOT_FOUND),
    case("an escape without digits", "GET", "/hello%", differs="no escape", **NOT_FOUND, gateway=Facts(**UNREADABLE)),
    case(
        "an escape with wrong digits", "GET", "/hello%zz", differs="no escape", **NOT_FOUND, gateway=Facts(**UNREADABLE)
    ),
    case("parameters of a segment", "GET", "/hello;a=b", **NOT_FOUND),
    case("a dot segment", "GET", "/./hello", **NOT_FOUND),
    case("two dots", "GET", "/echo/../hello", **NOT_FOUND),
    case("two slashes in front", "GET", "//hello", **HELLO),
    case("two slashes within", "GET", "/a//hello", **NOT_FOUND),
    case("the whole URL as target", "GET", f"http://{HOST}/hello?a=b", **HELLO),
    case("a path of 3000 bytes", "GET", "/" + "p" * 3000, **NOT_FOUND),
    case("a query of 4000 bytes", "GET", "/hello?q=" + "a" * 4000, **HELLO),
    case("a raw UTF-8 query", "GET", "/hello?q=caf\u00e9".encode(), **HELLO),
    case("a query with wrong escapes", "GET", "/hello?%zz=%&&=&;", **HELLO),
]

HEADERS = [
    case("many headers", "GET", "/hello", *(f"X-Header-{number}: {number}" for number in range(80)), **HELLO),
    case("a header of 8000 bytes", "GET", "/hello", "X-Long: " + "v" * 8000, **HELLO),
    case(
        "a header over the limit",
        "GET",
        "/hello",
        "X-Long: " + "v" * 11000,
        differs="header limit",
        **HELLO,
        gateway=Facts(status=431, headers=TYPE),
    ),
    case("a header without a value", "GET", "/hello", "X-Empty:", **HELLO),
    case("a header in latin-1", "GET", "/hello", "X-Name: Andr\u00e9".encode("latin-1"), **HELLO),
    case("a header in UTF-8", "GET", "/hello", "X-Name: \u2615".encode(), **HELLO),
    case("a header with an underscore", "GET", "/hello", "X_Forwarded_For: 1.2.3.4", **HELLO),
    case("forwarded headers of a client", "GET", "/hello", "X-Forwarded-Prefix: /x", "X-Forwarded-Host: evil", **HELLO),
    case("wishes that nobody grants", "GET", "/hello", "Accept: text/html", "Accept-Encoding: gzip, br", **HELLO),
    case("a range of what has none", "GET", "/hello", "Range: bytes=0-4", **HELLO),
    case("a condition on what has no tag", "GET", "/hello", 'If-None-Match: "x"', **HELLO),
    case("a date to compare with", "GET", "/hello", "If-Modified-Since: Wed, 21 Oct 2015 07:28:00 GMT", **HELLO),
    case("a cookie that nobody reads", "GET", "/hello", "Cookie: session=abc; theme=dark", **HELLO),
    case("credentials that nobody reads", "GET", "/hello", "Authorization: Basic dTpw", **HELLO),
    case(
        "an upgrade to a WebSocket",
        "GET",
        "/hello",
        "Connection: Upgrade",
        "Upgrade: websocket",
        differs="upgrade",
        **BAD,
        gateway=Facts(**HELLO),
    ),
    case("a Host in capitals with a port", "GET", "/hello", host="PARITY.test:8443", **HELLO),
    case("a Host that is an address", "GET", "/hello", host="[::1]:3000", **HELLO),
    case("a client that closes", "GET", "/hello", "Connection: close", **HELLO),
    case("HTTP/1.0", "GET", "/hello", version="HTTP/1.0", **HELLO),
]

BODIES = [
    echo("of ASCII", message("abc"), **reversed_to("cba")),
    echo("of an empty text", message(""), **reversed_to("")),
    echo("of UTF-8", message("h\u00e9llo \u2615 \U0001f60a"), **reversed_to("\U0001f60a \u2615 oll\u00e9h")),
    echo("of escapes", rb'{"message":"\u2615\n\t\"\\"}', **reversed_to('\\"\t\n\u2615')),
    echo("of half a surrogate pair", rb'{"message":"\ud83d"}', **reversed_to("\ud83d")),
    echo("of a null character", rb'{"message":"a\u0000b"}', **reversed_to("b\0a")),
    echo("of markup", message("<b>&'\"</b>"), **reversed_to(">b/<\"'&>b<")),
    echo("of other keys too", b'{"a": [1, {"b": null}], "message": "abc"}', **reversed_to("cba")),
    echo("of a key twice", b'{"message":"first","message":"abc"}', **reversed_to("cba")),
    echo("of 100 kB", message("x" * 100_000 + "y"), **reversed_to("y" + "x" * 100_000)),
    echo("of 100,000 characters beyond ASCII", message("\u00e9" * 100_000), **reversed_to("\u00e9" * 100_000)),
    echo("with space around", b' \r\n{"message":"abc"}\t\n', **reversed_to("cba")),
    echo("in UTF-16", '{"message":"abc"}'.encode("utf-16"), **reversed_to("cba")),
    echo("in UTF-8 with a mark", b'\xef\xbb\xbf{"message":"abc"}', **reversed_to("cba")),
    echo("with a charset", message("\u00e9a"), f"{JSON}; charset=utf-8", **reversed_to("a\u00e9")),
    echo("with a type in capitals", message("abc"), "CONTENT-TYPE: Application/JSON", **reversed_to("cba")),
    echo("with a JSON type of its own", message("abc"), "Content-Type: application/vnd.x+json", **reversed_to("cba")),
    echo("in latin-1", '{"message":"\u00e9"}'.encode("latin-1"), **INVALID),
    echo("of half a document", b'{"message":', **INVALID),
    echo("of nothing", b"", **INVALID),
    echo("of spaces", b"   ", **INVALID),
    echo("of no JSON", b"message=abc", **INVALID),
    echo("of two documents", b'{"message":"a"} {"message":"b"}', **INVALID),
    echo("of single quotes", b"{'message':'a'}", **INVALID),
    echo("of a deep document", b'{"message":' + b"[" * 100_000, **INVALID),
    echo("of bytes", bytes(range(256)), **INVALID),
    echo("that is compressed", gzip.compress(message("abc"), mtime=0), JSON, "Content-Encoding: gzip", **INVALID),
    echo("without the message", b'{"massage":"abc"}', **MISSING),
    echo("of an empty object", b"{}", **MISSING),
    echo("of a list", b'["message"]', **BAD),
    echo("of a text", b'"message"', **BAD),
    echo("of a number", b"3", **BAD),
    echo("of null", b"null", **BAD),
    echo("of NaN", b"NaN", **BAD),
    echo("of a number as message", b'{"message":3}', **BAD),
    echo("of null as message", b'{"message":null}', **BAD),
    echo("of a list as message", b'{"message":["abc"]}', **BAD),
    echo("as plain text", message("abc"), "Content-Type: text/plain", **UNSUPPORTED),
    echo("as a form", b"message=abc", "Content-Type: application/x-www-form-urlencoded", **UNSUPPORTED),
    echo("as an upload", b"--b\r\n\r\n\r\n--b--\r\n", "Content-Type: multipart/form-data; boundary=b", **UNSUPPORTED),
    echo("with an empty type", message("abc"), "Content-Type:", **UNSUPPORTED),
    echo("with a type that is none", message("abc"), "Content-Type: json", **UNSUPPORTED),
    case("echo without a type", "POST", "/echo", send=message("abc"), **UNSUPPORTED),
    case("echo without a type or a body", "POST", "/echo", **UNSUPPORTED),
    case("echo in chunks", "POST", "/echo", JSON, chunks=[b'{"mess', b'age":', b'"abc"}'], **reversed_to("cba")),
    case(
        "echo in chunks of a byte",
        "POST",
        "/echo",
        JSON,
        chunks=[b"%c" % b for b in message("\u00e9a")],
        **reversed_to("a\u00e9"),
    ),
    case("echo in no chunk", "POST", "/echo", JSON, chunks=[], **INVALID),
    case(
        "echo that waits for the go",
        "POST",
        "/echo",
        JSON,
        "Expect: 100-continue",
        send=message("abc"),
        **reversed_to("cba"),
    ),
    case(
        "echo over the limit",
        "POST",
        "/echo",
        JSON,
        send=message("x" * 6_400_000),
        differs="payload limit",
        **reversed_to("x" * 6_400_000),
        gateway=Facts(status=413, headers=TYPE, body=b'{"message":"Request Entity Too Large"}'),
    ),
]

SAMPLE = [
    *group("routes", ROUTES),
    *group("methods", METHODS),
    *group("paths", PATHS),
    *group("headers", HEADERS),
    *group("bodies", BODIES),
]
