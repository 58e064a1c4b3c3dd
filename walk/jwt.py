"""Tokens (JWT) as an HTTP API checks them.

Source: "Control access to HTTP APIs with JWT authorizers", API Gateway Developer Guide; docs/http-api.md, R57, R58.
"""

import base64
import binascii
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from walk.key_sets import IssuerError, KeySets
from walk.rsa_signature import ALGORITHMS, is_signed


class TokenError(Exception):
    """A token is not valid; the text says why, as API Gateway's `error_description` would."""


def checked_claims(token: str, *, issuer: str, audiences: Sequence[str], key_sets: KeySets) -> Mapping[str, Any]:
    """Return the claims of a token that its issuer signed for one of the audiences, and that is valid now.

    Raises:
        TokenError: it is not such a token.
    """
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenError("the token is not three parts with dots between them")
    header, claims = _json(parts[0]), _json(parts[1])
    _check_signature(parts, header, issuer, key_sets)
    if claims.get("iss") != issuer:
        raise TokenError("the token does not have a valid issuer")
    audience = claims["aud"] if "aud" in claims else claims.get("client_id")
    if not set(audiences) & set(map(str, audience if isinstance(audience, list) else [audience])):
        raise TokenError("the token does not have a valid audience")
    now = time.time()
    expires, begins, issued = (_time(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is None or expires <= now:
        raise TokenError("the token has expired")
    if (begins is not None and begins > now) or (issued is not None and issued > now):
        raise TokenError("the token is not valid yet")
    return claims


def scopes_of(claims: Mapping[str, Any]) -> list[str]:
    """Return the scopes of a token, from its `scope` or else its `scp`."""
    given = claims["scope"] if "scope" in claims else claims.get("scp")
    listed = given.split() if isinstance(given, str) else given
    return [str(scope) for scope in listed] if isinstance(listed, list) else []


def told(claims: Mapping[str, Any]) -> dict[str, str]:
    """Return the claims as the event has them: all of them are text (docs/http-api.md, R57)."""
    return {name: _text(value) for name, value in claims.items() if value is not None}


def _text(value: object) -> str:
    if isinstance(value, list):
        return f"[{' '.join(map(_text, value))}]"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _check_signature(parts: Sequence[str], header: Mapping[str, Any], issuer: str, key_sets: KeySets) -> None:
    algorithm, key_id = str(header.get("alg")), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise TokenError("the token is not signed with an algorithm of RSA")
    try:
        key = key_sets.key(issuer, key_id) if isinstance(key_id, str) else None
    except IssuerError as error:
        raise TokenError(f"the issuer's keys can't be read: {error}") from error
    if key is None or key.get("kty") != "RSA":
        raise TokenError("the token's kid is not the id of a key of the issuer")
    modulus, exponent = (int.from_bytes(_bytes(str(key.get(name, ""))), "big") for name in ("n", "e"))
    message = f"{parts[0]}.{parts[1]}".encode()
    if not is_signed(message, _bytes(parts[2]), algorithm=algorithm, modulus=modulus, exponent=exponent):
        raise TokenError("the token's signature is not valid")


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenError(f"the token's {name} is not a number")
    return value


def _json(part: str) -> Mapping[str, Any]:
    try:
        found = json.loads(_bytes(part))
    except (ValueError, RecursionError) as error:
        raise TokenError("the token's parts are not JSON") from error
    if not isinstance(found, dict):
        raise TokenError("the token's parts are not JSON objects")
    return found


def _bytes(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise TokenError("the token's parts are not base64") from error
