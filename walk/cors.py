"""CORS: which requests an HTTP API answers itself, and with which headers.

Source: docs/http-api.md, R60 to R62 and G26 to G28.
"""

from collections.abc import Mapping
from typing import Any

from dualmode.gateway.http.message import Request


class PreflightAnsweredError(Exception):
    """API Gateway answers the request itself, without the function: `headers` are those of the answer."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__("API Gateway answers the preflight itself")
        self.headers = headers


def is_preflight(request: Request) -> bool:
    """Say whether a browser asks for permission before the request itself. Source: guide: CORS."""
    named = {name.lower() for name, _ in request.headers}
    return request.method.upper() == "OPTIONS" and {"origin", "access-control-request-method"} <= named


def preflight_headers(cors: Mapping[str, Any], request: Request) -> dict[str, str]:
    """Return the headers of the answer to a preflight; none for an origin that isn't allowed."""
    headers = _of_origin(cors, request)
    if headers:
        headers |= _listed("access-control-allow-methods", cors.get("AllowMethods"))
        headers |= _listed("access-control-allow-headers", cors.get("AllowHeaders"))
        if cors.get("MaxAge") is not None:
            headers["access-control-max-age"] = str(cors["MaxAge"])
    return headers


def response_headers(cors: Mapping[str, Any], request: Request) -> dict[str, str]:
    """Return the CORS headers that a function's response gets; none for an origin that isn't allowed."""
    headers = _of_origin(cors, request)
    return headers | _listed("access-control-expose-headers", cors.get("ExposeHeaders")) if headers else headers


def _of_origin(cors: Mapping[str, Any], request: Request) -> dict[str, str]:
    origin = request.header("origin")
    allowed = cors.get("AllowOrigins") or ()
    if not origin or not any(_allows(entry, origin) for entry in allowed):
        return {}
    headers = {"access-control-allow-origin": "*" if "*" in allowed else origin}
    if cors.get("AllowCredentials"):
        headers["access-control-allow-credentials"] = "true"
    return headers


def _allows(entry: str, origin: str) -> bool:
    """Say whether an entry allows an origin: every one, every one with its scheme, or exactly this one."""
    if entry.endswith("://*"):
        return origin.lower().startswith(entry[:-1].lower())
    return entry in ("*", origin)


def _listed(name: str, values: Any) -> dict[str, str]:
    return {name: ",".join(values)} if values else {}
