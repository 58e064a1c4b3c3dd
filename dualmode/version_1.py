"""Events older than payload format 2.0 (REST API, HTTP API with format 1.0, load balancer), turned into 2.0 events.

Mangum's handlers tell which service an event is from. The rest of them is replaced: they decode a second time, keep
only one of repeated headers, fail on null keys and on hosts with ports, and set no status description.
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote_plus, unquote

from mangum.handlers.alb import ALB, case_mutated_headers
from mangum.handlers.api_gateway import APIGateway, HTTPGateway

from dualmode.http_event import Event, begins
from dualmode.http_result import MOST_BYTES, Result, encoded, has_body, joined
from dualmode.wsgi_call import Answer

_UNUSED: Any = {}  # Mangum's configuration, which isn't used here


class RestApi(APIGateway):
    """A request to a REST API."""

    most_bytes = MOST_BYTES

    @classmethod
    def infer(cls, event: Event, context: Any, config: Any) -> bool:
        """Tells a request from an event that only looks like one, such as a WebSocket's."""
        return super().infer(event, context, config) and "httpMethod" in event

    @property
    def caller(self) -> object:
        """The id of the API that the event says it is from."""
        return self.event["requestContext"].get("apiId")

    def request(self, base_path: str) -> Event:
        """Returns the request as a payload 2.0 event."""
        context = self.event["requestContext"]
        path, stage = self.place(context)
        return _request(
            self.event,
            path=_without(base_path, unquote(path)),
            query=_joined_query(self.event, quote_plus),  # its parameters are already decoded
            stage=stage,
            client=(context.get("identity") or {}).get("sourceIp") or "",
        )

    def place(self, context: dict[str, Any]) -> tuple[str, str]:
        """The path, encoded and with a named stage in front as payload 2.0 has it, and the stage.

        A REST API leaves the stage out of the path, and `context` tells whether the client typed it.
        """
        path, stage = self.event.get("path") or "/", context.get("stage")
        typed = context.get("path") or path
        if stage and typed != path and begins(typed, f"/{stage}"):
            return f"/{stage}{path}", stage
        return path, "$default"

    def result(self, answer: Answer, method: str) -> Result:
        """Returns the answer as a result; a text body isn't base64, which an API decodes only if it is set up to."""
        status, answered, body = answer
        headers, cookies = joined(answered)
        text, is_base64 = encoded(body if has_body(status, method) else b"", headers, compact=False)
        result: Result = {"statusCode": status, "headers": headers, "body": text, "isBase64Encoded": is_base64}
        if cookies:
            result["multiValueHeaders"] = {"set-cookie": cookies}
        return result


class HttpApi(RestApi, HTTPGateway):
    """A request to an HTTP API whose integration has payload format 1.0."""

    @classmethod
    def infer(cls, event: Event, context: Any, config: Any) -> bool:
        """Tells payload format 1.0, which says so, from a REST API's, which doesn't."""
        return event.get("version") == "1.0" and RestApi.infer(event, context, config)

    def place(self, context: dict[str, Any]) -> tuple[str, str]:
        """The path as the client typed it, with a named stage or the key of a mapping in it, and the stage."""
        return self.event.get("path") or "/", context.get("stage") or "$default"


class LoadBalancer(ALB):
    """A request to an application load balancer, whose target group has multi-value headers on or off."""

    most_bytes = 1_000_000  # Source: "Lambda functions as targets": a response's JSON is at most 1 MB

    @property
    def caller(self) -> object:
        """The ARN of the target group that the event says it is from."""
        return self.event["requestContext"]["elb"].get("targetGroupArn")

    def request(self, base_path: str) -> Event:
        """Returns the request as a payload 2.0 event."""
        forwarded = ",".join(_values(self.event, "x-forwarded-for"))
        return _request(
            self.event,
            path=_without(base_path, unquote(self.event.get("path") or "/")),
            query=_joined_query(self.event, str),  # its parameters are as the client sent them
            stage="$default",
            client=forwarded.rpartition(",")[2].strip(),  # the balancer appends it; clients can write all before it
        )

    def result(self, answer: Answer, method: str) -> Result:
        """Returns the answer with its headers in the form that the target group is set to."""
        status, answered, body = answer
        headers, cookies = joined(answered)
        text, is_base64 = encoded(body if has_body(status, method) else b"", headers, compact=False)
        phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"
        result: Result = {
            "statusCode": status,
            "statusDescription": f"{status} {phrase}",
            "body": text,
            "isBase64Encoded": is_base64,
        }
        if "multiValueHeaders" in self.event:
            result["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
            if cookies:
                result["multiValueHeaders"]["set-cookie"] = cookies
        else:  # one value for each name: several cookies need several spellings of the name
            result["headers"] = headers | case_mutated_headers({"set-cookie": cookies})
        return result


Version1 = RestApi | LoadBalancer


def version_1(event: Event, context: Any) -> Version1 | None:
    """Returns the event's handler, or None if it isn't a request from these services."""
    if not isinstance(event.get("requestContext"), dict):
        return None
    for kind in (LoadBalancer, HttpApi, RestApi):
        if kind.infer(event, context, _UNUSED):
            return kind(event, context, _UNUSED)
    return None


def _request(event: Event, *, path: str, query: str, stage: str, client: str) -> Event:
    context = event["requestContext"]
    headers = {name.lower(): ",".join(values) for name, values in _headers(event)}
    return {
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "cookies": list(_values(event, "cookie")),
        "body": event.get("body"),
        "isBase64Encoded": event.get("isBase64Encoded", False),
        "requestContext": {
            "domainName": context.get("domainName") or headers.get("host", "").partition(":")[0],
            "stage": stage,
            "authorizer": context.get("authorizer"),
            "http": {"method": event["httpMethod"], "protocol": context.get("protocol"), "sourceIp": client},
        },
    }


def _all(event: Event, many: str, one: str) -> Iterable[tuple[str, list[str]]]:
    """Returns names with all their values, from the event's key that has all of them, or else from the other one."""
    multiple = event.get(f"multiValue{many}")
    if multiple:
        return [(name, [value for value in values or () if value is not None]) for name, values in multiple.items()]
    return [(name, [value]) for name, value in (event.get(one) or {}).items() if value is not None]


def _headers(event: Event) -> Iterable[tuple[str, list[str]]]:
    """Returns the headers with all their values, without non-ASCII names: lower() could turn one into another name."""
    return [(name, values) for name, values in _all(event, "Headers", "headers") if name.isascii()]


def _values(event: Event, header: str) -> Iterable[str]:
    return [value for name, values in _headers(event) if name.lower() == header for value in values]


def _joined_query(event: Event, spell: Any) -> str:
    parameters = _all(event, "QueryStringParameters", "queryStringParameters")
    return "&".join(f"{spell(name)}={spell(value)}" for name, values in parameters for value in values)


def _without(base_path: str, path: str) -> str:
    """Returns the path without the mapping's key, which payload format 1.0 keeps in it."""
    return path.removeprefix(base_path) or "/" if base_path and begins(path, base_path) else path
