"""Keeps web pages away from servers that only programs on this machine may use.

A page can reach such a server through its reader's browser: with a form or script that names its address, or with the
page's own name made to resolve to it (DNS rebinding). The browser shows it in headers that a page can't change: `Host`
has the name that was used, `Origin` and `Sec-Fetch-*` say that a page asks. A server gives `objection`, with its own
arguments, to `HttpServer`, which answers 403 before it reads the body.
"""

import ipaddress
import re
from collections.abc import Callable, Collection

from dualmode.gateway.http.message import Request

_HOST = re.compile(r"(?:\[(?P<address>[^\[\]]+)\]|(?P<name>[^\[\]:]+))(?::[0-9]{0,5})?\Z")


def objection(
    request: Request, *, takes_host: Callable[[str], bool], remedy: str, fetch_metadata: str = "sec-fetch-"
) -> str | None:
    """One sentence that says why the request may come from a web page, or None if it can't.

    Args:
        request: what was sent.
        takes_host: tells whether a Host header ("" if there is none) names only this server.
        remedy: what to do about a refused Host; it ends the sentence.
        fetch_metadata: the beginning of the names of the Fetch Metadata headers, in lower case.
    """
    for name, _ in request.headers:
        key = name.lower()
        if key == "origin" or key.startswith(fetch_metadata):
            return f"The header {name} says that a web page sent this request, and web pages are refused: leave it out."
    host = request.header("host") or ""
    if not takes_host(host):
        return f"The Host {host[:100]!r} is not allowed here, so that no web page can use this port: {remedy}"
    return None


def is_address_or(names: Collection[str]) -> Callable[[str], bool]:
    """A function that tells whether a Host is an IP address, `localhost` or one of the names, with any port.

    An address can't be rebound; neither can `localhost`, which browsers resolve themselves. `names` are in lower case.
    """
    known = frozenset(names) | {"localhost"}

    def takes_host(host: str) -> bool:
        parts = _HOST.match(host)
        if parts is None:
            return False
        if parts["address"] is not None:
            return _is_address(parts["address"])
        return parts["name"].lower() in known or _is_address(parts["name"])

    return takes_host


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
