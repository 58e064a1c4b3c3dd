"""One invocation of a function, and its outcome."""

import json
import threading
import uuid
from dataclasses import dataclass, field
from typing import Literal

# Source: Lambda quotas (6 MB each way); the larger figure is the one in Lambda's own error message.
REQUEST_LIMIT = 6 * 1024 * 1024
RESPONSE_LIMIT = 6 * 1024 * 1024 + 100

# error: the function said so; crash: Lambda says so in its place
Status = Literal["success", "error", "crash", "timeout"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Lambda's answer to the caller of the function.

    `payload` is JSON: the result, or the error object where `status` isn't `success`; `error_type` is its `errorType`.
    """

    payload: bytes
    status: Status = "success"
    error_type: str = ""

    @property
    def failed(self) -> bool:
        """Whether `payload` is an error object (FunctionError `Unhandled`)."""
        return self.status != "success"


def error_outcome(status: Status, error_type: str, message: str) -> Outcome:
    """An outcome in Lambda's own words, because the function has said nothing.

    Its payload is `{"errorType": …, "errorMessage": …}`.
    """
    document = {"errorType": error_type, "errorMessage": message}
    return Outcome(payload=json.dumps(document, separators=(",", ":")).encode(), status=status, error_type=error_type)


@dataclass(slots=True, kw_only=True, eq=False)
class Invocation:
    """An event on its way to a function; whoever waits for it gets exactly one outcome.

    `event` and `client_context` are JSON, the latter "" if there is none; `qualifier` is a version or an alias.
    `tail`: the waiter wants the log too, so it is answered only once the log is complete; `log` is its last 4 KiB.
    """

    event: bytes
    trace_id: str
    client_context: str = ""
    qualifier: str = ""
    tail: bool = False
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    log: bytes = b""
    outcome: Outcome | None = None
    _done: threading.Event = field(default_factory=threading.Event)

    def finish(self, outcome: Outcome) -> None:
        """Give the outcome to the waiter; a second one is ignored."""
        if self.outcome is None:
            self.outcome = outcome
        self._done.set()

    def wait(self, seconds: float | None) -> Outcome | None:
        """The outcome, or None if it took longer than `seconds` (None waits without limit)."""
        return self.outcome if self._done.wait(seconds) else None
