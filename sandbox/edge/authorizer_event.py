"""What API Gateway asks the function of a Lambda authorizer, and what it knows the client by.

Source: "Control access to HTTP APIs with AWS Lambda authorizers in API Gateway", API Gateway Developer Guide;
docs/http-api.md, R68 to R71, R77 and G35.
"""

from collections.abc import Mapping
from typing import Any

from dualmode.gateway.http.message import Request
from sandbox.edge.payload_v1 import event_v1
from walk.lambda_authorizer import LambdaAuthorizer
from walk.trace import RequestRefusedError

_IN_BOTH = ("routeKey", "rawPath", "rawQueryString", "cookies", "headers", "queryStringParameters", "requestContext")
_LAST = ("pathParameters", "stageVariables")


def identity_values(authorizer: LambdaAuthorizer, event: Mapping[str, Any]) -> list[str]:
    """Return what a request has for each identity source.

    Raises:
        RequestRefusedError: 401, one of them is missing or empty.
    """
    values = []
    for source in authorizer.identity_sources:
        value = _value(source, event)
        if not value:
            reason = f"the request has no {source}, which {authorizer.name} knows clients by: it was not asked"
            raise RequestRefusedError(401, "Unauthorized", hop="authorizer", id=authorizer.id, reason=reason)
        values.append(value)
    return values


def question(
    authorizer: LambdaAuthorizer, request: Request, event: dict[str, Any], *, route_arn: str, identity: list[str]
) -> dict[str, Any]:
    """Return the event for an authorizer's function; `event` is the integration's, in payload format 2.0."""
    if authorizer.payload_version == "1.0":
        return _question_v1(request, event, route_arn, identity)
    asked: dict[str, Any] = {"version": "2.0", "type": "REQUEST", "routeArn": route_arn}
    asked["identitySource"] = identity or None
    return asked | {name: event[name] for name in (*_IN_BOTH, *_LAST) if name in event}


def _value(source: str, event: Mapping[str, Any]) -> str:
    """The value of a selection expression, "" without one. Source: the guide, "Identity sources"."""
    kind, _, name = source.removeprefix("$").partition(".")
    if kind == "request":
        part, _, name = name.partition(".")
        if part == "header" and name.lower() == "cookie":
            return "; ".join(event.get("cookies") or ())
        held = event["headers"] if part == "header" else event.get("queryStringParameters") or {}
        return str(held.get(name.lower() if part == "header" else name, ""))
    if kind == "stageVariables":
        return str((event.get("stageVariables") or {}).get(name, ""))
    return _context(event).get(name, "") if kind == "context" else ""


def _context(event: Mapping[str, Any]) -> dict[str, str]:
    """The variables of `$context` that are known before the integration is called.

    Source: "Customize HTTP API access logs", API Gateway Developer Guide.
    """
    context = event["requestContext"]
    http = context["http"]
    return {
        "accountId": context["accountId"],
        "apiId": context["apiId"],
        "domainName": context["domainName"],
        "domainPrefix": context["domainPrefix"],
        "httpMethod": http["method"],
        "identity.sourceIp": http["sourceIp"],
        "identity.userAgent": http["userAgent"],
        "path": event["rawPath"],
        "protocol": http["protocol"],
        "requestId": context["requestId"],
        "requestTime": context["time"],
        "requestTimeEpoch": str(context["timeEpoch"]),
        "routeKey": context["routeKey"],
        "stage": context["stage"],
    }


def _question_v1(request: Request, event: dict[str, Any], route_arn: str, identity: list[str]) -> dict[str, Any]:
    """The event of format 1.0: that of an integration, without body and lists; what isn't there is empty."""
    first = event_v1(request, event, route_key=event["routeKey"])
    joined = ",".join(identity) if identity else None
    asked: dict[str, Any] = {"version": "1.0", "type": "REQUEST", "methodArn": route_arn}
    asked |= {"identitySource": joined, "authorizationToken": joined}
    asked |= {name: first[name] for name in ("resource", "path", "httpMethod", "headers")}
    asked |= {name: first[name] or {} for name in ("queryStringParameters", "pathParameters", "stageVariables")}
    return asked | {"requestContext": first["requestContext"]}
