"""The edge: each request walks through what the account holds, and is refused where AWS would refuse it."""

import functools
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dualmode.gateway.api_gateway.http_api import refusal_message
from dualmode.gateway.api_gateway.public_name import sent_to
from dualmode.gateway.api_gateway.request_event import (
    Endpoint,
    decoded_path,
    event_from_request,
    new_request_id,
)
from dualmode.gateway.api_gateway.result_response import InvalidResultError, message_response, structured_response
from dualmode.gateway.http.connection import RefusedError as NoRequestError
from dualmode.gateway.http.message import Request, Response
from dualmode.gateway.lambda_.invocation import REQUEST_LIMIT
from dualmode.gateway.lambda_.trace_id import new_trace_root
from sandbox.edge.answer import Answer
from sandbox.edge.cdn import passage
from sandbox.edge.cdn_cache import CdnCache
from sandbox.edge.cors import preflight_response, with_cors
from sandbox.edge.function_url import (
    event_of_url,
    new_url_request_id,
    refused_by_url,
    response_of_url,
    without_path,
)
from sandbox.edge.functions import FunctionFailedError, Functions, FunctionTimedOutError
from sandbox.edge.lambda_authorizers import LambdaAuthorizers
from sandbox.edge.payload_v1 import event_v1, response_v1
from sandbox.edge.way_back import led_back
from sandbox.errors import SandboxError
from sandbox.function_log import LogPart
from walk.account import Account
from walk.authorization import Credentials
from walk.call import Call
from walk.cors import PreflightAnsweredError, response_headers
from walk.domain import StageAddress, asked_name
from walk.errors import UnreadableAccountError
from walk.follow import follow
from walk.function_url import is_function_url
from walk.function_version import FunctionVersion
from walk.lambda_authorizer import LambdaAuthorizer
from walk.routed import Routed
from walk.stage import Throttles
from walk.trace import Hop, RequestRefusedError, Trace, WalkEndsError, server_error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request on its way, and what is noted of it: its trace, the function's logs, the stages that it reached."""

    request: Request
    id: str
    time: float = field(default_factory=time.time)
    trace_root: str = field(default_factory=lambda: new_trace_root(time.time()))
    trace: Trace = field(default_factory=Trace)
    logs: list[LogPart] = field(default_factory=list)
    reached: list[tuple[StageAddress, Call]] = field(default_factory=list)


