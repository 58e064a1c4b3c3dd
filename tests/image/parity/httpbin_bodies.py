"""Cookies and bodies of all kinds, where httpbin shows what reached it."""

import gzip

from tests.image.parity.case import Absent, Facts, case, group
from tests.image.parity.httpbin_echo import shows, shows_headers

FORM = "Content-Type: application/x-www-form-urlencoded"
JSON = "Content-Type: application/json"
MULTIPART = "Content-Type: multipart/form-data; boundary=limit"


def multipart(*parts):
    """A multipart body whose boundary is `limit`."""
    return b"".join(b"--limit\r\n" + part + b"\r\n" for part in parts) + b"--limit--\r\n"


def field(name, value, *lines):
    return b"\r\n".join([b'Content-Disposition: form-data; name="%b"' % name, *lines, b"", value])


def upload(name, filename, value, media_type=b"text/plain"):
    disposition = b'Content-Disposition: form-data; name="%b"; filename="%b"' % (name, filename)
    return b"\r\n".join([disposition, b"Content-Type: " + media_type, b"", value])


COOKIES = [
    case("a cookie", "GET", "/cookies", "Cookie: a=1", body=b'{\n  "cookies": {\n    "a": "1"\n  }\n}\n'),
    case("no cookie", "GET", "/cookies", body=b'{\n  "cookies": {}\n}\n'),
    case("two cookies", "GET", "/cookies", "Cookie: a=1; b=2", json={"cookies": {"a": "1", "b": "2"}}),
    case("cookies without space", "GET", "/cookies", "Cookie: a=1;b=2;", json={"cookies": {"a": "1", "b": "2"}}),
    case("a quoted cookie", "GET", "/cookies", 'Cookie: a="x y"; b="\\054"', json={"cookies": {"a": "x y", "b": ","}}),
    case("a cookie with an equals sign", "GET", "/cookies", "Cookie: a=b=c==", json={"cookies": {"a": "b=c=="}}),
    case("a cookie without a value", "GET", "/cookies", "Cookie: a=; b", json={"cookies": {"a": ""}}),
    case("a cookie twice", "GET", "/cookies", "Cookie: a=1; a=2", json={"cookies": {"a": "1"}}),
    case("a cookie with escapes", "GET", "/cookies", "Cookie: a=%20%2C+b", json={"cookies": {"a": "%20%2C+b"}}),
    case(
        "a cookie in UTF-8",
        "GET",
        "/cookies",
        "Cookie: a=\u2615".encode(),
        json={"cookies": {"a": "\u00e2\u0098\u0095"}},
    ),
    shows_headers("the header of cookies", "Cookie: a=1; b=2", seen={"Cookie": "a=1; b=2"}),
    case(
        "two lines of cookies",
        "GET",
        "/cookies",
        "Cookie: a=1",
        "Cookie: b=2",
        differs="two cookie lines",
        json={"cookies": {"a": "1,b=2"}},
        gateway=Facts(json={"cookies": {"a": "1", "b": "2"}}),
    ),
]

