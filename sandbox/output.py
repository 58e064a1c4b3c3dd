"""What the sandbox prints: the resource tree, the outputs, the trace of a request."""

import base64
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TextIO

from dualmode.gateway.http.message import Response
from sandbox.edge.answer import Answer
from sandbox.pulumi_drivers.resources import ROOT_TYPE, Resource, short_type
from walk.trace import Hop

_LONGEST_ID = 32
ALARM = "alarm"
"""The hop of an alarm that a request would set off."""


class Terminal:
    """Writes lines to a stream; on a terminal with colour and in its width."""

    def __init__(self, stream: TextIO, *, environ: Mapping[str, str] = os.environ) -> None:
        self._stream = stream
        self.coloured = stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        self.width = shutil.get_terminal_size((100, 24)).columns if stream.isatty() else 0

    def line(self, text: str = "") -> None:
        """Write a line now."""
        print(text, file=self._stream, flush=True)

    def dim(self, text: str) -> str:
        """Text that is less important."""
        return self._styled("2", text)

    def bold(self, text: str) -> str:
        """Text to find first."""
        return self._styled("1", text)

    def good(self, text: str) -> str:
        """Text that says all is well."""
        return self._styled("32", text)

    def bad(self, text: str) -> str:
        """Text that says something is wrong."""
        return self._styled("31", text)

    def wrapped(self, text: str, indent: int) -> str:
        """Text broken to the stream's width, its further lines indented."""
        if not self.width or self.width - indent < 30:
            return text
        lines = textwrap.wrap(text, self.width - indent, break_long_words=False, break_on_hyphens=False)
        return f"\n{' ' * indent}".join(lines)

    def cut(self, text: str, indent: int) -> str:
        """Text cut to what fits behind the indent."""
        room = self.width - indent
        return f"{text[: room - 1]}…" if self.width and 10 < room < len(text) else text

    def _styled(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.coloured and text else text


def print_tree(terminal: Terminal, resources: Sequence[Resource]) -> None:
    """Print every resource below its component, with its id in AWS."""
    children: dict[str, list[Resource]] = {}
    urns = {resource.urn for resource in resources}
    root = next((resource for resource in resources if resource.type == ROOT_TYPE), None)
    for resource in resources:
        if resource is root or resource.type.startswith("pulumi:providers:"):
            continue
        parent = resource.parent_urn if resource.parent_urn in urns else (root.urn if root else "")
        children.setdefault(parent, []).append(resource)
    rows: list[tuple[str, str, str]] = []
    _collect(children, root.urn if root else "", "", rows)
    kinds = max((len(lead) + len(kind) for lead, kind, _ in rows), default=0)
    terminal.line(terminal.bold(root.name if root else "resources"))
    for lead, kind, rest in rows:
        terminal.line(
            f"{terminal.dim(lead)}{kind}{' ' * (kinds - len(lead) - len(kind))}  {terminal.dim(rest)}".rstrip()
        )


def _collect(children: Mapping[str, list[Resource]], urn: str, lead: str, rows: list[tuple[str, str, str]]) -> None:
    below = children.get(urn, [])
    for resource in below:
        last = resource is below[-1]
        rows.append((f"{lead}{'└─ ' if last else '├─ '}", f"{short_type(resource.type)} {resource.name}", resource.id))
        _collect(children, resource.urn, f"{lead}{'   ' if last else '│  '}", rows)


def print_pairs(terminal: Terminal, title: str, pairs: Mapping[str, object]) -> None:
    """Print names and values under a title, aligned."""
    terminal.line(terminal.bold(title))
    width = max(map(len, pairs), default=0)
    for name, value in pairs.items():
        first, *others = _shown(value)
        terminal.line(f"  {name:{width}}  {first}")
        for line in others:
            terminal.line(f"  {'':{width}}  {line}")


def _shown(value: object) -> list[str]:
    """Return the lines of a value: several for a list of objects, which is a table."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list | tuple) or not value or not all(isinstance(row, Mapping) for row in value):
        return [json.dumps(value)]
    rows = [[str(cell) for cell in row.values()] for row in value]
    widths = [max(map(len, column)) for column in zip(*rows, strict=False)]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows]


def print_trace(terminal: Terminal, hops: Sequence[Hop]) -> None:
    """Print the hops as a table: what, its id, what it says."""
    if not hops:
        return
    kinds = max(len(hop.hop) for hop in hops)
    ids = max((len(_short(hop)) for hop in hops if len(_short(hop)) <= _LONGEST_ID), default=0)
    for hop in hops:
        mark = terminal.bad("✗" if hop.refused else "!") if hop.refused or hop.hop == ALARM else terminal.good("✓")
        name = _short(hop)
        indent = 2 + 2 + kinds + 2 + ids + 2
        if len(name) > ids:  # the refusing resource may have a long ARN: then the reason goes below
            rest = f"{name}\n{' ' * indent}{terminal.wrapped(hop.detail, indent)}"
        else:
            rest = f"{name:{ids}}  {terminal.wrapped(hop.detail, indent)}"
        terminal.line(f"  {mark} {hop.hop:{kinds}}  {terminal.bad(rest) if hop.refused else rest}")


def print_failure(terminal: Terminal, answer: Answer, indent: int = 0) -> None:
    """Print what the function logged of a failed request: its traceback, and where the log is."""
    if answer.log is None or answer.response.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return
    answer.log.wait()
    lines = answer.log.traceback()
    for line in lines:
        terminal.line(f"{' ' * indent}{line}".rstrip())
    said = "The function's" if lines else "The function logged no traceback; its"
    terminal.line(f"{' ' * indent}{said} log is {answer.log.path}")


def print_answer(terminal: Terminal, answer: Answer) -> None:
    """Print the trace, the reason if the function failed, and the response."""
    print_trace(terminal, answer.trace.hops)
    terminal.line()
    if answer.log is not None and answer.response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        print_failure(terminal, answer)
        terminal.line()
    status = answer.response.status
    line = f"{status} {_phrase(status)}"
    shown = terminal.good(line) if status < HTTPStatus.BAD_REQUEST else terminal.bad(line)
    terminal.line(f"{terminal.bold(shown)}  {terminal.dim(f'{answer.duration:.0f} ms')}")
    for name, value in answer.response.headers:
        terminal.line(f"{terminal.dim(f'{name}:')} {_latin_as_utf8(value)}")
    terminal.line()
    sys.stdout.flush()
    text = _text(answer.response)
    if text is None:
        terminal.line(
            terminal.dim(f"({len(answer.response.body)} bytes that are not text; --json prints them as base64)")
        )
    elif text:
        terminal.line(text.removesuffix("\n"))


def document(answer: Answer) -> dict[str, object]:
    """Return the answer as `--json` prints it.

    A body that isn't UTF-8 is base64, and `body_is_base64` says so. From status 500 on there are `traceback` and `log`.
    """
    headers: dict[str, str] = {}
    for key, value in answer.response.headers:
        name = key.lower()
        # A comma can't join cookies: their dates have commas. No value has a line break.
        joint = "\n" if name == "set-cookie" else ", "
        headers[name] = f"{headers[name]}{joint}{value}" if name in headers else value
    text = _text(answer.response)
    shown: dict[str, object] = {
        "status": answer.response.status,
        "headers": headers,
        "body": base64.b64encode(answer.response.body).decode() if text is None else text,
        "trace": [hop.document() for hop in answer.trace.hops],
        "duration_ms": round(answer.duration, 1),
    }
    if answer.log is not None and answer.response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        answer.log.wait()
        shown |= {"traceback": "\n".join(answer.log.traceback()), "log": str(answer.log.path)}
    return shown if text is not None else {**shown, "body_is_base64": True}


def _text(response: Response) -> str | None:
    try:
        return response.body.decode()
    except UnicodeDecodeError:
        return None


def _latin_as_utf8(value: str) -> str:
    return value.encode("latin-1").decode("utf-8", "replace")


def _short(hop: Hop) -> str:
    """Return an id that fits a table: the first digits of a digest are enough."""
    return hop.id[:19] if hop.id.startswith("sha256:") else hop.id


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
