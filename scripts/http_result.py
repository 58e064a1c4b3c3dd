"""An application's answer as the result of an invocation in payload format 2.0 (HTTP API, Function URL)."""

import logging
import os
from binascii import b2a_base64
from collections.abc import Mapping
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any

from scripts.wsgi_call import Answer, Headers

Result = dict[str, Any]

# Bytes of a serialised result. Source: Lambda's own message, "exceeded maximum allowed payload size (6291556 bytes)".
MOST_BYTES = 6_291_556

# What the gateway sets itself, whatever a function says (S23).
_GATEWAYS_OWN = frozenset({"connection", "content-length", "date", "transfer-encoding", "upgrade"})

_WITHOUT_BODY = frozenset({204, 304})

_logger = logging.getLogger("dualmode")


def escapes_non_ascii(environ: Mapping[str, str] = os.environ) -> bool:
    """Tells whether awslambdaric writes `\\uXXXX` for text beyond ASCII, as it does outside of Lambda's own images.

    Source: awslambdaric/lambda_runtime_marshaller.py, `Encoder.__init__`.
    """
    return environ.get("AWS_EXECUTION_ENV") not in {f"AWS_Lambda_python3.{minor}" for minor in (12, 13, 14, 15)}


def result_from_answer(answer: Answer, method: str) -> Result:
    """Returns the result that makes the gateway send this answer, or an error in its place where it is too large."""
    headers, cookies = joined(answer.headers)
    body, is_base64 = encoded(answer, method, headers)
    if body and "content-type" not in headers:
        # The two services would name different types, and both a wrong one (S01, S02); RFC 9110, 8.3 names this one.
        headers["content-type"] = "application/octet-stream"
    result: Result = {"statusCode": answer.status, "headers": headers, "body": body, "isBase64Encoded": is_base64}
    if cookies:
        result["cookies"] = cookies
    size = size_if_too_large(result)
    if size:
        return result_from_answer(too_large(size), method)
    return result


def joined(headers: Headers) -> tuple[dict[str, str], list[str]]:
    """Returns the headers by lower-case name, repeats joined, and the cookies, which can't be joined."""
    by_name: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in headers:
        key = name.lower()
        if key == "set-cookie":
            cookies.append(value)
        elif key in by_name:
            by_name[key] = f"{by_name[key]}, {value}"
        elif key not in _GATEWAYS_OWN:
            by_name[key] = value
    return by_name, cookies


def encoded(answer: Answer, method: str, headers: Mapping[str, str]) -> tuple[str, bool]:
    """Returns the body as an event carries it, and whether that is base64."""
    body = answer.body
    if not body or method == "HEAD" or answer.status in _WITHOUT_BODY:
        return "", False
    if not headers.get("content-encoding"):
        if body.isascii():
            text = body.decode("ascii")
            if len(body) * 2 < MOST_BYTES or _serialised(text) < _base64_size(body):
                return text, False
        elif _may_be_utf_8(headers):
            try:
                text = body.decode("utf-8")
            except UnicodeDecodeError:
                pass
            else:
                if _serialised(text) <= _base64_size(body):
                    return text, False
    return b2a_base64(body, newline=False).decode("ascii"), True


def _may_be_utf_8(headers: Mapping[str, str]) -> bool:
    """Tells whether a body is what its charset says when a gateway has written its text in UTF-8."""
    charset = headers.get("content-type", "").lower().partition("charset=")[2]
    return not charset or "utf-8" in charset


_encode = encode_basestring_ascii if escapes_non_ascii() else encode_basestring


def _serialised(text: str) -> int:
    """Returns the bytes that the text takes in a serialised result, its quotes included."""
    return len(_encode(text).encode("utf-8"))


def _base64_size(body: bytes) -> int:
    return 2 + (len(body) + 2) // 3 * 4


def size_if_too_large(result: Result) -> int:
    """Returns the bytes of the serialised result where Lambda would refuse it, else 0."""
    headers = result.get("headers") or {}
    bound = 6 * (len(result["body"]) + sum(map(len, headers.values()))) + 1000
    if bound < MOST_BYTES:
        return 0
    from awslambdaric.lambda_runtime_marshaller import to_json

    size = len(to_json(result).encode("utf-8"))
    return size if size > MOST_BYTES else 0


def too_large(size: int) -> Answer:
    """Returns the answer in place of one of `size` bytes, and logs it."""
    sentence = (
        f"The response is {size} bytes as Lambda carries it, more than its limit of {MOST_BYTES} bytes: "
        "answer with less, or with a redirect to where it is stored"
    )
    _logger.error(sentence)
    return Answer(500, [("Content-Type", "application/json")], f'{{"error":"{sentence}"}}\n'.encode())
