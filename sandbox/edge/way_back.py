"""Changes the response for a client that used an address of this machine: its redirects and cookies stay local.

An application behind the sandbox sees its public name and https, as on AWS. A local browser can't follow a
redirect there, and doesn't keep a cookie for https that comes over http.
"""

import re
from dataclasses import replace

from dualmode.gateway.http.message import Request, Response
from walk.domain import asked_name

# Browsers refuse both without Secure.
_ONLY_WITH_SECURE = ("samesite=none", "partitioned")


def led_back(request: Request, response: Response, name: str | None) -> Response:
    """Return the response as such a client can use it; unchanged for a client that used the domain itself.

    `name` is the public name that an address of this machine stands for, or None.
    """
    served = request.header("host") or ""
    if name is None or not served or asked_name(served, name) != name or asked_name(served, None) == name:
        return response
    public = re.compile(rf"(?:https?:)?//{re.escape(name)}(?::\d+)?(?=[/?#]|\Z)", re.IGNORECASE)

    def local(key: str, value: str) -> str:
        if key == "location":
            return public.sub(lambda _: f"http://{served}", value, count=1) if public.match(value) else value
        return _local_cookie(value, name) if key == "set-cookie" else value

    return replace(response, headers=tuple((key, local(key.lower(), value)) for key, value in response.headers))


def _local_cookie(cookie: str, name: str) -> str:
    """A cookie without what makes a client on http drop it: `Secure`, what needs it, the public name's `Domain`."""
    pair, *attributes = cookie.split(";")
    if pair.lstrip().startswith(("__Secure-", "__Host-")):  # refused without Secure
        return cookie
    words = {attribute.strip().lower() for attribute in attributes}
    dropped = {"secure", *(_ONLY_WITH_SECURE if "secure" in words else ())}
    kept = [part for part in attributes if part.strip().lower() not in dropped and not _is_of(part, name)]
    return ";".join([pair, *kept])


def _is_of(attribute: str, name: str) -> bool:
    """Whether a cookie's attribute is a `Domain` that holds the public name."""
    key, _, domain = attribute.strip().lower().partition("=")
    return key.strip() == "domain" and f".{name}".endswith(f".{domain.strip().lstrip('.')}")
