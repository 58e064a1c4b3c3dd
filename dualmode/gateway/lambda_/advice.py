"""What a developer should know about a function before it runs on Lambda; each is said once."""

import logging
import threading

from dualmode.gateway.http.websocket import ADVICE as WEBSOCKET
from dualmode.gateway.lambda_.invocation import RESPONSE_LIMIT

_log = logging.getLogger(__name__)

# From this share of the limit on, a response counts as near it.
_NEAR = 0.9


class Advice:
    """Says each sentence once, in the gateway's own log; shared by all environments of a function."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: set[str] = set()

    def has_said(self, key: str) -> bool:
        """Whether the sentence with this key was said."""
        return key in self._said

    def init_took_too_long(self, seconds: float) -> None:
        """The runtime didn't ask for an event within `seconds`, the time that Lambda gives it."""
        self._say(
            "init",
            f"The application took longer than {seconds:g} s to start: Lambda then ends it and starts it again in the "
            "first request's own time. Import less, or load what is large when it is first needed.",
        )

    def response_has(self, size: int) -> None:
        """A result has `size` bytes, as JSON."""
        if size >= _NEAR * RESPONSE_LIMIT:
            self._say(
                "response",
                f"A response of {size / 1024 / 1024:.1f} MB, as Lambda counts it (as JSON, binary content in base64), "
                "is near the limit of 6 MB: above it, the client gets 500. Let clients fetch large files from S3.",
            )

    def goes_on(self) -> None:
        """A thread was active when the runtime asked for the next event."""
        self._say(
            "thread",
            "A thread still runs after the response: Lambda freezes it, as the gateway does, until the next request, "
            "which may never come. Finish the work before you respond, or send it to a queue such as SQS.",
        )

    def asks_for_websocket(self) -> None:
        """A client's request is for a WebSocket."""
        self._say("websocket", WEBSOCKET)

    def _say(self, key: str, sentence: str) -> None:
        with self._lock:
            if key in self._said:
                return
            self._said.add(key)
        _log.warning("%s", sentence)
