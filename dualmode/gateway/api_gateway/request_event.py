"""An HTTP request as the event that an HTTP API gives to a function: payload format version 2.0."""

import base64
import datetime
import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote_plus, unquote_to_bytes

from dualmode.gateway.http.message import Request, host_name
from dualmode.gateway.lambda_.trace_id import new_trace_root

XForwardedFor = Literal["replace", "append"]

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# Source: docs/http-api.md, R35 and R36.
DROPPED_HEADERS = frozenset(("connection", "expect", "proxy-authenticate", "te", "transfer-encoding", "upgrade"))

# Source: docs/http-api.md, R41 to R49. Everything else arrives as base64, forms included.
TEXT_TYPES = frozenset(
    ("application/json", "application/xml", "application/javascript", "application/graphql"),
)

_ABSOLUTE_FORM = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
_SLASHES = re.compile(r"/{2,}")
_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class MalformedTargetError(ValueError):
    """The request-target has no path, so it can't be routed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What API Gateway knows in addition to the request; the defaults are the local gateway's.

    `domain_name` None takes the Host header's. `mapping_key` is the part of the path that chose the API on a custom
    domain: it doesn't reach the function.
    """

    account_id: str = "123456789012"
    api_id: str = "dualmode00"
    domain_name: str | None = None
    stage: str = "$default"
    route_key: str = "$default"
    path_parameters: Mapping[str, str] | None = None
    stage_variables: Mapping[str, str] | None = None
    mapping_key: str = ""
    authorizer: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOptions:
    """Choices for API Gateway's behaviour where it isn't known for certain.

    `x_forwarded_for`: whether a client's own X-Forwarded-For is replaced by its address or kept before it (R38 of
    docs/http-api.md).
    """

    x_forwarded_for: XForwardedFor = "replace"


DEFAULT_OPTIONS = EventOptions()


def new_request_id() -> str:
    """An id as `requestContext.requestId` and the `apigw-requestid` header have it: 16 characters ending in `=`.

    Source: docs/http-api.md, R54.
    """
    return base64.b64encode(os.urandom(11)).decode("ascii").replace("+", "-").replace("/", "_")


def split_target(target: str) -> tuple[str, str]:
    """A request-target's path and query as they came, still encoded.

    Raises:
        MalformedTargetError: it is neither a path nor an absolute URL.
    """
    if not target.startswith("/"):
        absolute = _ABSOLUTE_FORM.match(target)
        if absolute is None:
            raise MalformedTargetError(target)
        target = target[absolute.end() :]
    path, _, query = target.partition("?")
    return path or "/", query


def decoded_path(target: str) -> str:
    """The path an HTTP API routes on and calls `rawPath`: decoded twice, cut at a `?` in between, slashes collapsed.

    Bytes that are not UTF-8 become U+FFFD, which is what Flask's own server makes of them.

    Raises:
        MalformedTargetError: the target names no path, or the second decoding finds a `%` that begins no escape.
    Source: docs/http-api.md, R02 to R10 and G05; G02 to G04 where the evidence is silent.
    """
    path, _ = split_target(target)
    once = unquote_to_bytes(path.encode("latin-1")).decode("utf-8", "replace").partition("?")[0]
    if _NO_ESCAPE.search(once):
        raise MalformedTargetError(target)
    return _SLASHES.sub("/", unquote_to_bytes(once.encode()).decode("utf-8", "replace"))


def path_below(mapping_key: str, path: str) -> str | None:
    """The rest of a path after a mapping's key, or None if it doesn't begin with the key in whole segments."""
    prefix = f"/{mapping_key}" if mapping_key else ""
    return path[len(prefix) :] or "/" if f"{path}/".startswith(f"{prefix}/") else None


