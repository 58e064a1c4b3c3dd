"""The local HTTP API: one route, `$default`, on one function, with API Gateway's limits and its answers."""

import json
import logging
import time
from dataclasses import dataclass, field

from dualmode.gateway.api_gateway.public_name import sent_to
from dualmode.gateway.api_gateway.request_event import (
    Endpoint,
    EventOptions,
    MalformedTargetError,
    event_from_request,
    new_request_id,
)
from dualmode.gateway.api_gateway.result_response import (
    InvalidResultError,
    ResultOptions,
    message_response,
    structured_response,
)
from dualmode.gateway.api_gateway.throttle import Throttle
from dualmode.gateway.http.connection import RefusedError
from dualmode.gateway.http.message import Request, Response
from dualmode.gateway.http.websocket import asks_for_websocket
from dualmode.gateway.lambda_.advice import Advice
from dualmode.gateway.lambda_.environment_pool import EnvironmentPool
from dualmode.gateway.lambda_.invocation import REQUEST_LIMIT, Invocation
from dualmode.gateway.lambda_.trace_id import new_trace_id, new_trace_root

# Source: docs/http-api.md, R64, G25 and S33.
HEADER_LIMIT = 10_240
BODY_LIMIT = 10 * 1024 * 1024
INTEGRATION_SECONDS = 30.0

_MESSAGES = {
    400: "Bad Request",
    413: "Request Entity Too Large",
    431: f"HTTP header is larger than {HEADER_LIMIT} bytes.",
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpApiOptions:
    """The options of the local HTTP API.

    `header_limit_status` is the status for headers that are too long, `integration_seconds` the time after which a
    client gets a 503.
    """

    event: EventOptions = field(default_factory=EventOptions)
    result: ResultOptions = field(default_factory=ResultOptions)
    header_limit_status: int = 431
    integration_seconds: float = INTEGRATION_SECONDS


class HttpApi:
    """Answers a client's requests by calling the function.

    Without a `throttle` no request gets a 429.
    """

    def __init__(
        self,
        environments: EnvironmentPool,
        *,
        endpoint: Endpoint,
        options: HttpApiOptions,
        throttle: Throttle | None = None,
        advice: Advice | None = None,
    ) -> None:
        self._advice = advice or Advice()
        self._environments = environments
        self._endpoint = endpoint
        self._options = options
        self._throttle = throttle

    def respond(self, request: Request) -> Response:
        """The response to a request, always one that API Gateway could have sent.

        Source: docs/http-api.md, R64 for the head's size, G25 for the body's, S33 for the time.
        """
        now = time.time()
        request_id = new_request_id()
        if asks_for_websocket(request):
            self._advice.asks_for_websocket()
        if head_bytes(request) > HEADER_LIMIT:
            status = self._options.header_limit_status
            return message_response(status, refusal_message(431), request_id=request_id)
        if self._throttle is not None and not self._throttle.admits():
            return message_response(429, "Too Many Requests", request_id=request_id)
        trace_root = new_trace_root(now)
        try:
            event = event_from_request(
                sent_to(request),
                self._endpoint,
                request_id=request_id,
                time=now,
                options=self._options.event,
                trace_root=trace_root,
            )
        except MalformedTargetError:
            return message_response(400, refusal_message(400), request_id=request_id)
        payload = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        if len(payload) > REQUEST_LIMIT:
            return message_response(413, refusal_message(413), request_id=request_id)
        invocation = Invocation(event=payload, trace_id=new_trace_id(trace_root))
        self._environments.submit(invocation)
        outcome = invocation.wait(self._options.integration_seconds)
        if outcome is None:
            goes_on = not self._environments.withdraw(invocation)
            _log.warning(
                "A client got 503 after %g s: %s.",
                self._options.integration_seconds,
                f"invocation {invocation.id} still runs" if goes_on else "no environment was free",
            )
            return message_response(503, "Service Unavailable", request_id=request_id)
        if outcome.failed:
            return message_response(500, "Internal Server Error", request_id=request_id)
        try:
            return structured_response(
                outcome.payload, request_id=request_id, method=request.method, options=self._options.result
            )
        except InvalidResultError as error:
            _log.warning("The client got 500 for the result of invocation %s. %s", invocation.id, error)
            return message_response(500, "Internal Server Error", request_id=request_id)

    def refuse(self, refused: RefusedError) -> Response:
        """The answer to a message that isn't a valid request, in API Gateway's form."""
        status = self._options.header_limit_status if refused.status == 431 else refused.status
        message = refusal_message(refused.status, refused.sentence)
        return message_response(status, message, request_id=new_request_id())


def refusal_message(status: int, otherwise: str = "") -> str:
    """API Gateway's message for a request that it refuses with this status, or `otherwise` if that isn't known."""
    return _MESSAGES.get(status, otherwise)


def head_bytes(request: Request) -> int:
    """The bytes that API Gateway's header limit counts: the request line and the headers' values.

    Source: docs/http-api.md, R64.
    """
    line = len(request.method) + len(request.target) + len("  HTTP/1.1")
    return line + sum(len(value) for _, value in request.headers)
