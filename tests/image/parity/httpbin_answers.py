"""Answers of all kinds, which httpbin gives on request."""

import hashlib
import importlib.util
import random
from pathlib import Path

from tests.image.parity.case import Facts, case, group

HTML = {"content-type": "text/html; charset=utf-8"}
JSON = {"content-type": "application/json"}
TEXT = {"content-type": "text/plain; charset=utf-8"}
BYTES = {"content-type": "application/octet-stream"}
SEEN = ("echoed trace id", "echoed https")
# The installed package, for its files: importing it would set up an application in the tests' own process.
TEMPLATES = Path(importlib.util.find_spec("httpbin").origin).parent / "templates"


def random_bytes(seed, count):
    """What httpbin makes of a seed, by the standard library's generator."""
    source = random.Random(seed)
    return bytes(source.randint(0, 255) for _ in range(count))


def digest(user, password, method, path, nonce):
    """The credentials that RFC 7616 makes of a password and a challenge."""

    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()

    response = md5(f"{md5(f'{user}:r:{password}')}:{nonce}:00000001:c:auth:{md5(f'{method}:{path}')}")
    fields = f'username="{user}", realm="r", nonce="{nonce}", uri="{path}", response="{response}"'
    return f'Authorization: Digest {fields}, qop=auth, nc=00000001, cnonce="c", opaque="o", algorithm=MD5'


def status(code, method="GET", differs=(), **facts):
    return case(f"status {code} to {method}", method, f"/status/{code}", status=code, differs=differs, **facts)


EMPTY = {"headers": HTML | {"content-length": "0"}, "body": b""}
UNTYPED = {"differs": "default content type", "body": b""}
TEAPOT = {"differs": "content type of untyped body"}

STATUSES = [
    *(status(code, **EMPTY) for code in (200, 201, 202, 203, 206, 300, 308)),
    status(204, headers=HTML | {"content-length": None}),
    status(304, headers={"content-type": None, "content-length": None}),
    *(status(code, **UNTYPED, headers={"location": "/redirect/1"}) for code in (301, 302, 303, 305, 307)),
    *(status(code, **EMPTY) for code in (400, 403, 404, 405, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417)),
    *(status(code, **EMPTY) for code in (421, 422, 425, 428, 429, 431, 451)),
    status(401, **UNTYPED, headers={"www-authenticate": 'Basic realm="Fake Realm"'}),
    status(402, **TEAPOT, headers={"x-more-info": "http://vimeo.com/22053820"}),
    status(406, headers=JSON),
    status(407, **UNTYPED, headers={"proxy-authenticate": 'Basic realm="Fake Realm"'}),
    status(418, **TEAPOT, headers={"x-more-info": "http://tools.ietf.org/html/rfc2324"}),
    *(status(code, **EMPTY) for code in (500, 501, 502, 503, 504, 505, 511)),
    status(204, "DELETE", headers=HTML),
    status(404, "PATCH", body=b""),
    status(500, "POST", body=b""),
    status(304, "HEAD", headers={"content-length": None}),
    case("a status that is none", "GET", "/status/abc", status=400, headers=TEXT, body=b"Invalid status code"),
    case(
        "a status out of range",
        "GET",
        "/status/600",
        differs="status out of range",
        status=600,
        gateway=Facts(status=500, body=b'{"message":"Internal Server Error"}'),
    ),
    case("an exception", "GET", "/redirect/0", status=500, headers=HTML),
]

REDIRECTS = [
    case("a redirect", "GET", "/redirect/1", status=302, headers=HTML | {"location": "/get"}),
    case(
        "a relative redirect",
        "GET",
        "/relative-redirect/3",
        status=302,
        headers={"location": "/relative-redirect/2"},
        body=b"",
    ),
    case(
        "an absolute redirect",
        "GET",
        "/absolute-redirect/2",
        status=302,
        differs=("https in location", "https in page"),
    ),
    case(
        "a redirect elsewhere",
        "GET",
        "/redirect-to?url=https://example.com/%3Fa%3Db",
        status=302,
        headers={"location": "https://example.com/?a=b"},
    ),
    case(
        "a permanent redirect", "GET", "/redirect-to?url=/get&status_code=308", status=308, headers={"location": "/get"}
    ),
    case(
        "a redirect of a POST",
        "POST",
        "/redirect-to?url=/post&status_code=307",
        send=b"a",
        status=307,
        headers={"location": "/post"},
    ),
    case("a redirect to what isn't ASCII", "GET", "/redirect-to?url=/caf%C3%A9/%E2%98%95", status=302),
    case("a redirect to links", "GET", "/links/3", status=302, headers={"location": "/links/3/0"}),
]

