"""Payload format version 1.0 of an HTTP API: what an integration gets unless it asks for 2.0."""

import json
from typing import Any
from urllib.parse import unquote_plus

from dualmode.gateway.api_gateway.request_event import DROPPED_HEADERS, split_target
from dualmode.gateway.api_gateway.result_response import InvalidResultError, structured_response
from dualmode.gateway.http.message import Request, Response

# What an identity says of who signed the request, by the name that `authorizer.iam` of format 2.0 has for it.
_OF_IAM = {
    "accessKey": "accessKey",
    "accountId": "accountId",
    "caller": "callerId",
    "principalOrgId": "principalOrgId",
    "user": "userId",
    "userArn": "userArn",
}
_OF_COGNITO = (
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
)


def event_v1(request: Request, event: dict[str, Any], *, route_key: str) -> dict[str, object]:
    """The 1.0 event of a request whose 2.0 event is known: names keep their case, the path stays encoded.

    Source: aws-lambda-dotnet, LambdaTestTool-v2's recorded HTTP API snapshots, V1_*HttpV1; docs/http-api.md, R78, R80
    and G36.
    """
    context = event["requestContext"]
    http = context["http"]
    authorizer = context.get("authorizer") or {}
    path, query = split_target(request.target)
    headers: dict[str, list[str]] = {}
    for name, value in request.headers:
        if name.lower() in ("x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "content-length"):
            continue
        if name.lower() not in DROPPED_HEADERS:
            headers.setdefault(_known(headers, name), []).append(value)
    for name in ("Content-Length", "X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"):
        headers[_known(headers, name)] = [event["headers"][name.lower()]]
    parameters: dict[str, list[str]] = {}
    for piece in query.encode("latin-1").decode("utf-8", "replace").split("&"):
        if piece:
            key, _, value = piece.partition("=")
            parameters.setdefault(unquote_plus(key), []).append(unquote_plus(value))
    template = route_key.partition(" ")[2] or route_key
    return {
        "version": "1.0",
        "resource": template,
        "path": path,
        "httpMethod": http["method"],
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in parameters.items()} or None,
        "multiValueQueryStringParameters": parameters or None,
        "requestContext": {
            "accountId": context["accountId"],
            "apiId": context["apiId"],
            **_authorizer(authorizer),
            "domainName": context["domainName"],
            "domainPrefix": context["domainPrefix"],
            "extendedRequestId": context["requestId"],
            "httpMethod": http["method"],
            "identity": {
                **{name: (authorizer.get("iam") or {}).get(told) for name, told in _OF_IAM.items()},
                **dict.fromkeys(_OF_COGNITO),
                "sourceIp": http["sourceIp"],
                "userAgent": http["userAgent"],
            },
            "path": event["rawPath"],
            "protocol": http["protocol"],
            "requestId": context["requestId"],
            "requestTime": context["time"],
            "requestTimeEpoch": context["timeEpoch"],
            "resourceId": route_key,
            "resourcePath": template,
            "stage": context["stage"],
        },
        "pathParameters": event.get("pathParameters"),
        "stageVariables": event.get("stageVariables"),
        "body": event.get("body"),
        "isBase64Encoded": event["isBase64Encoded"],
    }


def _authorizer(told: dict[str, Any]) -> dict[str, object]:
    """What an authorizer tells, without the name of its kind."""
    kinds = [kind for kind in ("jwt", "lambda") if kind in told]
    return {"authorizer": told[kinds[0]] or {}} if kinds else {}


def response_v1(payload: bytes, *, request_id: str, method: str) -> Response:
    """The response for a 1.0 result, which must be complete: nothing is inferred, `multiValueHeaders` are used.

    Raises:
        InvalidResultError: it isn't a valid 1.0 result.
    """
    try:
        result = json.loads(payload)
    except ValueError as error:
        raise InvalidResultError(f"The result is not JSON: {error}.") from error
    if not isinstance(result, dict) or "statusCode" not in result:
        raise InvalidResultError("Payload 1.0 needs a result with a statusCode.")
    multi = result.pop("multiValueHeaders", None) or {}
    if not isinstance(multi, dict) or not all(isinstance(values, list) for values in multi.values()):
        raise InvalidResultError("multiValueHeaders is not an object of lists.")
    headers = result.pop("headers", None) or {}
    if not isinstance(headers, dict):
        raise InvalidResultError("headers is not an object.")
    result.pop("cookies", None)
    repeated = {name.lower() for name in multi}
    single = {name: value for name, value in headers.items() if name.lower() not in repeated}

    def built(fields: dict[str, object]) -> Response:
        text = json.dumps({**result, "headers": fields}).encode()
        return structured_response(text, request_id=request_id, method=method)

    response = built(single | _nth(multi, 0))
    more: list[tuple[str, str]] = []
    for number in range(1, max(map(len, multi.values()), default=0)):
        fields = _nth(multi, number)  # by the rules for headers that stand alone
        names = {name.lower() for name in fields}
        more += [(name, value) for name, value in built(fields).headers if name in names]
    return Response(status=response.status, headers=(*response.headers, *more), body=response.body)


def _nth(multi: dict[str, list[object]], number: int) -> dict[str, object]:
    """Return the value at a position, for each header that has that many."""
    return {name: values[number] for name, values in multi.items() if len(values) > number}


def _known(headers: dict[str, list[str]], name: str) -> str:
    """Return the first spelling of a header."""
    return next((known for known in headers if known.lower() == name.lower()), name)
