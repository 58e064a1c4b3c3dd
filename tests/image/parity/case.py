"""What one case of the corpus says: the bytes that are sent, and facts that hold of every mode's answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.image.parity.wire import Answer

HOST = "parity.test"

# What API Gateway answers to a path that it cannot decode (R07).
UNREADABLE = {"status": 400, "body": b'{"message":"Bad Request"}'}


class Absent:
    """In a fact about JSON: the key isn't there."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is true of an answer, whoever gives it.

    A header's value is its only line, a list of its lines, the set of what its line lists, or None where there is none.
    `json` is a part of the body: of objects the keys that are named, of all else the whole.
    """

    status: int = 200
    headers: Mapping[str, str | list[str] | frozenset[str] | None] = field(default_factory=dict)
    body: bytes | None = None
    json: Any = None

    def check(self, answer: Answer) -> None:
        assert answer.status == self.status, answer
        for name, value in self.headers.items():
            lines = answer.values(name)
            if isinstance(value, frozenset):
                assert [frozenset(line.split(", ")) for line in lines] == [value], (name, answer)
            else:
                expected = [] if value is None else [value] if isinstance(value, str) else value
                assert sorted(lines) == sorted(expected), (name, answer)
        if self.body is not None:
            assert answer.body == self.body
        if self.json is not None:
            document = json.loads(answer.body)
            assert part(document, self.json) == self.json, document


def part(document: Any, wanted: Any) -> Any:
    """The part of a document that has the shape of the wanted one."""
    if not isinstance(wanted, dict) or not isinstance(document, dict):
        return document
    return {key: part(document[key], value) if key in document else Absent for key, value in wanted.items()}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One request, the same to every mode.

    `differs` names exceptions; `gateway` are the facts of gateway mode where an exception is one of whole answers.
    """

    id: str
    method: str
    request: bytes
    facts: Facts
    differs: tuple[str, ...] = ()
    gateway: Facts | None = None


def case(
    name: str,
    method: str,
    target: str | bytes,
    *headers: str | bytes,
    send: bytes | None = None,
    chunks: Sequence[bytes] | None = None,
    differs: str | Sequence[str] = (),
    gateway: Facts | None = None,
    host: str | None = HOST,
    version: str = "HTTP/1.1",
    **facts: Any,
) -> Case:
    """A case whose request sends a Host, a length where it sends a body, and no other header than those given."""
    lines = [b" ".join([method.encode(), _bytes(target), version.encode()])]
    if host is not None:
        lines.append(b"Host: " + host.encode())
    lines += map(_bytes, headers)
    content = send or b""
    if send is not None:
        lines.append(b"Content-Length: %d" % len(send))
    if chunks is not None:
        lines.append(b"Transfer-Encoding: chunked")
        content = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    return Case(
        id=name,
        method=method,
        request=b"\r\n".join(lines) + b"\r\n\r\n" + content,
        facts=Facts(**facts),
        differs=(differs,) if isinstance(differs, str) else tuple(differs),
        gateway=gateway,
    )


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("ascii")


def group(name: str, cases: Sequence[Case]) -> list[Case]:
    """The cases with the group's name in front of theirs."""
    return [replace(case, id=f"{name}: {case.id}") for case in cases]
