"""The edge: each request walks through what the account holds, and is refused where AWS would refuse it."""

import json
import time
from collections.abc import Callable
from typing import Protocol

from gateway.http_api import HEADER_LIMIT, head_bytes, refusal_message
from gateway.http_message import Request, Response
from gateway.http_wire import RefusedError as NoRequestError
from gateway.invocation import REQUEST_LIMIT
from gateway.public_name import sent_to
from gateway.request_event import Endpoint, MalformedTargetError, decoded_path, event_from_request, new_request_id
from gateway.result_response import InvalidResultError, message_response, structured_response
from sandbox.account import Account
from sandbox.edge.domain import StageAddress, host_name, resolve
from sandbox.edge.function import FunctionVersion, find_version
from sandbox.edge.payload_v1 import event_v1, response_v1
from sandbox.edge.stage import Call, Throttles, find_call
from sandbox.edge.way import Answer, Link, RequestRefusedError, Way, server_error
from sandbox.errors import SandboxError


class FunctionFailedError(Exception):
    """The function answered with an error object; the text says which."""


class FunctionTimedOutError(Exception):
    """The function did not answer within the integration's time."""


class Functions(Protocol):
    """What runs function versions."""

    def describe(self, version: FunctionVersion) -> str:
        """How this version runs here, in a few words."""

    def invoke(self, version: FunctionVersion, event: bytes, *, qualifier: str, timeout: float) -> bytes:
        """Give the event to the function, which is started first where it doesn't run yet.

        Raises:
            FunctionFailedError: it answered with an error.
            FunctionTimedOutError: it took longer than `timeout` seconds, a start not counted.
        """


class Edge:
    """Answers requests as API Gateway would, from what the account says at that very moment.

    `default_name` is the name that a request means whose Host is an address of loopback or `localhost`. Nothing else is
    taken for it: a web page's own name can lead to this machine, and the page then reads what is answered to it.
    """

    def __init__(self, account: Account, functions: Functions, *, default_name: str | None = None) -> None:
        self._account = account
        self._functions = functions
        self._default_name = default_name
        self._throttles = Throttles()

    def answer(self, request: Request) -> Answer:
        """Walk one request."""
        began = time.monotonic()
        way = Way()
        request_id = new_request_id()
        try:
            response = self._walk(request, request_id, way)
        except RequestRefusedError as refused:
            way.links.append(refused.link)
            response = message_response(refused.status, refused.message, request_id=request_id)
        except SandboxError as error:  # of nobody's making but the sandbox's: AWS would have answered
            way.links.append(Link(link="account", id=self._account.region, detail=str(error), refused=True))
            response = message_response(500, "Internal Server Error", request_id=request_id)
        return Answer(response=response, way=way, duration=(time.monotonic() - began) * 1000)

    def _version(self, request: Request, way: Way) -> tuple[StageAddress, Call, FunctionVersion]:
        if head_bytes(request) > HEADER_LIMIT:
            message = refusal_message(431)
            raise RequestRefusedError(431, message, link="request", id=request.method, reason=message)
        try:
            path = decoded_path(request.target)
        except MalformedTargetError:
            reason = f"its target {request.target!r} names no path"
            raise RequestRefusedError(
                400, refusal_message(400), link="request", id=request.method, reason=reason
            ) from None
        name = host_name(request.header("host") or "", self._default_name)
        address = resolve(self._account, name, path, way)
        call = find_call(self._account, address, request.method, self._throttles, way)
        version = find_version(self._account, call, way)
        way.add("image", version.image, f"repository {version.repository}, {self._functions.describe(version)}")
        return address, call, version

    def _walk(self, request: Request, request_id: str, way: Way) -> Response:
        address, call, version = self._version(request, way)
        endpoint = Endpoint(
            account_id=self._account.account_id,
            api_id=address.api_id,
            domain_name=address.domain_name,
            stage=address.stage,
            route_key=call.match.key,
            path_parameters=call.match.parameters,
            stage_variables=call.stage_variables,
            mapping_key=address.mapping_key,
        )
        event = event_from_request(
            sent_to(request, address.domain_name), endpoint, request_id=request_id, time=time.time()
        )
        if call.payload_version == "1.0":
            event = event_v1(request, event, route_key=call.match.key)
        payload = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        if len(payload) > REQUEST_LIMIT:
            reason = f"its event has {len(payload)} bytes, and Lambda takes {REQUEST_LIMIT}"
            raise RequestRefusedError(413, refusal_message(413), link="function", id=version.name, reason=reason)
        return self._invoke(request, request_id, call, version, payload)

    def _invoke(
        self, request: Request, request_id: str, call: Call, version: FunctionVersion, payload: bytes
    ) -> Response:
        name = f"{version.name}:{version.version}"
        try:
            result = self._functions.invoke(version, payload, qualifier=call.qualifier, timeout=call.timeout)
            build = response_v1 if call.payload_version == "1.0" else structured_response
            return build(result, request_id=request_id, method=request.method)
        except FunctionFailedError as error:
            raise server_error("function", name, f"it failed: {error}") from error
        except InvalidResultError as error:
            raise server_error("function", name, f"its result is no response. {error}") from error
        except SandboxError as error:
            raise server_error("function", name, str(error)) from error
        except FunctionTimedOutError as error:
            reason = f"it did not answer within {call.timeout:g} s, and goes on"
            raise RequestRefusedError(503, "Service Unavailable", link="function", id=name, reason=reason) from error


def respond_with(edge: Edge, told: Callable[[Request, Answer], None]) -> Callable[[Request], Response]:
    """The server's handler: answers from the edge, and tells each answer."""

    def respond(request: Request) -> Response:
        answer = edge.answer(request)
        told(request, answer)
        return answer.response

    return respond


def refuse(refused: NoRequestError) -> Response:
    """What the server answers to what is no request."""
    message = refusal_message(refused.status, refused.sentence)
    return message_response(refused.status, message, request_id=new_request_id())
