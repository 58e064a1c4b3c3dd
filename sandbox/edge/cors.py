"""CORS headers of the responses that API Gateway sends."""

import json
from collections.abc import Mapping
from dataclasses import replace

from dualmode.gateway.api_gateway.result_response import structured_response
from dualmode.gateway.http.message import Response


def preflight_response(headers: Mapping[str, str], *, request_id: str) -> Response:
    """Return API Gateway's own answer to a preflight (docs/http-api.md, G26)."""
    result = json.dumps({"statusCode": 204, "headers": dict(headers)}).encode()
    return structured_response(result, request_id=request_id, method="OPTIONS")


def with_cors(response: Response, headers: Mapping[str, str]) -> Response:
    """Return a function's response with API Gateway's CORS headers in place of its own (docs/http-api.md, R62)."""
    others = tuple(field for field in response.headers if not field[0].lower().startswith("access-control-"))
    return replace(response, headers=(*others, *headers.items()))