BODIES = [
    shows(
        "a form",
        "POST",
        "/post",
        FORM,
        send=b"a=1&b=x+y&c=%E2%98%95&a=2",
        json={"form": {"a": ["1", "2"], "b": "x y", "c": "\u2615"}},
    ),
    shows("an empty form", "POST", "/post", FORM, send=b"", json={"form": {}}),
    shows(
        "a form with a charset",
        "POST",
        "/post",
        f"{FORM}; charset=utf-8",
        send=b"a=%C3%A9",
        json={"form": {"a": "\u00e9"}},
    ),
    shows("text", "POST", "/post", "Content-Type: text/plain", send=b"a\r\nb\n", json={"data": "a\r\nb\n"}),
    shows(
        "text in UTF-8",
        "POST",
        "/post",
        "Content-Type: text/plain; charset=utf-8",
        send="\u2615".encode(),
        json={"data": "\u2615"},
    ),
    shows(
        "text in latin-1",
        "POST",
        "/post",
        "Content-Type: text/plain; charset=iso-8859-1",
        send=b"\xe9",
        json={"data": "data:application/octet-stream;base64,6Q=="},
    ),
    shows(
        "text that isn't what it says",
        "POST",
        "/post",
        "Content-Type: text/plain",
        send=b"\xff\x00",
        json={"data": "data:application/octet-stream;base64,/wA="},
    ),
    shows(
        "XML", "POST", "/post", "Content-Type: application/xml", send=b"<a>\xc3\xa9</a>", json={"data": "<a>\u00e9</a>"}
    ),
    shows("JSON", "POST", "/post", JSON, send='{"a": "\u00e9\\u00e9"}'.encode(), json={"json": {"a": "\u00e9\u00e9"}}),
    shows(
        "JSON of another name",
        "POST",
        "/post",
        "Content-Type: application/ld+json",
        send=b"[true]",
        json={"json": [True]},
    ),
    shows("wrong JSON", "POST", "/post", JSON, send=b"{", json={"json": None, "data": "{"}),
    shows("GraphQL", "POST", "/post", "Content-Type: application/graphql", send=b"{ a }", json={"data": "{ a }"}),
    shows(
        "lines of JSON", "POST", "/post", "Content-Type: application/x-ndjson", send=b"1\n2\n", json={"data": "1\n2\n"}
    ),
    shows("no type", "POST", "/post", send=b"hello", json={"data": "hello", "headers": {"Content-Type": Absent}}),
    shows("an unknown type", "POST", "/post", "Content-Type: weird/unknown", send=b"hello", json={"data": "hello"}),
    shows(
        "every byte",
        "POST",
        "/post",
        "Content-Type: application/octet-stream",
        send=bytes(range(256)),
        json={"form": {}},
    ),
    shows("a null", "POST", "/post", "Content-Type: text/plain", send=b"\0", json={"data": "\0"}),
    shows(
        "a compressed body",
        "POST",
        "/post",
        JSON,
        "Content-Encoding: gzip",
        send=gzip.compress(b"{}", mtime=0),
        json={"json": None},
    ),
    shows(
        "a megabyte",
        "POST",
        "/anything",
        "Content-Type: text/plain",
        send=b"0123456789abcdef" * 65536,
        json={"data": "0123456789abcdef" * 65536},
    ),
    shows("a field", "POST", "/post", MULTIPART, send=multipart(field(b"a", b"1")), json={"form": {"a": "1"}}),
    shows(
        "fields of a name",
        "POST",
        "/post",
        MULTIPART,
        send=multipart(field(b"a", b"1"), field(b"a", "\u2615".encode())),
        json={"form": {"a": ["1", "\u2615"]}},
    ),
    shows(
        "a file",
        "POST",
        "/post",
        MULTIPART,
        send=multipart(upload(b"f", b"a.txt", b"x\r\ny")),
        json={"files": {"f": "x\r\ny"}},
    ),
    shows(
        "a file of bytes",
        "POST",
        "/post",
        MULTIPART,
        send=multipart(upload(b"f", "caf\u00e9.png".encode(), b"\x89PNG\r\n\x1a\n\xff", b"image/png")),
        json={"files": {"f": "data:image/png;base64,iVBORw0KGgr/"}},
    ),
    shows(
        "a file and a field",
        "PUT",
        "/put",
        MULTIPART,
        send=multipart(upload(b"f", b"a", b""), field(b"a", b"1")),
        json={"files": {"f": ""}, "form": {"a": "1"}},
    ),
    shows(
        "an upload without an end",
        "POST",
        "/post",
        MULTIPART,
        send=b"--limit\r\n" + field(b"a", b"1"),
        json={"files": {}},
    ),
    shows("an upload with another boundary", "POST", "/post", MULTIPART, send=b"--other--\r\n", json={"form": {}}),
    case(
        "chunks",
        "POST",
        "/post",
        "Content-Type: text/plain",
        chunks=[b"ab", b"c" * 5000, b"\n"],
        differs="chunked request",
        status=501,
        gateway=Facts(
            json={"data": "ab" + "c" * 5000 + "\n", "headers": {"Content-Length": "5003", "Transfer-Encoding": Absent}}
        ),
    ),
]

BODIES_AND_COOKIES = [
    *group("cookies", COOKIES),
    *group("bodies", BODIES),
]