def event_from_request(
    request: Request,
    endpoint: Endpoint,
    *,
    request_id: str,
    time: float,
    options: EventOptions = DEFAULT_OPTIONS,
    trace_root: str | None = None,
) -> dict[str, object]:
    """The event for a request that arrived at `time` (seconds since the epoch), with its keys in AWS's order.

    `trace_root` is the X-Ray root id that the caller gives to the function too; None makes one.

    Raises:
        MalformedTargetError: the request-target names no path.
    """
    source_ip = _without_zone(request.client)
    headers, cookies = _headers_and_cookies(request, source_ip, trace_root or new_trace_root(time), options)
    _, query = split_target(request.target)
    domain_name = endpoint.domain_name or host_name(headers["host"])
    path = _event_path(decoded_path(request.target), endpoint)
    body, is_base64 = _body(request.body, headers.get("content-type"))
    parameters = _query_parameters(query)
    moment = datetime.datetime.fromtimestamp(time, datetime.UTC)
    event: dict[str, object] = {
        "version": "2.0",
        "routeKey": endpoint.route_key,
        "rawPath": path,
        "rawQueryString": query,
    }
    if cookies:
        event["cookies"] = cookies
    event["headers"] = dict(sorted(headers.items()))
    if parameters:
        event["queryStringParameters"] = dict(sorted(parameters.items()))
    context: dict[str, object] = {"accountId": endpoint.account_id, "apiId": endpoint.api_id}
    if endpoint.authorizer is not None:
        context["authorizer"] = dict(endpoint.authorizer)
    context |= {
        "domainName": domain_name,
        "domainPrefix": domain_name.partition(".")[0],
        "http": {
            "method": request.method.upper(),
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": source_ip,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": request_id,
        "routeKey": endpoint.route_key,
        "stage": endpoint.stage,
        "time": f"{moment:%d}/{MONTHS[moment.month - 1]}/{moment:%Y:%H:%M:%S} +0000",
        "timeEpoch": int(time * 1000),
    }
    event["requestContext"] = context
    if endpoint.path_parameters:
        event["pathParameters"] = dict(endpoint.path_parameters)
    if body is not None:
        event["body"] = body
    event["isBase64Encoded"] = is_base64
    if endpoint.stage_variables:
        event["stageVariables"] = dict(endpoint.stage_variables)
    return event


def _event_path(path: str, endpoint: Endpoint) -> str:
    below = path_below(endpoint.mapping_key.strip("/"), path)
    if below is not None:
        path = below
    # on the API's own domain, the client has already typed the stage
    own_domain = ".execute-api." in (endpoint.domain_name or "")
    if endpoint.stage == "$default" or own_domain:
        return path
    return f"/{endpoint.stage}{path}"


def _headers_and_cookies(
    request: Request, source_ip: str, trace_root: str, options: EventOptions
) -> tuple[dict[str, str], list[str]]:
    headers: dict[str, str] = {"host": ""}
    cookies: list[str] = []
    for key, value in request.headers:
        name = key.lower()
        if name == "cookie":
            cookies += [cookie for part in value.split(";") if (cookie := part.strip())]
        elif name == "host":
            headers[name] = value
        elif name not in DROPPED_HEADERS:
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    forwarded_for = headers.get("x-forwarded-for")
    appended = options.x_forwarded_for == "append" and forwarded_for
    headers |= {
        "content-length": str(len(request.body)),
        "x-amzn-trace-id": f"Root={trace_root}",
        "x-forwarded-for": f"{forwarded_for}, {source_ip}" if appended else source_ip,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    return headers, cookies


def _without_zone(client: str) -> str:
    try:
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return client  # with mutual TLS, AWS gives an address with a port: the caller's text is kept
    mapped = address.ipv4_mapped if address.version == 6 else None
    return str(mapped or address)


def _query_parameters(query: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for piece in query.encode("latin-1").decode("utf-8", "replace").split("&"):
        if not piece:
            continue
        key, _, value = piece.partition("=")
        name, text = unquote_plus(key), unquote_plus(value)
        parameters[name] = f"{parameters[name]},{text}" if name in parameters else text
    return parameters


def _body(body: bytes, content_type: str | None) -> tuple[str | None, bool]:
    """The event's `body` and `isBase64Encoded`."""
    if not body:
        return None, False
    if content_type is not None and _is_text(content_type):
        try:
            return body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass  # no text of an event could carry these bytes
    return base64.b64encode(body).decode("ascii"), True


def _is_text(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    if not media_type.startswith("text/") and media_type not in TEXT_TYPES:
        return False
    charset = _CHARSET.search(content_type)
    return charset is None or charset[1].lower() == "utf-8"
