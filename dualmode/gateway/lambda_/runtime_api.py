"""Lambda's Runtime API for one process: it fetches an event, answers it, and fetches the next.

Source: the wire format, states and errors are those of AWS's Runtime Interface Emulator (its package `rapi`).
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from queue import SimpleQueue

from dualmode.gateway.http.connection import RefusedError, Timeouts
from dualmode.gateway.http.message import Request, Response, json_response
from dualmode.gateway.http.server import HttpServer
from dualmode.gateway.http.trusted_client import objection
from dualmode.gateway.lambda_.invocation import RESPONSE_LIMIT, Invocation

VERSION = "/2018-06-01"

_ACCEPTED = json_response(202, {"status": "OK"})
_INVOCATION = re.compile(rf"{VERSION}/runtime/invocation/([^/?]+)/(response|error)\Z")
_ERROR_TYPE = re.compile(r"(Runtime|Function)\.[A-Z][a-zA-Z]+\Z")

# A runtime waits for its next event as long as it takes, and is on this machine.
_TIMEOUTS = Timeouts(idle=None, head=30.0, body=60.0, send=60.0)


class State(Enum):
    """The states of a runtime; the values are the names in Lambda's messages."""

    STARTED = "Started"
    FAILED = "InitError"
    READY = "Ready"
    RUNNING = "Running"
    RESPONDED = "RuntimeResponseSentState"


@dataclass(frozen=True, slots=True)
class Ready:
    """The runtime asks for an event."""


@dataclass(frozen=True, slots=True)
class InitFailed:
    """The runtime says that the function can't be loaded."""

    payload: bytes
    error_type: str


@dataclass(frozen=True, slots=True)
class Responded:
    """The runtime has the function's result."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class ErrorReported:
    """The runtime says that the function failed."""

    payload: bytes
    error_type: str


@dataclass(frozen=True, slots=True)
class ResponseTooLarge:
    """The runtime sent a result that Lambda doesn't accept."""


Message = Ready | InitFailed | Responded | ErrorReported | ResponseTooLarge


class RuntimeApi:
    """The API that one process of a function talks to; `notify` is called with what the process says, in order.

    It listens on a free port of 127.0.0.1; `address` is `host:port`.

    Raises:
        OSError: no port is free.
    Source: Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
    """

    def __init__(self, notify: Callable[[Message], None]) -> None:
        self._notify = notify
        self._lock = threading.Lock()
        self._state = State.STARTED
        self._current = ""
        self._event: Response | None = None
        self._waiter: SimpleQueue[Response | None] = SimpleQueue()
        self._server = HttpServer(
            "127.0.0.1",
            0,
            self._respond,
            refuse=self._refuse,
            objection=self._objection,
            body_limit=RESPONSE_LIMIT,
            timeouts=_TIMEOUTS,
        )
        self.address = f"127.0.0.1:{self._server.port}"

    def start(self) -> None:
        """Begin to answer calls."""
        self._server.start()

    def stop(self) -> None:
        """Answer no more calls; one that still waits for an event gets a 410."""
        with self._lock:
            self._waiter.put(None)
        self._server.stop()

    def deliver(self, invocation: Invocation, *, function_arn: str, deadline_ms: int) -> None:
        """Give an event to the runtime, which has asked for one; `deadline_ms` is in milliseconds since the epoch."""
        headers = [
            # awslambdaric's native client hangs forever without it
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", invocation.id),
            ("Lambda-Runtime-Deadline-Ms", str(deadline_ms)),
            ("Lambda-Runtime-Invoked-Function-Arn", function_arn),
            ("Lambda-Runtime-Trace-Id", invocation.trace_id),
            ("Lambda-Runtime-Client-Context", invocation.client_context),
        ]
        event = Response(status=200, headers=tuple(field for field in headers if field[1]), body=invocation.event)
        with self._lock:
            self._state, self._current, self._event = State.RUNNING, invocation.id, event
            self._waiter.put(event)

    def _objection(self, request: Request) -> str | None:
        return objection(request, takes_host=lambda host: host == self.address, remedy=f"use {self.address}.")

    def _respond(self, request: Request) -> Response:
        if (request.method, request.target) == ("GET", f"{VERSION}/runtime/invocation/next"):
            return self._next()
        if (request.method, request.target) == ("POST", f"{VERSION}/runtime/init/error"):
            return self._init_error(request)
        answer = _INVOCATION.match(request.target)
        if answer is None:
            return _error(404, "The Runtime API has no such path.", "NotFound")
        if request.method != "POST":
            return _error(405, "An invocation is answered by POST.", "MethodNotAllowed")
        message: Message = Responded(request.body)
        if answer[2] == "error":
            message = ErrorReported(request.body, _error_type(request))
        return self._answered(answer[1], message) or _ACCEPTED

    def _next(self) -> Response:
        with self._lock:
            if self._state is State.FAILED:
                return self._forbidden(State.READY.value)
            if self._state is State.RUNNING and self._event is not None:
                return self._event  # asked again, it is told again
            if self._state is State.READY:
                self._waiter.put(None)  # a connection that it has given up
            else:
                self._state = State.READY
                self._notify(Ready())
            waiter = self._waiter = SimpleQueue()
        return waiter.get() or _error(
            410, "A later call waits for the next event, or the Runtime API has stopped.", "Gone"
        )

    def _init_error(self, request: Request) -> Response:
        with self._lock:
            if self._state is not State.STARTED:
                return self._forbidden(State.FAILED.value)
            self._state = State.FAILED
            self._notify(InitFailed(request.body, _error_type(request)))
        return _ACCEPTED

    def _answered(self, invocation_id: str, message: Message) -> Response | None:
        """Take the answer to an invocation; a response where it isn't wanted."""
        with self._lock:
            if invocation_id != self._current:
                return _error(400, "Invalid request ID", "InvalidRequestID")
            if self._state is not State.RUNNING:
                error = isinstance(message, ErrorReported)
                return self._forbidden("InvocationErrorResponse" if error else "InvocationResponse")
            self._state = State.RESPONDED
            self._notify(message)
        return None

    def _refuse(self, refused: RefusedError) -> Response:
        answer = _INVOCATION.match(refused.request.target) if refused.request is not None else None
        if refused.status == 403:
            return _error(403, refused.sentence, "AccessDenied")
        if refused.status != 413 or answer is None:
            return _error(refused.status, refused.sentence, "InvalidRequest")
        too_large = f"Exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes)."
        return self._answered(answer[1], ResponseTooLarge()) or _error(413, too_large, "RequestEntityTooLarge")

    def _forbidden(self, wanted: str) -> Response:
        sentence = (
            f"State transition from {self._state.value} to {wanted} failed for runtime. "
            "Error: State transition is not allowed"
        )
        return _error(403, sentence, "InvalidStateTransition")


def _error(status: int, message: str, error_type: str) -> Response:
    return json_response(status, {"errorMessage": message, "errorType": error_type})


def _error_type(request: Request) -> str:
    """The type that a runtime gives to its error, if it has Lambda's form."""
    claimed = request.header("Lambda-Runtime-Function-Error-Type") or ""
    if _ERROR_TYPE.match(claimed):
        return claimed
    return "Function.Unknown" if claimed.startswith("Function.") else "Runtime.Unknown"
