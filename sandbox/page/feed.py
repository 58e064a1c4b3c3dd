"""What the page is told as it happens, as server-sent events.

Each answer has the events since the last one that the browser knows, and ends; the browser asks again at once. So a
watching page needs nothing of the server but ordinary answers.

Source: "Server-sent events", HTML Living Standard.
"""

import json
import secrets
import threading
import time
from collections import deque

_KEPT = {"start": 1, "faults": 1, "picture": 1, "request": 50, "log": 400}
"""How many events of each kind a page gets that is opened later."""
_RETRY_MILLISECONDS = 200
_WATCHED_SECONDS = 5.0


class Feed:
    """Keeps the newest events of each kind, and lets readers wait for more."""

    def __init__(self) -> None:
        self._run = secrets.token_hex(4)  # a page may stay open while the sandbox is started again
        self._added = threading.Condition()
        self._count = 0
        self._events = {kind: deque[tuple[int, str]](maxlen=most) for kind, most in _KEPT.items()}
        self._waiting = 0
        self._read = -_WATCHED_SECONDS

    def add(self, kind: str, document: object) -> None:
        """Tell every page."""
        data = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        with self._added:
            self._count += 1
            self._events[kind].append((self._count, f"event: {kind}\nid: {self._run}-{self._count}\ndata: {data}\n\n"))
            self._added.notify_all()

    @property
    def watched(self) -> bool:
        """Whether a page is open."""
        with self._added:
            return self._waiting > 0 or time.monotonic() - self._read < _WATCHED_SECONDS

    def after(self, last: str, seconds: float) -> bytes:
        """Return the events after the one with this id, once there are any; or none, when the seconds are over.

        Those of another run, or of no id, are all that are kept.
        """
        run, _, number = last.partition("-")
        known = int(number) if run == self._run and number.isdecimal() else 0
        with self._added:
            self._waiting += 1
            self._added.wait_for(lambda: self._count > known, seconds)
            self._waiting -= 1
            self._read = time.monotonic()
            found = sorted(event for events in self._events.values() for event in events if event[0] > known)
        return "".join([f"retry: {_RETRY_MILLISECONDS}\n\n", *(text for _, text in found)]).encode()
