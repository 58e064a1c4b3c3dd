"""A stand-in for Lambda's Runtime API, the same for all: it sends one event again and again, and measures times.

Source: the AWS Lambda developer guide, "Using the Lambda runtime API" and "Lambda Extensions API".
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BufferedReader

_RUNTIME = "/2018-06-01/runtime"
_EXTENSION = "/2020-01-01/extension"
_ID = "8f507cfc-0000-4000-8000-000000000000"


@dataclass(kw_only=True)
class Session:
    """One process's life at the Runtime API; times are in seconds of `time.perf_counter`."""

    invocations: int
    asked: list[float] = field(default_factory=list)  # `next` arrived
    sent: list[float] = field(default_factory=list)  # the event left
    answered: list[float] = field(default_factory=list)  # the whole result arrived
    result: bytes = b""  # the first one
    failure: str = ""
    registered: threading.Event = field(default_factory=threading.Event)
    finished: threading.Event = field(default_factory=threading.Event)
    first_answered: threading.Event = field(default_factory=threading.Event)
    at_first: Callable[[], None] = lambda: None  # called when the first result has arrived
    go_on: threading.Event = field(default_factory=threading.Event)  # the second event waits for it

    def __post_init__(self) -> None:
        self.go_on.set()

    def fail(self, sentence: str) -> None:
        """End the session."""
        self.failure = self.failure or sentence
        for event in (self.registered, self.first_answered, self.finished):
            event.set()


class StandIn:
    """Listens on loopback; `address` is what AWS_LAMBDA_RUNTIME_API is set to."""

    def __init__(self, event: object) -> None:
        self._event = json.dumps(event).encode()
        self._session = Session(invocations=0)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def session(self, invocations: int) -> Session:
        """Return a new session, which the next process's requests belong to."""
        self._session = Session(invocations=invocations)
        return self._session

    def close(self) -> None:
        """Stop accepting connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection, self._session), daemon=True).start()

    def _serve(self, connection: socket.socket, session: Session) -> None:
        with connection, connection.makefile("rb") as stream:
            try:
                while True:
                    line = stream.readline()
                    if not line:
                        return
                    method, target, _ = line.decode("latin-1").split(" ", 2)
                    headers = _headers(stream)
                    if headers.get("expect"):
                        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                    self._answer(connection, session, method, target, _body(stream, headers))
            except OSError:
                return  # the process was ended

    def _answer(self, connection: socket.socket, session: Session, method: str, target: str, body: bytes) -> None:
        now = time.perf_counter()
        if (method, target) == ("GET", f"{_RUNTIME}/invocation/next"):
            session.asked.append(now)
            if len(session.sent) == session.invocations:
                session.finished.set()
                return  # no answer: there is no further event
            if session.sent:
                session.go_on.wait()
            response = _response(200, self._event, _invocation_headers())
            session.sent.append(time.perf_counter())
            connection.sendall(response)
        elif (method, target) == ("POST", f"{_RUNTIME}/invocation/{_ID}/response"):
            session.answered.append(now)
            if not session.first_answered.is_set():
                session.result = body
                session.at_first()
                session.first_answered.set()
            connection.sendall(_response(202, b'{"status":"OK"}'))
        elif method == "POST" and target.startswith(f"{_EXTENSION}/register"):
            connection.sendall(_response(200, b'{"functionName":"hello"}', [("Lambda-Extension-Identifier", _ID)]))
            session.registered.set()
        elif target.startswith(f"{_EXTENSION}/event/next"):
            return  # an extension waits here for the end of the execution environment
        else:
            connection.sendall(_response(202, b'{"status":"OK"}'))
            session.fail(f"{method} {target}: {body.decode('utf-8', 'replace')[:500]}")


def _headers(stream: BufferedReader) -> dict[str, str]:
    headers = {}
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def _body(stream: BufferedReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return stream.read(int(headers.get("content-length", 0))) or b""
    chunks = []
    while size := int(stream.readline().partition(b";")[0], 16):
        chunks.append(stream.read(size) or b"")
        stream.readline()
    _headers(stream)  # trailers
    return b"".join(chunks)


def _invocation_headers() -> list[tuple[str, str]]:
    return [
        ("Lambda-Runtime-Aws-Request-Id", _ID),
        ("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 29_000)),
        ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:000000000000:function:hello"),
        ("Lambda-Runtime-Trace-Id", "Root=1-68a1b2c3-0123456789abcdef01234567;Sampled=0"),
    ]


def _response(status: int, body: bytes, headers: list[tuple[str, str]] | None = None) -> bytes:
    # awslambdaric's native client waits forever when `next` is answered without a content type
    fields = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *(headers or [])]
    head = f"HTTP/1.1 {status} OK\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
    return head.encode("latin-1") + body