COOKIES = [
    case(
        "a new cookie",
        "GET",
        "/cookies/set/a/b",
        status=302,
        differs="secure cookie",
        headers={"location": "/cookies"},
    ),
    case("new cookies", "GET", "/cookies/set?a=1&b=x%20y&c=%E2%98%95", status=302, differs="secure cookie"),
    case(
        "deleted cookies",
        "GET",
        "/cookies/delete?a&b",
        "Cookie: a=1; b=2",
        status=302,
        headers={
            "set-cookie": [f"{name}=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/" for name in ("a", "b")]
        },
    ),
    case(
        "cookies spelled out",
        "GET",
        "/response-headers?Set-Cookie=a%3D1%3B%20Expires%3DWed%2C%2021%20Oct%202026%2007%3A28%3A00%20GMT&Set-Cookie=b%3D2",
        headers={"set-cookie": ["a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2"]},
    ),
]

HEADERS = [
    case("a header on request", "GET", "/response-headers?X-A=b", headers=JSON | {"x-a": "b"}),
    case("a header by POST", "POST", "/response-headers?X-A=b", headers={"x-a": "b"}),
    case("a header with a comma", "GET", "/response-headers?X-A=a%2Cb", headers={"x-a": "a,b"}),
    case("a header twice", "GET", "/response-headers?X-A=a&X-A=b", differs="joined lines", headers={}),
    case("a header without a value", "GET", "/response-headers?X-A=", headers={"x-a": ""}),
    case("a header in latin-1", "GET", "/response-headers?X-A=%C3%A9", headers={"x-a": "\u00e9"}),
    case(
        "an attachment",
        "GET",
        "/response-headers?Content-Disposition=attachment%3B%20filename%3D%22a%20b%22",
        headers={"content-disposition": 'attachment; filename="a b"'},
    ),
    case("links", "GET", "/response-headers?Link=%3C/a%3E%3B%20rel%3Dnext", headers={"link": "</a>; rel=next"}),
]

ENCODINGS = [
    case(
        "gzip",
        "GET",
        "/gzip",
        "Accept-Encoding: gzip",
        differs=("compressed", "echoed trace id"),
        headers=JSON | {"content-encoding": "gzip"},
    ),
    case(
        "deflate", "GET", "/deflate", differs=("compressed", "echoed trace id"), headers={"content-encoding": "deflate"}
    ),
    case("brotli", "GET", "/brotli", differs=("compressed", "echoed trace id"), headers={"content-encoding": "br"}),
    case("HEAD of gzip", "HEAD", "/gzip", differs="length of HEAD"),
    case("UTF-8", "GET", "/encoding/utf8", headers=HTML),
    case("base64", "GET", "/base64/aMOpbGxv", headers=HTML, body="h\u00e9llo".encode()),
    case("base64 of the web", "GET", "/base64/4pi74piFPz8_", headers=HTML, body="\u263b\u2605???".encode()),
    case("no base64", "GET", "/base64/=", headers=HTML),
]

DOCUMENTS = [
    case("JSON", "GET", "/json", headers=JSON, json={"slideshow": {"author": "Yours Truly"}}),
    case("XML", "GET", "/xml", headers={"content-type": "application/xml"}),
    case("a page", "GET", "/html", headers=HTML, body=(TEMPLATES / "moby.html").read_bytes().rstrip(b"\n")),
    case(
        "plain text",
        "GET",
        "/robots.txt",
        headers={"content-type": "text/plain"},
        body=b"User-agent: *\nDisallow: /deny\n",
    ),
    case("plain text of a drawing", "GET", "/deny", headers={"content-type": "text/plain"}),
    case("a form", "GET", "/forms/post", headers=HTML),
    case("links to follow", "GET", "/links/4/1", headers=HTML),
    case("the front page", "GET", "/", headers=HTML),
    case(
        "a picture",
        "GET",
        "/image/png",
        headers={"content-type": "image/png"},
        body=(TEMPLATES / "images/pig_icon.png").read_bytes(),
    ),
    case(
        "a photograph",
        "GET",
        "/image/jpeg",
        headers={"content-type": "image/jpeg"},
        body=(TEMPLATES / "images/jackal.jpg").read_bytes(),
    ),
    case(
        "a picture for the web",
        "GET",
        "/image/webp",
        headers={"content-type": "image/webp"},
        body=(TEMPLATES / "images/wolf_1.webp").read_bytes(),
    ),
    case(
        "a drawing",
        "GET",
        "/image/svg",
        headers={"content-type": "image/svg+xml"},
        body=(TEMPLATES / "images/svg_logo.svg").read_bytes(),
    ),
    case(
        "a picture by preference",
        "GET",
        "/image",
        "Accept: image/jpeg;q=1, image/*;q=0.5",
        headers={"content-type": "image/jpeg"},
    ),
    case("a picture that nobody has", "GET", "/image", "Accept: text/plain", status=406, headers=JSON),
    case("chosen bytes", "GET", "/bytes/1000?seed=7", headers=BYTES, body=random_bytes(7, 1000)),
    case("many bytes", "GET", "/bytes/102400?seed=8", headers=BYTES | {"content-length": "102400"}),
    case("no bytes", "GET", "/bytes/0?seed=1", headers=BYTES | {"content-length": "0"}, body=b""),
]

