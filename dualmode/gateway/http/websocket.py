"""Requests for a WebSocket, which an HTTP API doesn't have: it takes their `Upgrade` header away and passes them on."""

from dualmode.gateway.http.message import Request

ADVICE = (
    "A client asks for a WebSocket: an HTTP API has none, and the application gets a plain GET. Have the page ask "
    "again, use API Gateway's WebSocket APIs beside this, or run it in a container service."
)


def asks_for_websocket(request: Request) -> bool:
    """Whether the client wants to go on with a WebSocket. Source: RFC 6455, 4.1."""
    return (request.header("upgrade") or "").strip().lower() == "websocket"
