"""One request over a socket, byte for byte, and its answer: nothing is added, joined or decoded on the way."""

from __future__ import annotations

import socket
from dataclasses import dataclass

SECONDS = 30


@dataclass(frozen=True)
class Answer:
    """An answer as it was sent, without its reason phrase (API Gateway sends its own) and its body's framing.

    Header names are in lower case, values latin-1, lines in their order.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


def exchange(port: int, request: bytes, method: str) -> Answer:
    """Sends a request to loopback and returns the final answer.

    Raises:
        AssertionError: the answer is malformed, or bytes follow its end.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(request)
        with sock.makefile("rb") as stream:
            status, headers = _head(stream)
            while status < 200:
                status, headers = _head(stream)
            body = b""
            if method != "HEAD" and status not in (204, 304):
                body = _body(stream, headers)
            sock.shutdown(socket.SHUT_WR)
            rest = stream.read()
            assert not rest, f"after the answer came {rest[:200]!r}"
    return Answer(status, tuple(headers), body)


def _head(stream) -> tuple[int, list[tuple[str, str]]]:
    line = _line(stream)
    version, code, _ = line.split(" ", 2)
    assert version == "HTTP/1.1", line
    headers = []
    while line := _line(stream):
        name, _, value = line.partition(":")
        headers.append((name.lower(), value.strip(" \t")))
    return int(code), headers


def _body(stream, headers: list[tuple[str, str]]) -> bytes:
    codings = [value for name, value in headers if name == "transfer-encoding"]
    lengths = [value for name, value in headers if name == "content-length"]
    if codings:
        assert codings == ["chunked"], codings
        assert not lengths, "both a length and chunks"
        body = b""
        while size := int(_line(stream), 16):
            body += _exactly(stream, size)
            assert _line(stream) == ""
        assert _line(stream) == ""
        return body
    if lengths:
        assert len(lengths) == 1, lengths
        return _exactly(stream, int(lengths[0]))
    return stream.read()


def _line(stream) -> str:
    line = stream.readline()
    assert line.endswith(b"\r\n"), f"a line ends early: {line!r}"
    return line[:-2].decode("latin-1")


def _exactly(stream, size: int) -> bytes:
    data = stream.read(size)
    assert len(data) == size, f"{len(data)} bytes instead of {size}"
    return data
