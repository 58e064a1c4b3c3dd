"""Takes only requests that come through the CDN, and gives the application what its client sent.

CloudFront adds a secret header to each request, the name that its client asked for, and the client's address. Imported
only where `DUALMODE_CDN_SECRETS` is set, with the values that are accepted, separated by spaces. While the secret is
changed there are two, since CloudFront's locations send the new one at different times.
"""

import hmac
import time
from collections.abc import Callable, Mapping
from typing import Any

from dualmode.application import PLACE_OF
from dualmode.handler import Handler

VARIABLE = "DUALMODE_CDN_SECRETS"

SECRET_HEADER, HOST_HEADER, CLIENT_HEADER = "x-dualmode-cdn", "x-forwarded-host", "x-dualmode-client"
"""What CloudFront adds; the secret overwrites what a client sends, and so do the other two."""

SECONDS_BETWEEN_READS = 1.0
"""How long an unknown value is refused unread: requests with wrong ones must not become as many calls of AWS."""

REFUSAL = {
    "statusCode": 403,
    "headers": {"content-type": "application/json", "cache-control": "no-store"},
    "body": '{"error":"This address takes no requests of its own: send them to the domain of the application"}\n',
    "isBase64Encoded": False,
}


def behind_cdn(handler: Handler, environ: Mapping[str, str]) -> Handler:
    """Returns a handler that answers requests come around the CDN with 403, and checks no other events."""
    accepted = Accepted(environ)

    def guarded(event: Any, context: Any) -> Any:
        source = event.get("requestContext") if isinstance(event, dict) else None
        if not isinstance(source, dict) or not ("http" in source or "elb" in source or "httpMethod" in event):
            return handler(event, context)
        headers = event.get("headers")
        # CloudFront's requests come by an API or a function URL with payload 2.0, and by nothing else.
        if event.get("version") != "2.0" or not isinstance(headers, dict) or headers.get(SECRET_HEADER) not in accepted:
            return REFUSAL
        return handler(as_sent(event, source, headers), context)

    return guarded


class Accepted:
    """The accepted values, read again when another one comes: it may be new."""

    def __init__(self, environ: Mapping[str, str], now: Callable[[], float] = time.monotonic) -> None:
        self._environ = environ
        self._values = environ[VARIABLE].split()
        self._now = now
        self._read_at = now()

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, str):
            return False
        return self._has(value) or (self._read_again() and self._has(value))

    def _has(self, value: str) -> bool:
        given = value.encode("utf-8", "surrogatepass")
        # All of them, each in constant time: how long it takes tells nothing of a value.
        return sum(hmac.compare_digest(given, known.encode()) for known in self._values) > 0

    def _read_again(self) -> bool:
        place = f"{PLACE_OF}{VARIABLE}"
        if place not in self._environ or self._now() - self._read_at < SECONDS_BETWEEN_READS:
            return False
        from dualmode import secrets

        # Not the other secrets: the application has had those since its start.
        found = {name: text for name, text in self._environ.items() if not name.startswith(PLACE_OF) or name == place}
        try:
            secrets.load(found)
        except secrets.SecretError as error:
            import logging

            logging.getLogger("dualmode").error("%s", error)
            return False
        finally:
            self._read_at = self._now()
        self._values = found[VARIABLE].split()
        return True


def as_sent(event: dict[str, Any], source: dict[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    """Returns the event of a request as if its client had sent it to the API itself: its name, its address."""
    kept = {name: text for name, text in headers.items() if name not in (SECRET_HEADER, CLIENT_HEADER)}
    changed = dict(source)
    host, client = headers.get(HOST_HEADER), headers.get(CLIENT_HEADER)
    if host:
        kept["host"] = host
        changed |= {"domainName": host.partition(":")[0], "domainPrefix": host.partition(".")[0]}
    if client:
        kept["x-forwarded-for"] = client
        changed["http"] = {**source["http"], "sourceIp": client}
    return {**event, "headers": kept, "requestContext": changed}
