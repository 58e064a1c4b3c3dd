"""A Function URL: its events, its responses and its refusals, where they differ from an HTTP API's."""

import json
import uuid
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_to_bytes

from dualmode.gateway.api_gateway.request_event import split_target
from dualmode.gateway.api_gateway.result_response import InvalidResultError, structured_response
from dualmode.gateway.http.message import Request, Response, json_response
from walk.trace import RequestRefusedError

FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)
"""What a client gets that may not ask (docs/http-api.md, S36)."""


def new_url_request_id() -> str:
    """Return an id as a Function URL gives it. Source: docs/http-api.md, R54."""
    return str(uuid.uuid4())


def without_path(request: Request) -> Request:
    """Return a request whose path an HTTP API would take: a Function URL takes every path as it is."""
    _, query = split_target(request.target)
    return replace(request, target=f"/?{query}" if query else "/")


def event_of_url(request: Request, event: dict[str, Any]) -> dict[str, Any]:
    """Return a Function URL's event for a request whose HTTP API event is known but for the path.

    Source: docs/http-api.md, R03, R32, R39, R65 and R79.
    """
    path, _ = split_target(request.target)
    headers = {**event["headers"], "x-amzn-tls-cipher-suite": "TLS_AES_128_GCM_SHA256", "x-amzn-tls-version": "TLSv1.3"}
    cookies = [value for name, value in request.headers if name.lower() == "cookie"]
    if cookies:
        headers["cookie"] = "; ".join(cookies)
    context = event["requestContext"]
    decoded = unquote_to_bytes(path.encode("latin-1")).decode("utf-8", "replace")
    http = {**context["http"], "path": decoded}
    owner = {} if "authorizer" in context else {"accountId": "anonymous"}
    return {
        **event,
        "rawPath": path,
        "headers": dict(sorted(headers.items())),
        "requestContext": {**context, **owner, "http": http},
    }


def response_of_url(payload: bytes, *, request_id: str, method: str) -> Response:
    """Return the response for a function's result. Source: docs/http-api.md, S02, S11, S13 to S15, S28.

    Raises:
        InvalidResultError: the result is not a valid response.
    """
    try:
        result = json.loads(payload)
    except ValueError as error:
        raise InvalidResultError(f"The result is not JSON: {error}.") from error
    if isinstance(result, dict) and "statusCode" in result:
        headers = result.get("headers")
        if headers is None or (isinstance(headers, dict) and "content-type" not in {name.lower() for name in headers}):
            result["headers"] = {**(headers or {}), "content-type": "application/json"}
    text = json.dumps(result, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    return _named(structured_response(text, request_id=request_id, method=method))


def refused_by_url(refused: RequestRefusedError, *, request_id: str) -> Response:
    """Return what a client gets whose request doesn't reach the function, or whose function failed.

    Source: docs/http-api.md, S31, S36, S42 to S44 and G38.
    """
    named = (*refused.headers.items(), ("x-amzn-requestid", request_id))
    if refused.status == 403 and refused.headers:  # not signed as it says
        return json_response(403, {"message": refused.message}, named)
    if refused.status in (403, 404):  # no permission, or no such URL
        kind = (("x-amzn-errortype", "AccessDeniedException"), *named)
        return json_response(403, {"Message": FORBIDDEN if refused.status == 403 else None}, kind)
    if refused.status == 500:
        body = b"Internal Server Error"
        return Response(status=502, headers=(("content-type", "text/plain"), *named), body=body)
    if refused.status == 503:  # no copy of the function may run
        return json_response(
            429, {"Message": "Rate Exceeded."}, (("x-amzn-errortype", "TooManyRequestsException"), *named)
        )
    return json_response(refused.status, {"Message": refused.message}, named)


def _named(response: Response) -> Response:
    """Return a response with its id under a Function URL's name."""
    renamed = {"apigw-requestid": "x-amzn-requestid"}
    return replace(response, headers=tuple((renamed.get(name, name), value) for name, value in response.headers))
