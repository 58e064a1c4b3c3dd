"""HTTP connections that stay open between requests: to open one takes as long as some requests."""

import contextlib
import http.client
import select
import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

_Connection = TypeVar("_Connection", bound=http.client.HTTPConnection)


class IdleConnections(Generic[_Connection]):
    """The connections to one server that wait for their next request, for any thread.

    A connection is used again within `seconds`, which must be less than the server keeps it open.
    """

    def __init__(
        self, create: Callable[[], _Connection], seconds: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._create = create
        self._seconds = seconds
        self._now = now
        self._idle: list[tuple[float, _Connection]] = []
        self._closed = False

    @contextlib.contextmanager
    def one(self, timeout: float) -> Iterator[_Connection]:
        """Give a connection for one request, whose response must be read to its end; `timeout` in seconds."""
        connection = self._take()
        connection.timeout = timeout
        if connection.sock is not None:
            connection.sock.settimeout(timeout)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.append((self._now(), connection))
        if self._closed:
            self.close()

    def close(self) -> None:
        """Close all of them; one that is in use now is closed after its request."""
        self._closed = True
        while self._idle:
            self._idle.pop()[1].close()

    def _take(self) -> _Connection:
        """Return a connection that is open, or one that opens itself with its request."""
        while True:
            try:
                since, connection = self._idle.pop()
            except IndexError:
                return self._create()
            if self._now() - since < self._seconds and not _is_ended(connection):
                return connection
            connection.close()


def _is_ended(connection: http.client.HTTPConnection) -> bool:
    """Whether the other side has closed a connection that waits for its next request."""
    if connection.sock is None:
        return False
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))
