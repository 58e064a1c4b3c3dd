"""Everything in which gateway mode's answer may differ from local mode's, and nothing else may.

Each names its case in docs/http-api.md. A normaliser takes out of an answer what the case says of it, and fails where
that isn't there: an exception that is not needed fails the case that names it.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import brotlicffi

from tests.image.parity.wire import Answer

Normaliser = Callable[[Answer], Answer]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """An exception; without normalisers it is one of whole answers, and the case states the facts of both."""

    name: str
    case: str
    why: str
    local: Normaliser | None = None
    gateway: Normaliser | None = None

    @property
    def is_of_whole_answers(self) -> bool:
        return self.local is None and self.gateway is None


def without(name: str, pattern: str) -> Normaliser:
    """Drops a header that is there once, with such a value."""

    def normalise(answer: Answer) -> Answer:
        values = answer.values(name)
        assert [bool(re.fullmatch(pattern, value)) for value in values] == [True], (name, values)
        return replace(answer, headers=tuple(field for field in answer.headers if field[0] != name))

    return normalise


def with_body(answer: Answer, body: bytes) -> Answer:
    """The answer with another body, and the length that goes with it."""
    assert answer.values("content-length") == [str(len(answer.body))]
    headers = tuple((name, str(len(body)) if name == "content-length" else value) for name, value in answer.headers)
    return replace(answer, headers=headers, body=body)


def substituting(pattern: bytes, replacement: bytes) -> Normaliser:
    """Replaces a pattern in a body, in which it has to be."""

    def normalise(answer: Answer) -> Answer:
        body, count = re.subn(pattern, replacement, answer.body)
        assert count, f"{pattern!r} is not in {answer.body!r}"
        return with_body(answer, body)

    return normalise


def without_echoed(name: str, pattern: str) -> Normaliser:
    """Drops a request header out of the JSON in which httpbin shows what it was sent."""
    entry = rf'"{name}": "{pattern}"'
    return substituting(rf",\s*{entry}|(?<=\{{){entry},\s*|(?<=\{{)\s+{entry},(?=\s)".encode(), b"")


def headers_replaced(name: str, pattern: str, replacement: str) -> Normaliser:
    """Replaces a pattern in each line of a header, in which it has to be."""

    def normalise(answer: Answer) -> Answer:
        assert answer.values(name), name
        for value in answer.values(name):
            assert re.search(pattern, value), (name, value)
        return replace(
            answer,
            headers=tuple(
                (key, re.sub(pattern, replacement, value) if key == name else value) for key, value in answer.headers
            ),
        )

    return normalise


def with_lines_joined(answer: Answer) -> Answer:
    joined: dict[str, str] = {}
    cookies = []
    for name, value in answer.headers:
        if name == "set-cookie":
            cookies.append((name, value))
        else:
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return replace(answer, headers=(*joined.items(), *cookies))


def with_length_for_chunks(answer: Answer) -> Answer:
    chunked = without("transfer-encoding", "chunked")(answer)
    return replace(chunked, headers=(*chunked.headers, ("content-length", str(len(answer.body)))))


def decompressed(answer: Answer) -> Answer:
    decompress = {"gzip": gzip.decompress, "deflate": zlib.decompress, "br": brotlicffi.decompress}
    (coding,) = answer.values("content-encoding")
    return with_body(answer, decompress[coding](answer.body))


IMF_DATE = r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"

# Of every answer.
EVERYWHERE = [
    Difference(
        name="date",
        case="S01",
        why="each server tells the time at which it answers",
        local=without("date", IMF_DATE),
        gateway=without("date", IMF_DATE),
    ),
    Difference(
        name="server",
        case="S01",
        why="Flask's own server names itself; API Gateway doesn't",
        local=without("server", r"Werkzeug/[\d.]+ Python/[\d.]+"),
    ),
    Difference(
        name="connection",
        case="S01",
        why="Flask's own server closes each connection; it is no part of the answer",
        local=without("connection", "close"),
        gateway=without("connection", "keep-alive|close"),
    ),
    Difference(
        name="apigw-requestid",
        case="S01",
        why="API Gateway's own id of the request",
        gateway=without("apigw-requestid", r"[A-Za-z0-9_-]{14,15}="),
    ),
]

# Of the answers to cases that name them.
NAMED = [
    Difference(
        name="echoed trace id",
        case="R37",
        why="httpbin shows the headers that reached it",
        gateway=without_echoed("X-Amzn-Trace-Id", "Root=1-[0-9a-f]{8}-[0-9a-f]{24}"),
    ),
    Difference(
        name="echoed x-forwarded",
        case="R37",
        why="httpbin shows the headers that reached it, these where it is asked with show_env",
        gateway=lambda answer: without_echoed("X-Forwarded-Proto", "https")(
            without_echoed("X-Forwarded-Port", "443")(without_echoed("X-Forwarded-For", r"[\d.]+")(answer))
        ),
    ),
    Difference(
        name="echoed https",
        case="R37",
        why="an HTTP API is reached by https only, and httpbin shows the URL",
        gateway=substituting(rb'"url": "https://', b'"url": "http://'),
    ),
    Difference(
        name="https in location",
        case="R37",
        why="an HTTP API is reached by https only, and an absolute redirect stays there",
        gateway=headers_replaced("location", "^https://", "http://"),
    ),
    Difference(
        name="https in page",
        case="R37",
        why="as in the location: the page that goes with a redirect names its URL",
        gateway=substituting(rb"https://parity\.test", b"http://parity.test"),
    ),
    Difference(
        name="secure cookie",
        case="R37",
        why="httpbin marks its cookies as secure where it is reached by https",
        gateway=headers_replaced("set-cookie", "Secure; ", ""),
    ),
    Difference(
        name="echoed length of no body",
        case="R33",
        why="an event says that a POST without a body and a length is 0 bytes long",
        gateway=without_echoed("Content-Length", "0"),
    ),
    Difference(
        name="unechoed length of no body",
        case="R33",
        why="in an event, a GET with a length of 0 is like one without a length",
        local=without_echoed("Content-Length", "0"),
    ),
    Difference(
        name="hop-by-hop",
        case="R36",
        why="httpbin shows the headers that reached it",
        local=lambda answer: without_echoed("Connection", '[^"]+')(
            without_echoed("Te", "trailers")(without_echoed("Upgrade", "h2c")(answer))
        ),
    ),
    Difference(
        name="default content type",
        case="S01",
        why="API Gateway gives a type to every answer",
        gateway=without("content-type", "text/plain; charset=utf-8"),
    ),
    Difference(
        name="content type of untyped body",
        case="S01",
        why="a body without a type would get one that is wrong for bytes, and another one from a Function URL",
        gateway=without("content-type", "application/octet-stream"),
    ),
    Difference(
        name="joined lines",
        case="S08",
        why="a result has one value for a name, cookies excepted",
        local=with_lines_joined,
    ),
    Difference(
        name="length for chunks",
        case="S23",
        why="a function's answer is whole before it is sent",
        local=with_length_for_chunks,
    ),
    Difference(
        name="length of HEAD",
        case="S39",
        why="the answer to HEAD has no body whose length API Gateway could tell",
        local=without("content-length", r"\d+"),
        gateway=without("content-length", "0"),
    ),
    Difference(
        name="length of HEAD of a stream",
        case="S39",
        why="as for every HEAD; Flask's own server can't tell it either, and says nothing",
        gateway=without("content-length", "0"),
    ),
    Difference(
        name="compressed",
        case="R37",
        why="what httpbin compresses are the headers that reached it, so it is compared decompressed",
        local=decompressed,
        gateway=decompressed,
    ),
    Difference(
        name="encoded twice",
        case="G05",
        why="an HTTP API decodes a path twice, Flask's own server once",
    ),
    Difference(
        name="no escape",
        case="R07",
        why="after its first decoding, an HTTP API finds a percent sign that begins no escape, and refuses the request",
    ),
    Difference(
        name="encoded question mark",
        case="R08",
        why="the application never sees the rest of the path",
    ),
    Difference(
        name="runs of slashes",
        case="R09",
        why="the application never sees that there were more",
    ),
    Difference(
        name="raw bytes in the path",
        case="R04",
        why="Flask's own server takes bytes that no client should send as latin-1, and encodes them a second time",
    ),
    Difference(
        name="forwarded headers of a client",
        case="R38",
        why="whoever reaches Flask's own server can claim what he likes; API Gateway says what it saw",
    ),
    Difference(
        name="upgrade",
        case="R36",
        why="Flask refuses to upgrade a route to a WebSocket; through API Gateway a request never asks for it",
    ),
    Difference(
        name="header limit",
        case="R64",
        why="API Gateway refuses what is over its limit",
    ),
    Difference(
        name="payload limit",
        case="R63",
        why="API Gateway refuses what is over Lambda's limit",
    ),
    Difference(
        name="status out of range",
        case="G18",
        why="no status of HTTP",
    ),
    Difference(
        name="two cookie lines",
        case="G09",
        why="Flask's own server joins the lines with a comma, which is part of a value; the adapter with a semicolon",
    ),
    Difference(
        name="chunked request",
        case="R36",
        why="httpbin refuses chunks where the server isn't gunicorn; API Gateway has taken them apart before",
    ),
]

DIFFERENCES = {difference.name: difference for difference in NAMED}


def normalised(local: Answer, gateway: Answer, differences: list[Difference]) -> tuple[Answer, Answer]:
    """Both answers without what the differences explain, their header lines in one order."""
    for difference in differences:
        if difference.local is not None:
            local = difference.local(local)
        if difference.gateway is not None:
            gateway = difference.gateway(gateway)
    return replace(local, headers=tuple(sorted(local.headers))), replace(
        gateway, headers=tuple(sorted(gateway.headers))
    )
