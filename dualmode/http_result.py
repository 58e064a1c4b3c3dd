"""An application's answer as the result of an invocation in payload format 2.0 (HTTP API, Function URL)."""

import logging
import os
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any

from dualmode.wsgi_call import Answer, Headers

Result = dict[str, Any]

# Bytes of a serialised result. Source: Lambda's own message, "exceeded maximum allowed payload size (6291556 bytes)".
MOST_BYTES = 6_291_556

_FEW_BYTES = 50_000

# The gateway always sets these itself (docs/http-api.md, S23).
_GATEWAYS_OWN = frozenset({"connection", "content-length", "date", "transfer-encoding", "upgrade"})

_WITHOUT_BODY = frozenset({204, 304})

_logger = logging.getLogger("dualmode")


def escapes_non_ascii(environ: Mapping[str, str] = os.environ) -> bool:
    """Tells whether awslambdaric escapes non-ASCII text, six bytes a character: in Lambda's own images it doesn't.

    Source: awslambdaric/lambda_runtime_marshaller.py, `Encoder.__init__`.
    """
    return environ.get("AWS_EXECUTION_ENV") not in {f"AWS_Lambda_python3.{minor}" for minor in (12, 13, 14, 15)}


_quoted = encode_basestring_ascii if escapes_non_ascii() else encode_basestring


def result_from_answer(answer: Answer, method: str) -> Result:
    """Returns the result that makes the gateway send this answer."""
    status, answered, body = answer
    headers, cookies = joined(answered)
    text, is_base64 = encoded(body if has_body(status, method) else b"", headers)
    if text and "content-type" not in headers:
        # The two services would name different types, both wrong (docs/http-api.md, S01 and S02); this one is from
        # RFC 9110, 8.3.
        headers["content-type"] = "application/octet-stream"
    result: Result = {"statusCode": status, "headers": headers, "body": text, "isBase64Encoded": is_base64}
    if cookies:
        result["cookies"] = cookies
    return result


def within_limit(
    answer: Answer,
    method: str,
    result_of: Callable[[Answer, str], Result] = result_from_answer,
    limit: int = MOST_BYTES,
) -> Result:
    """Returns the answer's result. If it is too large for Lambda, logs an error and returns the result of that.

    Args:
        answer: what the application answered.
        method: the request's method.
        result_of: makes the result of an answer to a method.
        limit: the most bytes that a serialised result may have.
    """
    result = result_of(answer, method)
    size = serialised_size(answer, result)
    if size <= limit:
        return result
    sentence = (
        f"The response is {size} bytes as Lambda counts it, but the limit is {limit} bytes:"
        " answer with less, or with a redirect to where it is stored"
    )
    _logger.error(sentence)
    return result_of((500, [("Content-Type", "application/json")], f'{{"error":"{sentence}"}}\n'.encode()), method)


def serialised_size(answer: Answer, result: Result) -> int:
    """Returns how many bytes awslambdaric will write for the result, or 0 if they can't be many."""
    _, headers, body = answer
    # At worst a byte becomes six, as \u0000: this many can't reach the limit of any service.
    if len(body) < _FEW_BYTES and len("".join([value for _, value in headers])) < _FEW_BYTES:
        return 0
    try:
        from awslambdaric.lambda_runtime_marshaller import to_json
    except ImportError:  # in a user's own test
        from json import dumps as to_json

    return len(to_json(result).encode("utf-8"))


def has_body(status: int, method: str) -> bool:
    """Tells whether an answer has a body at all, by HTTP's rules."""
    return method != "HEAD" and status not in _WITHOUT_BODY


def joined(headers: Headers) -> tuple[dict[str, str], list[str]]:
    """Returns the headers by lower-case name, with repeated ones joined, and the cookies, which can't be joined."""
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


def encoded(body: bytes, headers: Mapping[str, str], *, compact: bool = True) -> tuple[str, bool]:
    """Returns the body as a result carries it, and whether that is base64.

    With `compact`, text is base64 too if awslambdaric's escapes would make it longer than base64 does.
    """
    if "content-encoding" not in headers:
        if body.isascii():
            text = body.decode("ascii")
            if not compact or len(body) < _FEW_BYTES or _is_shorter_as_text(text, body):
                return text, False
        elif _may_be_utf_8(headers.get("content-type", "")):
            try:
                text = body.decode("utf-8")
            except UnicodeDecodeError:
                pass
            else:
                if not compact or _is_shorter_as_text(text, body):
                    return text, False
    return b2a_base64(body, newline=False).decode("ascii"), True


def _may_be_utf_8(content_type: str) -> bool:
    """Tells whether a body still matches its charset after a gateway has written its text in UTF-8."""
    charset = content_type.lower().partition("charset=")[2]
    return not charset or "utf-8" in charset


def _is_shorter_as_text(text: str, body: bytes) -> bool:
    return len(_quoted(text).encode("utf-8")) <= (len(body) + 2) // 3 * 4 + 2