STREAMS = [
    case("a stream of lines", "GET", "/stream/3", differs=("length for chunks", *SEEN), headers=JSON),
    case(
        "a stream of bytes",
        "GET",
        "/stream-bytes/5000?seed=9&chunk_size=7",
        differs="length for chunks",
        headers=BYTES,
        body=random_bytes(9, 5000),
    ),
    case("an empty stream", "GET", "/stream-bytes/0?seed=9", differs="length for chunks", body=b""),
    case("drops", "GET", "/drip?duration=0.05&numbytes=5&code=201", status=201, headers=BYTES, body=b"*****"),
    case("HEAD of a stream", "HEAD", "/stream-bytes/10?seed=9", headers=BYTES, differs="length of HEAD of a stream"),
]

ALPHABET = b"abcdefghijklmnopqrstuvwxyz"

CONDITIONS = [
    case("a whole range", "GET", "/range/26", headers={"etag": "range26", "accept-ranges": "bytes"}, body=ALPHABET),
    case(
        "a part",
        "GET",
        "/range/26",
        "Range: bytes=2-5",
        status=206,
        headers={"content-range": "bytes 2-5/26"},
        body=b"cdef",
    ),
    case(
        "an open part",
        "GET",
        "/range/26",
        "Range: bytes=20-",
        status=206,
        headers={"content-range": "bytes 20-25/26"},
        body=b"uvwxyz",
    ),
    case(
        "a part from the end",
        "GET",
        "/range/26",
        "Range: bytes=-3",
        status=206,
        headers={"content-range": "bytes 23-25/26"},
        body=b"xyz",
    ),
    case(
        "a part that isn't there",
        "GET",
        "/range/26",
        "Range: bytes=26-30",
        status=416,
        headers={"content-range": "bytes */26"},
        body=b"",
    ),
    case("no range", "GET", "/range/0", status=404, headers={"etag": "range0"}),
    case("a tag", "GET", "/etag/abc", differs=SEEN, headers={"etag": "abc"}),
    case(
        "a tag that is known", "GET", "/etag/abc", 'If-None-Match: "abc"', status=304, headers={"etag": "abc"}, body=b""
    ),
    case("any tag", "GET", "/etag/abc", "If-None-Match: *", status=304, headers={"etag": "abc"}),
    case("a tag among others", "GET", "/etag/abc", 'If-None-Match: "x", W/"abc"', status=304, headers={"etag": "abc"}),
    case("a tag that isn't wanted", "GET", "/etag/abc", 'If-Match: "x"', status=412),
    case("a cache that knows", "GET", "/cache", "If-Modified-Since: Wed, 21 Oct 2015 07:28:00 GMT", status=304),
    case("a cache for a minute", "GET", "/cache/60", differs=SEEN, headers={"cache-control": "public, max-age=60"}),
]

CREDENTIALS = [
    case(
        "right credentials",
        "GET",
        "/basic-auth/u/p",
        "Authorization: Basic dTpw",
        json={"authenticated": True, "user": "u"},
    ),
    case(
        "wrong credentials",
        "GET",
        "/basic-auth/u/p",
        "Authorization: Basic dTpx",
        status=401,
        differs="default content type",
    ),
    case(
        "no credentials",
        "GET",
        "/basic-auth/u/p",
        status=401,
        headers={"www-authenticate": 'Basic realm="Fake Realm"'},
        differs="default content type",
    ),
    case(
        "credentials in UTF-8", "GET", "/basic-auth/%C3%BC/p", "Authorization: Basic w7w6cA==", json={"user": "\u00fc"}
    ),
    case("credentials that are hidden", "GET", "/hidden-basic-auth/u/p", status=404, headers=HTML),
    case("a token", "GET", "/bearer", "Authorization: Bearer a.b.c", json={"authenticated": True, "token": "a.b.c"}),
    case("no token", "GET", "/bearer", status=401, headers=HTML | {"www-authenticate": "Bearer"}),
    case(
        "an answered challenge",
        "GET",
        "/digest-auth/auth/u/p",
        digest("u", "p", "GET", "/digest-auth/auth/u/p", "n"),
        json={"authenticated": True, "user": "u"},
        headers={"set-cookie": "fake=fake_value; Path=/"},
    ),
]

ANSWERS = [
    *group("statuses", STATUSES),
    *group("redirects", REDIRECTS),
    *group("set cookies", COOKIES),
    *group("response headers", HEADERS),
    *group("encodings", ENCODINGS),
    *group("documents", DOCUMENTS),
    *group("streams", STREAMS),
    *group("conditions", CONDITIONS),
    *group("credentials", CREDENTIALS),
]