class Edge:
    """Answers requests as API Gateway and CloudFront would, from the account's state at that moment.

    A request whose Host is a loopback address or `localhost` is for `default_name`. No other Host is treated so: the
    name of a web page's own server can resolve to this machine, and the page could then read the response.
    `account` is read for each request, so its reads should be kept (walk/kept_answers.py). `note_request` gets what an
    access log is told of a request that reached a stage. `clock` gives seconds, for what an authorizer keeps.
    """

    def __init__(
        self,
        account: Account,
        functions: Functions,
        *,
        clock: Callable[[], float] = time.monotonic,
        default_name: str | None = None,
        note_request: Callable[[StageAddress, Mapping[str, object]], object] = lambda _address, _context: None,
        credentials: Credentials | None = None,
    ) -> None:
        self.account = account
        self._note_request = note_request
        self._functions = functions
        self.default_name = default_name
        self._throttles = Throttles()
        self._credentials = credentials or Credentials()
        self._cdn = CdnCache()
        self._authorizers = LambdaAuthorizers(account, functions, clock)

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        began = time.monotonic()
        by_url = is_function_url(asked_name(request.header("host") or "", self.default_name))
        asked = _Asked(request=request, id=new_url_request_id() if by_url else new_request_id())
        try:
            response = self._walk(asked)
        except RequestRefusedError as refused:
            asked.trace.hops.append(refused.hop)
            refuse = refused_by_url if by_url else _refused_by_api
            response = refuse(refused, request_id=asked.id)
        except PreflightAnsweredError as answered:
            response = preflight_response(answered.headers, request_id=asked.id)
        except UnreadableAccountError as error:  # the sandbox's own failure: AWS would have answered
            asked.trace.hops.append(Hop(hop="account", id=self.account.region, detail=str(error), refused=True))
            response = message_response(500, "Internal Server Error", request_id=asked.id)
        duration = (time.monotonic() - began) * 1000
        log = asked.logs[-1] if asked.logs else None
        for address, call in asked.reached:
            context = access_context(request, asked.id, address, call, response, duration)
            if log is not None and log.request_id:
                context["integration.requestId"] = log.request_id
            self._note_request(address, context)
        return Answer(response=response, trace=asked.trace, duration=duration, log=log)

    def _walk(self, asked: _Asked) -> Response:
        request = asked.request
        try:
            return self._from_api(asked)
        except WalkEndsError as led:  # the name leads to CloudFront
            name = asked_name(request.header("host") or "", self.default_name)
            passed = passage(self.account, name, led, request, asked.trace)
        how, response = self._cdn.answer(passed, lambda sent: self._from_api(replace(asked, request=sent)))
        asked.trace.add("cache", request.target, how)
        return response

    def _from_api(self, asked: _Asked) -> Response:
        request = asked.request
        address, call, version = follow(
            self.account,
            request,
            self._throttles,
            asked.trace,
            default_name=self.default_name,
            credentials=replace(self._credentials, asks=functools.partial(self._ask, asked)),
        )
        asked.logs.clear()  # the authorizer's: it let the request through
        described = f"repository {version.repository}, {self._functions.describe(version)}"
        asked.trace.add("image", version.image, described)
        by_url = is_function_url(address.domain_name)
        if not by_url:  # which has no access log
            asked.reached.append((address, call))
        routed = Routed(address=address, match=call.match, stage_variables=call.stage_variables)
        event = self._event(asked, without_path(request) if by_url else request, routed, call.authorizer)
        if by_url:
            event = event_of_url(request, event)
        elif call.payload_version == "1.0":
            event = event_v1(request, event, route_key=call.match.key)
        payload = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        if len(payload) > REQUEST_LIMIT:
            reason = f"its event has {len(payload)} bytes, but Lambda takes {REQUEST_LIMIT}"
            raise RequestRefusedError(413, refusal_message(413), hop="function", id=version.name, reason=reason)
        build = response_of_url if by_url else response_v1 if call.payload_version == "1.0" else structured_response
        response = self._invoke(asked, call, version, payload, build)
        return with_cors(response, response_headers(call.cors, request)) if call.cors else response

    def _event(
        self, asked: _Asked, request: Request, routed: Routed, authorizer: Mapping[str, object] | None
    ) -> dict[str, Any]:
        address = routed.address
        endpoint = Endpoint(
            account_id=self.account.account_id,
            api_id=address.api_id,
            domain_name=address.domain_name,
            stage=address.stage,
            route_key=routed.match.key,
            path_parameters=routed.match.parameters,
            stage_variables=routed.stage_variables,
            mapping_key=address.mapping_key,
            authorizer=authorizer,
        )
        sent = sent_to(request, address.domain_name)
        return event_from_request(sent, endpoint, request_id=asked.id, time=asked.time, trace_root=asked.trace_root)

    def _ask(
        self, asked: _Asked, authorizer: LambdaAuthorizer, routed: Routed, request: Request, trace: Trace
    ) -> Mapping[str, object] | None:
        event = self._event(asked, request, routed, None)
        return self._authorizers.ask(authorizer, routed, request, event, trace, asked.logs.append)

    def _invoke(
        self, asked: _Asked, call: Call, version: FunctionVersion, payload: bytes, build: Callable[..., Response]
    ) -> Response:
        name = f"{version.name}:{version.version}"
        try:
            result = self._functions.invoke(
                version, payload, qualifier=call.qualifier, timeout=call.timeout, logged=asked.logs.append
            )
            return build(result, request_id=asked.id, method=asked.request.method)
        except FunctionFailedError as error:
            raise server_error("function", name, f"it failed: {error}", "function-failed") from error
        except InvalidResultError as error:
            raise server_error("function", name, f"its result is not a response. {error}") from error
        except SandboxError as error:
            raise server_error("function", name, str(error)) from error
        except FunctionTimedOutError as error:
            reason = f"it did not answer within {call.timeout:g} s, and still runs"
            raise RequestRefusedError(503, "Service Unavailable", hop="function", id=name, reason=reason) from error


def access_context(
    request: Request, request_id: str, address: StageAddress, call: Call, response: Response, duration: float
) -> dict[str, object]:
    """Return the values of `$context` for a request; `duration` in milliseconds."""
    return {
        "requestId": request_id,
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
        "httpMethod": request.method,
        "path": decoded_path(request.target),
        "routeKey": call.match.key,
        "status": response.status,
        "responseLength": len(response.body),
        "responseLatency": round(duration),
        "integrationLatency": round(duration),
    }


def _refused_by_api(refused: RequestRefusedError, *, request_id: str) -> Response:
    response = message_response(refused.status, refused.message, request_id=request_id)
    return replace(response, headers=(*response.headers, *refused.headers.items()))


def respond_with(edge: Edge, told: Callable[[Request, Answer], None]) -> Callable[[Request], Response]:
    """The server's handler: answers from the edge, reports each answer as AWS gives it, adapts it for local clients."""

    def respond(request: Request) -> Response:
        answer = edge.answer(request)
        told(request, answer)
        return led_back(request, answer.response, edge.default_name)

    return respond


def refuse(refused: NoRequestError) -> Response:
    """The server's answer to something that isn't a valid request."""
    message = refusal_message(refused.status, refused.sentence)
    return message_response(refused.status, message, request_id=new_request_id())
