"""Requests whose answer is what httpbin saw of them."""

from tests.image.parity.case import case

# httpbin shows the URL and the request's headers.
SEEN = ("echoed trace id", "echoed https")


def shows(name, method, target, *headers, json=None, differs=SEEN, **facts):
    """A request to a route that shows all it saw."""
    # The URL is in the answers of both modes, but for its scheme: the exception looks at it.
    return case(name, method, target, *headers, json=json or {}, differs=differs, **facts)


def shows_headers(name, *headers, seen, differs="echoed trace id"):
    """A request to the route that shows its headers."""
    return case(name, "GET", "/headers", *headers, json={"headers": seen}, differs=differs)
