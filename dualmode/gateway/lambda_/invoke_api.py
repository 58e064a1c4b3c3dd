"""Lambda's Invoke API for raw events, at the path of AWS's Runtime Interface Emulator."""

import base64
import json
import re
import time
from collections.abc import Collection
from urllib.parse import parse_qs

from dualmode.gateway.http import trusted_client
from dualmode.gateway.http.connection import RefusedError
from dualmode.gateway.http.message import Request, Response, json_response
from dualmode.gateway.http.trusted_client import is_address_or
from dualmode.gateway.lambda_.environment_pool import EnvironmentPool
from dualmode.gateway.lambda_.invocation import REQUEST_LIMIT, Invocation, Outcome
from dualmode.gateway.lambda_.trace_id import new_trace_id, new_trace_root

# If every environment is busy, an invocation waits as long as a request on the HTTP port does.
QUEUE_SECONDS = 30.0

_PATH = re.compile(r"/2015-03-31/functions/[^/?]+/invocations(?:\?(.*))?\Z")
_QUALIFIER = re.compile(r"[a-zA-Z0-9$_-]+\Z")
_TRACE_ID = re.compile(r"[\x21-\x7e]+\Z")

_REMEDY = "use an IP address or localhost, or add the name to GATEWAY_EVENTS_HOSTS."


class _RejectedError(Exception):
    """The invocation is not accepted; `args` are those of `_error`."""


class EventsApi:
    """Answers as Lambda's Invoke does: the result, or `X-Amz-Function-Error` and the error object.

    It can do what only AWS may do (an authorizer's claims, schedules, management commands): a browser is refused.
    `hosts` are names, besides addresses and `localhost`, by which programs reach it. `queue_seconds` is the longest
    time that an invocation waits for a free environment.
    """

    def __init__(
        self,
        environments: EnvironmentPool,
        *,
        version: str,
        hosts: Collection[str] = (),
        queue_seconds: float = QUEUE_SECONDS,
    ) -> None:
        self._environments = environments
        self._version = version
        self._takes_host = is_address_or(hosts)
        self._queue_seconds = queue_seconds

    def respond(self, request: Request) -> Response:
        """The answer to one invocation; a 429 if no environment was free in time."""
        try:
            invocation = _invocation(request)
        except _RejectedError as rejected:
            return _error(*rejected.args)
        kind = request.header("x-amz-invocation-type") or "RequestResponse"
        headers: tuple[tuple[str, str], ...] = (("x-amzn-requestid", invocation.id),)
        if kind == "DryRun":
            return Response(status=204, headers=headers)
        if kind == "Event":
            self._environments.submit(invocation)
            return Response(status=202, headers=headers)
        outcome = self._outcome(invocation)
        if outcome is None:
            reason = {"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded"}
            return _error(429, "TooManyRequestsException", "Rate Exceeded.", reason)
        headers += (
            ("content-type", "application/json"),
            ("x-amz-executed-version", self._version),
            ("x-amzn-trace-id", invocation.trace_id),
        )
        if outcome.failed:
            headers += (("x-amz-function-error", "Unhandled"),)
        if invocation.tail:
            headers += (("x-amz-log-result", base64.b64encode(invocation.log).decode()),)
        return Response(status=200, headers=headers, body=outcome.payload)

    def objection(self, request: Request) -> str | None:
        """Why a request may come from a web page, or None."""
        # Only Sec-Fetch-Site, which every browser sends: Sec-Fetch-Mode is what Node's own fetch sends too
        return trusted_client.objection(
            request, takes_host=self._takes_host, remedy=_REMEDY, fetch_metadata="sec-fetch-site"
        )

    def refuse(self, refused: RefusedError) -> Response:
        """The answer to a message that isn't a valid invocation."""
        if refused.status == 413:
            return _error(*_TOO_LARGE)
        if refused.status == 403:
            return _error(403, "AccessDeniedException", refused.sentence)
        return _error(refused.status, "InvalidRequestException", refused.sentence)

    def _outcome(self, invocation: Invocation) -> Outcome | None:
        """The outcome of the invocation, or None if no environment was free for too long."""
        self._environments.submit(invocation)
        outcome = invocation.wait(self._queue_seconds)
        if outcome is None and not self._environments.withdraw(invocation):
            outcome = invocation.wait(None)  # it runs, and the function's timeout ends it
        return outcome


def _invocation(request: Request) -> Invocation:
    path = _PATH.match(request.target)
    if path is None:
        raise _RejectedError(404, "ResourceNotFoundException", "The path is not an invocation's path.")
    if request.method != "POST":
        raise _RejectedError(405, "MethodNotAllowedException", "A function is invoked by POST.")
    kind = request.header("x-amz-invocation-type") or "RequestResponse"
    if kind not in ("RequestResponse", "Event", "DryRun"):
        raise _RejectedError(400, "InvalidParameterValueException", f"X-Amz-Invocation-Type {kind} is unknown.")
    qualifier = parse_qs(path[1] or "").get("Qualifier", [""])[0]
    if qualifier and not _QUALIFIER.match(qualifier):
        raise _RejectedError(
            400, "InvalidParameterValueException", f"Qualifier {qualifier} is neither a version nor an alias."
        )
    event = request.body or b"{}"
    if len(event) > REQUEST_LIMIT:
        raise _RejectedError(*_TOO_LARGE)
    try:
        json.loads(event)
    except (ValueError, RecursionError) as error:
        message = f"Could not parse request body into json: {error}"
        raise _RejectedError(400, "InvalidRequestContentException", message) from error
    trace_id = request.header("x-amzn-trace-id") or ""
    return Invocation(
        event=event,
        trace_id=trace_id if _TRACE_ID.match(trace_id) else new_trace_id(new_trace_root(time.time())),
        client_context=_client_context(request.header("x-amz-client-context")),
        qualifier=qualifier,
        tail=request.header("x-amz-log-type") == "Tail" and kind == "RequestResponse",
    )


def _client_context(encoded: str | None) -> str:
    """The client context as JSON on one line, as the Runtime API's header carries it."""
    if not encoded:
        return ""
    try:
        return json.dumps(json.loads(base64.b64decode(encoded, validate=True)))
    except (ValueError, RecursionError) as error:
        message = f"X-Amz-Client-Context is not JSON in base64: {error}"
        raise _RejectedError(400, "InvalidRequestContentException", message) from error


# Source: Lambda's API reference, Invoke.
_TOO_LARGE = (
    413,
    "RequestTooLargeException",
    f"Request must be smaller than {REQUEST_LIMIT} bytes for the InvokeFunction operation",
)


def _error(status: int, error_type: str, message: str, members: dict[str, str] | None = None) -> Response:
    document = {"Type": "User", "Message": message, **(members or {})}
    return json_response(status, document, (("x-amzn-errortype", error_type),))
