"""A running image, in a container or a process: the requests that tests send to it, and what they wait for."""

from __future__ import annotations

import contextlib
import http.client
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.support.waiting import until


class Reply(NamedTuple):
    """What a client reads: header names in lower case, the last value of repeated ones."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class RunningImage(ABC):
    """An image that was started in one mode, and may have ended since."""

    @abstractmethod
    def port(self, inside: int) -> int:
        """The port on loopback that leads to one inside: 3000 takes HTTP, 8080 events.

        Raises:
            AssertionError: it has ended; with its logs.
        """

    @abstractmethod
    def logs(self) -> str:
        """What it wrote so far, on both streams."""

    @abstractmethod
    def check_running(self) -> None:
        """Checks that it hasn't ended.

        Raises:
            AssertionError: it has; with its exit code and its logs.
        """

    def open(self, inside: int = 3000, seconds: float = 30) -> http.client.HTTPConnection:
        """A connection to a port inside, for requests whose answers aren't waited for."""
        return http.client.HTTPConnection("127.0.0.1", self.port(inside), timeout=seconds)

    def request(
        self,
        method: str,
        target: str,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        inside: int = 3000,
        seconds: float = 30,
    ) -> Reply:
        """Sends one request on a connection of its own."""
        with contextlib.closing(self.open(inside, seconds)) as connection:
            connection.request(method, target, body, dict(headers or {}))
            response = connection.getresponse()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, fields, response.read())

    def invoke(self, event: Any, headers: Mapping[str, str] | None = None) -> Reply:
        """Posts an event to where the Runtime Interface Emulator takes events."""
        path = "/2015-03-31/functions/function/invocations"
        return self.request("POST", path, json.dumps(event), headers, inside=8080)

    def wait_for_http(self, inside: int = 3000, method: str = "GET", target: str = "/") -> None:
        """Waits until a request is answered, whatever the answer.

        Raises:
            AssertionError: it ended, or answered nothing for a minute; with its logs.
        """

        def answers() -> bool:
            try:
                self.request(method, target, inside=inside)
            except (OSError, http.client.HTTPException):
                self.check_running()
                return False
            return True

        until(answers, logs=self.logs)

    def wait_for_log(self, text: str, times: int = 1) -> None:
        """Waits until it has written a text that many times.

        Raises:
            AssertionError: it didn't within a minute; with its logs.
        """
        until(lambda: self.logs().count(text) >= times, logs=self.logs)

    def first_reply_other_than(self, body: bytes, target: str = "/") -> Reply:
        """The first reply with another body, while a reloading server may be away.

        Raises:
            AssertionError: there was none within a minute; with its logs.
        """

        def another() -> Reply | None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                reply = self.request("GET", target)
                return reply if reply.body != body else None
            return None

        reply = until(another, logs=self.logs)
        assert reply
        return reply
