"""The request that every contender is measured with, and the only correct answer."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

PATH = "/hello"
ANSWER = {"message": "Hello from Flask!"}

# Payload format 2.0, with the fields of a browser's request through an HTTP API.
EVENT: dict[str, Any] = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": PATH,
    "rawQueryString": "name=ada&lang=en",
    "cookies": ["session=0123456789abcdef", "theme=dark"],
    "headers": {
        "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "accept-encoding": "gzip, deflate, br",
        "accept-language": "en-GB,en;q=0.9",
        "content-length": "0",
        "host": "abcdefghij.execute-api.eu-west-1.amazonaws.com",
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "x-amzn-trace-id": "Root=1-68a1b2c3-0123456789abcdef01234567",
        "x-forwarded-for": "198.51.100.7",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    },
    "queryStringParameters": {"name": "ada", "lang": "en"},
    "requestContext": {
        "accountId": "000000000000",
        "apiId": "abcdefghij",
        "domainName": "abcdefghij.execute-api.eu-west-1.amazonaws.com",
        "domainPrefix": "abcdefghij",
        "http": {
            "method": "GET",
            "path": PATH,
            "protocol": "HTTP/1.1",
            "sourceIp": "198.51.100.7",
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        },
        "requestId": "JKJaXmPLvHcESHA=",
        "routeKey": "$default",
        "stage": "$default",
        "time": "17/Aug/2026:10:40:19 +0000",
        "timeEpoch": 1786963219000,
    },
    "isBase64Encoded": False,
}


def wrong(result: Mapping[str, Any]) -> str:
    """Returns what is wrong with a function's result, or "" if it is correct."""
    body = result.get("body") or ""
    if result.get("isBase64Encoded"):
        body = b64decode(body)
    try:
        right = result.get("statusCode") == 200 and json.loads(body) == ANSWER
    except ValueError:
        right = False
    return "" if right else f"it answered {json.dumps(result)[:300]}"
