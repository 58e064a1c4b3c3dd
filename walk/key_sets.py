"""The public keys of an issuer of tokens, asked from the issuer itself.

Source: OpenID Connect Discovery 1.0, section 4; "Control access to HTTP APIs with JWT authorizers", API Gateway
Developer Guide.
"""

import json
import os
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

PATH = "/.well-known/openid-configuration"
SECONDS = 1.5
"""How long an issuer may take for an answer. Source: "Quotas for configuring and running an HTTP API"."""
KEPT = 7200.0
"""Seconds that a key is kept. Source: the guide to JWT authorizers: two hours."""
_MOST_BYTES = 1_000_000


class IssuerError(Exception):
    """An issuer doesn't give its keys; the sentence says why."""


class KeySets:
    """The keys of all issuers that were asked for, as long as they are kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, list[Mapping[str, Any]]]] = {}

    def key(self, issuer: str, key_id: str) -> Mapping[str, Any] | None:
        """Return an issuer's key by its id; None if it has none with that id, also when it is asked again.

        Raises:
            IssuerError: the issuer doesn't give its keys.
        """
        with self._lock:
            asked, keys = self._kept.get(issuer, (0.0, []))
        found = next((key for key in keys if key.get("kid") == key_id), None)
        if found is not None and time.monotonic() - asked < KEPT:
            return found
        keys = keys_of(issuer)
        with self._lock:
            self._kept[issuer] = (time.monotonic(), keys)
        return next((key for key in keys if key.get("kid") == key_id), None)


def keys_of(issuer: str, environ: Mapping[str, str] = os.environ) -> list[Mapping[str, Any]]:
    """Return the keys that an issuer publishes now.

    `environ` has the variables for proxies and certificates: `HTTPS_PROXY`, `NO_PROXY`, `SSL_CERT_FILE`.

    Raises:
        IssuerError: it doesn't answer, or its answer names no keys.
    """
    address = _document(issuer.rstrip("/") + PATH, environ).get("jwks_uri")
    if not isinstance(address, str):
        raise IssuerError(f"{issuer.rstrip('/')}{PATH} has no jwks_uri")
    keys = _document(address, environ).get("keys")
    if not isinstance(keys, list):
        raise IssuerError(f"{address} has no keys")
    return [key for key in keys if isinstance(key, dict)]


def _document(address: str, environ: Mapping[str, str]) -> Mapping[str, Any]:
    if not address.startswith("https://"):
        raise IssuerError(f"{address} is not an https URL")
    try:
        with _opener(address, environ).open(address, timeout=SECONDS) as answer:
            document = json.loads(answer.read(_MOST_BYTES))
    except urllib.error.HTTPError as error:
        error.close()  # it holds the connection
        raise IssuerError(f"{address} gives no JSON: {error}") from error
    except (OSError, ValueError) as error:
        raise IssuerError(f"{address} gives no JSON: {error}") from error
    if not isinstance(document, dict):
        raise IssuerError(f"{address} gives no JSON object")
    return document


def _opener(address: str, environ: Mapping[str, str]) -> urllib.request.OpenerDirector:
    """Return what opens an address: urllib's own opener knows only the variables of this process."""
    variables = {name.lower(): value for name, value in environ.items() if value}
    proxy = variables.get("https_proxy")
    host = urlsplit(address).netloc
    past = {"no": variables.get("no_proxy", "")}
    direct = not proxy or urllib.request.proxy_bypass_environment(host, past)  # type: ignore[attr-defined]
    trusted = ssl.create_default_context(cafile=variables.get("ssl_cert_file"))
    return urllib.request.build_opener(
        urllib.request.ProxyHandler({} if direct else {"https": str(proxy)}),
        urllib.request.HTTPSHandler(context=trusted),
    )
