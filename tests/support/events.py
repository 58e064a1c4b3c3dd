"""Events as Lambda gets them from each service, with defaults; a test states only what matters to it.

Shapes: the captures named in docs/http-api.md for payload format 2.0, AWS's documentation for the others.
"""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

CONTEXT = SimpleNamespace(aws_request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd", function_name="shop")


def make_event(
    *,
    method: str = "GET",
    path: str = "/",
    query: str = "",
    headers: dict[str, str] | None = None,
    cookies: list[str] | None = None,
    body: str | bytes | None = None,
    stage: str = "$default",
    domain: str = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
    source_ip: str = "203.0.113.7",
    request_id: str = "JCJJxhz4PHcEJgQ=",
    **overrides: Any,
) -> dict[str, Any]:
    """A payload 2.0 event of an HTTP API; a body of bytes is sent as base64."""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {
            "content-length": "0" if body is None else str(len(body)),
            "host": domain,
            "x-amzn-trace-id": "Root=1-67fd8860-650d70a10ef73c6b16106e8d",
            "x-forwarded-for": source_ip,
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            **(headers or {}),
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": source_ip,
                "userAgent": (headers or {}).get("user-agent", ""),
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": stage,
            "time": "14/Apr/2025:22:12:48 +0000",
            "timeEpoch": 1744668768586,
        },
        "isBase64Encoded": False,
    }
    if cookies is not None:
        event["cookies"] = cookies
    return with_body(event, body) | overrides


def make_function_url_event(*, domain: str = "abcdefgh.lambda-url.eu-central-1.on.aws", **overrides: Any) -> Any:
    """A payload 2.0 event of a Function URL, which keeps the Cookie header beside `cookies`."""
    return make_event(domain=domain, **overrides)


def make_rest_event(
    *,
    method: str = "GET",
    path: str = "/",
    stage: str = "prod",
    domain: str = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
    query: dict[str, list[str]] | None = None,
    headers: dict[str, list[str]] | None = None,
    body: str | bytes | None = None,
    source_ip: str = "203.0.113.7",
    **overrides: Any,
) -> dict[str, Any]:
    """An event of a REST API: `path` is as the client typed it, without the stage, which the context's path has."""
    sent = {
        "Host": [domain],
        "X-Amzn-Trace-Id": ["Root=1-67fd8860-650d70a10ef73c6b16106e8d"],
        "X-Forwarded-For": [source_ip],
        "X-Forwarded-Port": ["443"],
        "X-Forwarded-Proto": ["https"],
        **(headers or {}),
    }
    typed = f"/{stage}{path}" if ".execute-api." in domain else path
    event: dict[str, Any] = {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": {name: values[-1] for name, values in sent.items()},
        "multiValueHeaders": sent,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} if query else None,
        "multiValueQueryStringParameters": query,
        "pathParameters": {"proxy": path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "path": typed,
            "stage": stage,
            "domainName": domain,
            "httpMethod": method,
            "protocol": "HTTP/1.1",
            "identity": {"sourceIp": source_ip, "userAgent": None},
            "requestId": "dbcb1121-909c-4d1a-aff3-958e94138b79",
        },
        "body": None,
        "isBase64Encoded": False,
    }
    return with_body(event, body) | overrides


def make_http_api_1_event(*, stage: str = "$default", path: str = "/", **overrides: Any) -> dict[str, Any]:
    """An event of an HTTP API with payload format 1.0, whose path is as the client typed it, a named stage included."""
    event = make_rest_event(stage=stage, path=path, **overrides)
    event["requestContext"]["path"] = path
    return {"version": "1.0"} | event


def make_alb_event(
    *,
    method: str = "GET",
    path: str = "/",
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    body: str | bytes | None = None,
    **overrides: Any,
) -> dict[str, Any]:
    """An event of a load balancer with single values, which leaves path and query as the client sent them."""
    event: dict[str, Any] = {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/a/b"}},
        "httpMethod": method,
        "path": path,
        "queryStringParameters": query or {},
        "headers": {
            "host": "shop.example",
            "x-amzn-trace-id": "Root=1-67fd8860-650d70a10ef73c6b16106e8d",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            **(headers or {}),
        },
        "body": "",
        "isBase64Encoded": False,
    }
    return with_body(event, body) | overrides


def make_alb_multi_event(
    *, query: dict[str, list[str]] | None = None, headers: dict[str, list[str]] | None = None, **overrides: Any
) -> dict[str, Any]:
    """An event of a load balancer whose target group has multi-value headers on."""
    event = make_alb_event(**overrides)
    event["multiValueHeaders"] = {name: [value] for name, value in event.pop("headers").items()} | (headers or {})
    del event["queryStringParameters"]
    event["multiValueQueryStringParameters"] = query or {}
    return event


def with_body(event: dict[str, Any], body: str | bytes | None) -> dict[str, Any]:
    if isinstance(body, bytes):
        return event | {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return event if body is None else event | {"body": body}
