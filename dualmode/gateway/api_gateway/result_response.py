"""A function's result as the response that an HTTP API sends: payload format version 2.0."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Literal

from dualmode.gateway.http.message import TOKEN, Response

StatusCodeString = Literal["accept", "refuse"]
InvalidBase64 = Literal["refuse", "verbatim"]

# Source: docs/http-api.md, S23: the function's values for these never reach a client.
DROPPED_HEADERS = frozenset(("connection", "content-length", "date", "transfer-encoding", "upgrade"))

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultOptions:
    """Choices for API Gateway's behaviour where it isn't known for certain.

    `status_code_string`: whether `"200"` counts as the number it spells. `invalid_base64`: whether a body that claims
    to be base64 and isn't fails the request or is sent as it is (S29 and S40 of docs/http-api.md).
    """

    status_code_string: StatusCodeString = "accept"
    invalid_base64: InvalidBase64 = "refuse"


DEFAULT_OPTIONS = ResultOptions()


class InvalidResultError(ValueError):
    """The function's result is not a valid response; the sentence says why."""


def message_response(status: int, message: str, *, request_id: str) -> Response:
    """The gateway's own answer, in API Gateway's words: `{"message": …}`."""
    body = json.dumps({"message": message}, separators=(",", ":")).encode()
    return _response(status, [("content-type", "application/json")], body, request_id=request_id, method="GET")


def response_from_result(
    payload: bytes, *, request_id: str, method: str, options: ResultOptions = DEFAULT_OPTIONS
) -> Response:
    """The response for a function's result (JSON), or the gateway's 500 if the result is not a valid response.

    A JSON object with `statusCode` is a response. Anything else is a body of type `application/json`: a string without
    its quotes, other values as they came.
    """
    try:
        return structured_response(payload, request_id=request_id, method=method, options=options)
    except InvalidResultError:
        return message_response(500, "Internal Server Error", request_id=request_id)


def structured_response(
    payload: bytes, *, request_id: str, method: str, options: ResultOptions = DEFAULT_OPTIONS
) -> Response:
    """As `response_from_result`, for callers that want to say why a result is refused.

    Raises:
        InvalidResultError: the result has a `statusCode` but is not a valid response, or is not valid JSON.
    """
    try:
        result = json.loads(payload)
    except ValueError as error:
        raise InvalidResultError(f"The result is not JSON: {error}.") from error
    if not isinstance(result, dict) or "statusCode" not in result:
        body = result.encode("utf-8", "surrogatepass") if isinstance(result, str) else payload
        return _response(200, [("content-type", "application/json")], body, request_id=request_id, method=method)
    status = _status(result["statusCode"], options)
    headers = _headers(result.get("headers"))
    body = _body(result.get("body"), result.get("isBase64Encoded"), options)
    cookies = result.get("cookies")
    if cookies is not None and not (isinstance(cookies, list) and all(isinstance(cookie, str) for cookie in cookies)):
        raise InvalidResultError("cookies is not a list of strings.")
    if not any(name.lower() == "content-type" for name, _ in headers) and not _bodyless(status):
        headers.append(("content-type", "text/plain; charset=utf-8"))
    set_cookies = [("set-cookie", _field(cookie, "a cookie")) for cookie in cookies or ()]
    return _response(status, set_cookies + headers, body, request_id=request_id, method=method)


def _response(status: int, headers: list[tuple[str, str]], body: bytes, *, request_id: str, method: str) -> Response:
    fields = [("date", formatdate(usegmt=True)), *headers]
    if not _bodyless(status):
        fields.append(("content-length", str(len(body))))
    fields.append(("apigw-requestid", request_id))
    silent = _bodyless(status) or method == "HEAD"
    return Response(status=status, headers=tuple(fields), body=b"" if silent else body)


def _bodyless(status: int) -> bool:
    return status in (204, 304)


def _status(value: object, options: ResultOptions) -> int:
    if (
        isinstance(value, str)
        and options.status_code_string == "accept"
        and len(value) == 3
        and value.isascii()
        and value.isdigit()
    ):
        value = int(value)
    # 1xx would leave the client waiting for the response that follows it
    if isinstance(value, bool) or not isinstance(value, int) or not 200 <= value <= 599:
        raise InvalidResultError(f"statusCode {value!r} is not an HTTP status from 200 to 599.")
    return value


def _headers(value: object) -> list[tuple[str, str]]:
    if value is None:
        return []
    if not isinstance(value, Mapping):
        raise InvalidResultError("headers is not an object.")
    headers: list[tuple[str, str]] = []
    typed = False
    for name, field in value.items():
        lower = name.lower()
        if lower in DROPPED_HEADERS or field is None or (lower == "content-type" and typed):
            continue
        if not TOKEN.match(name):
            raise InvalidResultError(f"{name!r} is not a valid header name.")
        typed = typed or lower == "content-type"
        headers.append((lower, _field(field, f"header {name}")))
    return headers


def _field(value: object, what: str) -> str:
    """A header's value as latin-1 text; characters beyond it go out as UTF-8."""
    if isinstance(value, bool | int | float):
        value = json.dumps(value)
    if not isinstance(value, str):
        raise InvalidResultError(f"The value of {what} is not a string.")
    if _CONTROL.search(value):
        raise InvalidResultError(f"The value of {what} has a control character.")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass").decode("latin-1")
    return value


def _body(body: object, is_base64: object, options: ResultOptions) -> bytes:
    if body is None:
        body = ""
    if not isinstance(body, str):
        raise InvalidResultError("body is not a string.")
    if is_base64 is not None and not isinstance(is_base64, bool):
        raise InvalidResultError("isBase64Encoded is not true or false.")
    if is_base64:
        try:
            return base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError) as error:
            if options.invalid_base64 == "refuse":
                raise InvalidResultError(f"body is not base64: {error}.") from error
    return body.encode("utf-8", "surrogatepass")
