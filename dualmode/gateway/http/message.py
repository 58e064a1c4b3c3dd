"""HTTP messages as values: what the server reads, what everything behind it answers."""

import json
import re
from dataclasses import dataclass

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
"""A method, or the name of a header. Source: RFC 9110, 5.6.2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it came over the wire.

    Text is latin-1, which keeps every byte that a client sends; names keep their case, repeats keep their order.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    client: str = "127.0.0.1"

    def header(self, name: str) -> str | None:
        """The value of the first header of that name, whatever its case."""
        wanted = name.lower()
        for key, value in self.headers:
            if key.lower() == wanted:
                return value
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One response; the server adds `Content-Length` where it is missing, and `Connection`."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""


def host_name(host: str) -> str:
    """The name or address of a Host header, without its port; an IPv6 address keeps its brackets."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def json_response(status: int, document: object, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """A response whose body is the document as compact JSON."""
    body = json.dumps(document, separators=(",", ":")).encode()
    return Response(status=status, headers=(("content-type", "application/json"), *headers), body=body)
