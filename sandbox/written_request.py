"""A request as a person writes it: a line `GET /path`, headers in lines `Name: value`, and a body."""

import json
import re
from collections.abc import Sequence
from typing import Literal
from urllib.parse import quote

from dualmode.gateway.http.message import TOKEN, Request

_LINE = re.compile(r"([A-Za-z]+) +(/\S*)\Z")


class NotWrittenRightError(Exception):
    """The `part` is written wrongly; the message follows its name in a sentence."""

    def __init__(self, part: Literal["request", "header"], rule: str) -> None:
        super().__init__(rule)
        self.part = part


def written_request(line: str, body: bytes, headers: Sequence[str]) -> Request:
    """Return the request; it is for this machine's own address, and JSON is sent as such, if no header says otherwise.

    Raises:
        NotWrittenRightError: the line or a header is not in its form.
    """
    found = _LINE.match(line)
    if found is None:
        raise NotWrittenRightError("request", f"takes a method and a path, as in 'GET /hello', not '{line}'.")
    fields = [_header(header) for header in headers]
    given = {name.lower() for name, _ in fields}
    if "host" not in given:
        fields.insert(0, ("Host", "localhost"))
    if body and "content-type" not in given:
        fields.append(("Content-Type", _content_type(body)))
    # As browsers do: non-ASCII characters are sent as percent-encoded UTF-8.
    target = quote(found[2], safe="".join(chr(code) for code in range(33, 127)))
    return Request(method=found[1].upper(), target=target, headers=tuple(fields), body=body)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not TOKEN.match(name) or "\n" in value or "\r" in value:
        raise NotWrittenRightError("header", f"takes a name and a value, as in 'Accept: text/html', not '{text}'.")
    return name, value.strip().encode("utf-8", "surrogateescape").decode("latin-1")


def _content_type(body: bytes) -> str:
    try:
        json.loads(body)
    except ValueError:
        return "text/plain; charset=utf-8" if _is_text(body) else "application/octet-stream"
    return "application/json"


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
