"""Lets in a server's own page and programs, and no other page."""

from collections.abc import Collection
from dataclasses import replace

from dualmode.gateway.http.message import Request
from dualmode.gateway.http.trusted_client import objection

# Typed or bookmarked, or sent by the page itself. A page of another port of this machine is "same-site".
_OWN_SITES = ("none", "same-origin")


def objection_to(request: Request, hosts: Collection[str]) -> str | None:
    """One sentence that says why the request gets a 403, or None. `hosts` are the server's own, with the port.

    What changes something is taken from the page alone, which a browser names in `Origin`.
    """
    own = f"http://{(request.header('host') or '').lower()}"
    from_own = (request.header("sec-fetch-site") or "none").lower() in _OWN_SITES
    headers = tuple(
        (name, value)
        for name, value in request.headers
        if not (name.lower() == "origin" and value == own) and not (from_own and name.lower().startswith("sec-fetch-"))
    )
    address = sorted(hosts)[0]
    refused = objection(
        replace(request, headers=headers), takes_host=lambda host: host.lower() in hosts, remedy=f"use {address}."
    )
    if refused is None and request.method not in ("GET", "HEAD") and request.header("origin") != own:
        return f"Only the page at http://{address}/ may send this: a program sends requests to the deployment itself."
    return refused
