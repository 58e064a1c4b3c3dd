"""One signed call of an AWS service that speaks JSON, without boto3: what reading secrets needs, and no more."""

import hashlib
import hmac
import json
import random
import time
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

CALL_SECONDS = 3.0
"""How long a call may wait for its connection, or for its answer."""

RETRIED = ("ThrottlingException", "InternalServerError", "InternalServiceError", "InternalFailure")
"""Errors after which the same call may succeed: many cold starts at once reach a limit of calls per second."""


class Caller(NamedTuple):
    """Who calls AWS, and in which region."""

    region: str
    access_key: str
    secret_key: str
    session_token: str


class RefusedError(Exception):
    """AWS refused a call: its error code, and its sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence.rstrip(".")


class NoAnswerError(Exception):
    """A service doesn't answer; the message says which address, and why."""


def caller_of(environ: Mapping[str, str]) -> Caller | None:
    """Returns who calls AWS, from the variables that Lambda sets; None if they aren't set."""
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or ""
    access_key, secret_key = environ.get("AWS_ACCESS_KEY_ID", ""), environ.get("AWS_SECRET_ACCESS_KEY", "")
    if not (region and access_key and secret_key):
        return None
    return Caller(region, access_key, secret_key, environ.get("AWS_SESSION_TOKEN", ""))


def call(service: str, target: str, body: Mapping[str, object], caller: Caller, address: str, deadline: float) -> Any:
    """Calls AWS and returns its answer; what may pass is tried again until the deadline (`time.monotonic`).

    Raises:
        RefusedError: AWS answered with an error.
        NoAnswerError: there was no answer.
    """
    content = json.dumps(body).encode()
    waits = _waits()
    while True:
        wait = next(waits)
        try:
            return _sent(service, target, address, content, caller)
        except RefusedError as error:
            if error.code not in RETRIED or time.monotonic() + wait > deadline:
                raise
        except (OSError, HTTPException) as error:
            if time.monotonic() + wait + CALL_SECONDS > deadline:
                raise NoAnswerError(f"{address} doesn't answer ({error or type(error).__name__})") from None
        time.sleep(wait)


def _waits() -> Iterator[float]:
    """Yields how long to wait before the next attempt, in seconds: longer each time, and random, as AWS asks."""
    longest = 0.1
    while True:
        yield random.uniform(longest / 2, longest)  # noqa: S311 - spreads calls out
        longest *= 2


def endpoint(service: str, region: str, environ: Mapping[str, str]) -> str:
    """Returns the address of a service, which the variables of every AWS SDK may replace.

    Source: "Service-specific endpoints", AWS SDKs and Tools Reference Guide.
    """
    own = {"ssm": "AWS_ENDPOINT_URL_SSM", "secretsmanager": "AWS_ENDPOINT_URL_SECRETS_MANAGER"}[service]
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return environ.get(own) or environ.get("AWS_ENDPOINT_URL") or f"https://{service}.{region}.{domain}"


def _sent(service: str, target: str, address: str, content: bytes, caller: Caller) -> Any:
    parts = urlsplit(address)
    connect = HTTPConnection if parts.scheme == "http" else HTTPSConnection
    connection = connect(parts.netloc, timeout=CALL_SECONDS)
    try:
        headers = signed(service, target, parts.netloc, content, caller, time.gmtime())
        connection.request("POST", "/", content, headers)
        response = connection.getresponse()
        answer = json.loads(response.read() or b"{}")
    except ValueError:
        raise HTTPException("its answer is not JSON") from None
    finally:
        connection.close()
    if response.status != 200:
        code = str(answer.get("__type", response.status)).rpartition("#")[2]
        raise RefusedError(code, str(answer.get("message") or answer.get("Message") or "without a reason"))
    return answer


def signed(
    service: str, target: str, host: str, content: bytes, caller: Caller, now: time.struct_time
) -> dict[str, str]:
    """Returns the headers of a call, signed with signature version 4.

    Source: "Create a signed AWS API request", IAM User Guide.
    """
    moment = time.strftime("%Y%m%dT%H%M%SZ", now)
    headers = {"content-type": "application/x-amz-json-1.1", "host": host, "x-amz-date": moment}
    if caller.session_token:
        headers["x-amz-security-token"] = caller.session_token
    headers["x-amz-target"] = target
    names = ";".join(headers)
    lines = [f"{name}:{value}" for name, value in headers.items()]
    request = "\n".join(("POST", "/", "", *lines, "", names, hashlib.sha256(content).hexdigest()))
    scope = (moment[:8], caller.region, service, "aws4_request")
    key = f"AWS4{caller.secret_key}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    text = "\n".join(("AWS4-HMAC-SHA256", moment, "/".join(scope), hashlib.sha256(request.encode()).hexdigest()))
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"{caller.access_key}/{'/'.join(scope)}"
    return {
        **headers,
        "authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}",
    }
