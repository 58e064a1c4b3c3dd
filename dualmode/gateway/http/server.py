"""An HTTP/1.1 server on threads: keep-alive, chunked uploads, HEAD, `Expect: 100-continue`."""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable

from dualmode.gateway.http.connection import Connection, DisconnectedError, RefusedError, Timeouts
from dualmode.gateway.http.message import Request, Response, json_response

Respond = Callable[[Request], Response]
Refuse = Callable[[RefusedError], Response]
Objection = Callable[[Request], str | None]

BACKLOG = 1_024
CONNECTIONS = 512

_log = logging.getLogger(__name__)


def refusal(refused: RefusedError) -> Response:
    """The answer to a request that doesn't reach a handler: its status, and `{"message": …}` with the sentence."""
    return json_response(refused.status, {"message": refused.sentence})


class HttpServer:
    """Serves one port; each connection has a thread, at most `connections` of them at once.

    Port 0 is any free one; `port` is then its number. `body_limit` is in bytes; a longer body gets a 413.
    `objection` returns a sentence that says why a request gets a 403, or None. It is called before a body is read.

    Raises:
        OSError: the port is taken or may not be bound.
    """

    def __init__(
        self,
        host: str,
        port: int,
        respond: Respond,
        *,
        refuse: Refuse = refusal,
        objection: Objection | None = None,
        body_limit: int = 10 * 1024 * 1024,
        timeouts: Timeouts | None = None,
        connections: int = CONNECTIONS,
    ) -> None:
        self._respond = respond
        self._refuse = refuse
        self._objection = objection
        self._body_limit = body_limit
        self._timeouts = timeouts or Timeouts()
        self._free = threading.BoundedSemaphore(connections)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._stopped = False
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
        self.port: int = self._listener.getsockname()[1]

    def start(self) -> None:
        """Begin to accept connections, in a thread; return at once."""
        threading.Thread(target=self._accept, name=f"accept:{self.port}", daemon=True).start()

    def stop(self) -> None:
        """Stop accepting, and cut every connection."""
        with self._lock:
            self._stopped = True
            connections = list(self._open)
        # shutdown wakes the thread that is blocked in accept or recv; close alone wouldn't
        for sock in (self._listener, *connections):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            self._free.acquire()
            try:
                sock, address = self._listener.accept()
            except OSError:
                self._free.release()
                if self._stopped:
                    return
                time.sleep(0.05)  # no descriptors left, or a connection that was gone before it was accepted
                continue
            threading.Thread(target=self._serve, args=(sock, address[0]), name="connection", daemon=True).start()

    def _serve(self, sock: socket.socket, client: str) -> None:
        with self._lock:
            self._open.add(sock)
        try:
            with sock, contextlib.suppress(DisconnectedError, OSError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection = Connection(sock, client, self._timeouts)
                while not self._stopped and self._serve_one(connection):
                    pass
        finally:
            with self._lock:
                self._open.discard(sock)
            self._free.release()

    def _serve_one(self, connection: Connection) -> bool:
        """Answer the connection's next request; False when there are no more."""
        try:
            head = connection.read_head()
            if head is None:
                return False
            if self._objection is not None and (sentence := self._objection(head.request)) is not None:
                raise RefusedError(403, sentence, head.request)
            body = connection.read_body(head, self._body_limit)
        except RefusedError as refused:
            connection.write(
                self._refuse(refused),
                head_only=refused.request is not None and refused.request.method == "HEAD",
                keep_alive=False,
            )
            connection.linger()
            return False
        request = head.request
        if body:
            request = Request(
                method=request.method, target=request.target, headers=request.headers, body=body, client=request.client
            )
        try:
            response = self._respond(request)
        except Exception:  # noqa: BLE001 - logged; the client must get an answer
            _log.exception("The server failed to answer %s %s", request.method, request.target)
            response = json_response(500, {"message": "Internal Server Error"})
        connection.write(response, head_only=request.method == "HEAD", keep_alive=head.keep_alive)
        return head.keep_alive
