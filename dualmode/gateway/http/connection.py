"""HTTP/1.1 on a socket: one request read strictly, one response written.

Strict on purpose: a message that two readers could understand differently (both lengths, repeated lengths, bare line
feeds, folded headers) is refused. API Gateway does the same, against request smuggling.
"""

import re
import socket
import time
from dataclasses import dataclass
from http import HTTPStatus

from dualmode.gateway.http.message import TOKEN, Request, Response

HEAD_LIMIT = 65_536
LINE_LIMIT = 4_096
RECEIVE_BYTES = 65_536

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_VERSION = re.compile(r"HTTP/(\d)\.(\d)\Z")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\Z")
_LENGTH = re.compile(r"[0-9]{1,15}\Z")

REASONS = {status.value: status.phrase for status in HTTPStatus}


class RefusedError(Exception):
    """The message can't be served; `status` and the sentence say why, `request` is the part that could be read."""

    def __init__(self, status: int, sentence: str, request: Request | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.request = request


class DisconnectedError(Exception):
    """The peer closed the connection or was silent for too long, between or within messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds a peer may take: between requests, for a head, for a body, to take a response."""

    idle: float | None = 75.0
    head: float = 10.0
    body: float = 60.0
    send: float = 60.0


@dataclass(frozen=True, slots=True)
class Head:
    """A request's head, with what its headers say about the connection and the body."""

    request: Request
    keep_alive: bool
    length: int
    chunked: bool
    expects_continue: bool


class Connection:
    """One client's socket and the bytes from it that were not used yet."""

    def __init__(self, sock: socket.socket, client: str, timeouts: Timeouts) -> None:
        self._socket = sock
        self._client = client
        self._timeouts = timeouts
        self._buffer = bytearray()

    def read_head(self) -> Head | None:
        """The next request's head; None when the client has closed the connection between requests.

        Raises:
            RefusedError: it is malformed or too long.
            DisconnectedError: the client left in the middle of it or took too long.
        """
        if not self._buffer and not self._receive(None, self._timeouts.idle):
            return None
        deadline = time.monotonic() + self._timeouts.head
        scanned = 0
        while (end := self._buffer.find(b"\r\n\r\n", max(scanned - 3, 0))) < 0:
            scanned = len(self._buffer)
            if scanned > HEAD_LIMIT:
                break
            if not self._receive(deadline):
                raise DisconnectedError
        if not 0 <= end <= HEAD_LIMIT:
            raise RefusedError(431, f"The request's head is longer than {HEAD_LIMIT} bytes.")
        text = self._buffer[:end].decode("latin-1")
        del self._buffer[: end + 4]
        return _parsed_head(text, self._client)

    def read_body(self, head: Head, limit: int) -> bytes:
        """The request's body, de-chunked; `100 Continue` goes out first where the client waits for it.

        Raises:
            RefusedError: it is longer than `limit` bytes (413) or its chunks are malformed (400).
            DisconnectedError: the client left in the middle of it or took too long.
        """
        if head.length > limit:
            raise RefusedError(413, f"The body is longer than {limit} bytes.", head.request)
        if not head.chunked and not head.length:
            return b""
        if head.expects_continue and not self._buffer:
            self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
        deadline = time.monotonic() + self._timeouts.body
        if head.chunked:
            return self._chunks(head.request, limit, deadline)
        return self._exactly(head.length, deadline)

    def write(self, response: Response, *, head_only: bool, keep_alive: bool) -> None:
        """Send a response; a body only where HTTP allows one.

        Raises:
            DisconnectedError: the client is gone or doesn't read.
        """
        bodyless = response.status < 200 or response.status in (204, 304)
        names = {name.lower() for name, _ in response.headers}
        lines = [f"HTTP/1.1 {response.status} {REASONS.get(response.status, '')}"]
        lines += [f"{name}: {value}" for name, value in response.headers]
        if not bodyless and "content-length" not in names:
            lines.append(f"content-length: {len(response.body)}")
        lines.append("connection: keep-alive" if keep_alive else "connection: close")
        message = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        self._send(message if bodyless or head_only else message + response.body)

    def linger(self, seconds: float = 2.0) -> None:
        """Read and drop what a refused client still sends: it can then read its answer before a reset."""
        deadline = time.monotonic() + seconds
        try:
            self._socket.shutdown(socket.SHUT_WR)
            while self._receive(deadline):
                self._buffer.clear()
        except (OSError, DisconnectedError):
            return

    def _chunks(self, request: Request, limit: int, deadline: float) -> bytes:
        body = bytearray()
        while True:
            line = self._line(deadline)
            size_match = _CHUNK_SIZE.match(line)
            if size_match is None:
                raise RefusedError(400, "A chunk's size is malformed.", request)
            size = int(size_match[1], 16)
            if size == 0:
                break
            if len(body) + size > limit:
                raise RefusedError(413, f"The body is longer than {limit} bytes.", request)
            body += self._exactly(size, deadline)
            if self._exactly(2, deadline) != b"\r\n":
                raise RefusedError(400, "A chunk doesn't end where its size says.", request)
        trailer_bytes = 0
        while line := self._line(deadline):
            _header(line.decode("latin-1"))  # dropped, but it must not look like the next request to another reader
            trailer_bytes += len(line)
            if trailer_bytes > HEAD_LIMIT:
                raise RefusedError(431, "The request's trailers are too long.", request)
        return bytes(body)

    def _line(self, deadline: float) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > LINE_LIMIT:
                raise RefusedError(400, "A line of the chunked body is too long.")
            if not self._receive(deadline):
                raise DisconnectedError
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _exactly(self, count: int, deadline: float) -> bytes:
        while len(self._buffer) < count:
            if not self._receive(deadline):
                raise DisconnectedError
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def _receive(self, deadline: float | None, seconds: float | None = None) -> bool:
        """Append what has arrived to the buffer; False at the end of the stream."""
        if deadline is not None:
            seconds = deadline - time.monotonic()
            if seconds <= 0:
                raise DisconnectedError
        try:
            self._socket.settimeout(seconds)
            data = self._socket.recv(RECEIVE_BYTES)
        except OSError as error:
            raise DisconnectedError from error
        self._buffer += data
        return bool(data)

    def _send(self, data: bytes) -> None:
        try:
            self._socket.settimeout(self._timeouts.send)
            self._socket.sendall(data)
        except OSError as error:
            raise DisconnectedError from error


def _parsed_head(text: str, client: str) -> Head:
    request_line, *lines = text.split("\r\n")
    parts = request_line.split(" ")
    version = _VERSION.match(parts[2]) if len(parts) == 3 else None
    if version is None or not TOKEN.match(parts[0]) or not parts[1] or _CONTROL.search(parts[1]):
        raise RefusedError(400, "The request line is malformed.")
    if version[1] != "1":
        raise RefusedError(505, "Only HTTP/1.1 and HTTP/1.0 are supported.")
    headers = tuple(_header(line) for line in lines)
    request = Request(method=parts[0], target=parts[1], headers=headers, client=client)

    def values(name: str) -> list[str]:
        return [value for key, value in headers if key.lower() == name]

    modern = version[2] != "0"
    hosts, lengths, encodings = values("host"), values("content-length"), values("transfer-encoding")
    if len(hosts) > 1 or (modern and not hosts):
        raise RefusedError(400, "A request has exactly one Host header.", request)
    if len(lengths) > 1 or (lengths and not _LENGTH.match(lengths[0])):
        raise RefusedError(400, "A request has at most one Content-Length, and it is a number.", request)
    if encodings and (lengths or not modern):
        raise RefusedError(400, "Transfer-Encoding is not allowed with Content-Length or HTTP/1.0.", request)
    if encodings and [encoding.lower() for encoding in encodings] != ["chunked"]:
        raise RefusedError(501, "The only supported transfer coding is chunked.", request)
    expectations = [value.lower() for value in values("expect")]
    if expectations and expectations != ["100-continue"]:
        raise RefusedError(417, "The only supported expectation is 100-continue.", request)
    options = {option.strip().lower() for value in values("connection") for option in value.split(",")}
    return Head(
        request=request,
        keep_alive="close" not in options if modern else "keep-alive" in options,
        length=int(lengths[0]) if lengths else 0,
        chunked=bool(encodings),
        expects_continue=bool(expectations) and modern,
    )


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    value = value.strip(" \t")
    if not colon or not TOKEN.match(name) or _CONTROL.search(value):
        raise RefusedError(400, "A header is malformed.")
    return name, value
