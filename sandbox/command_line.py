"""The command's options, and the request that they describe."""

import argparse
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from dualmode.gateway.http.message import Request
from sandbox.errors import SandboxError
from sandbox.faults import NAMES as FAULTS
from sandbox.faults import check
from sandbox.written_request import NotWrittenRightError, written_request

_DEFAULT_PORT = 8000
_DEFAULT_PAGE_PORT = 8001
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")

_DESCRIPTION = """\
Runs the Pulumi program of this folder against an emulated AWS on this machine, and serves what it deploys.
It needs no AWS account, no container engine and no pulumi command; it uses the last two if they are there.

Without an option it prints the resources and the outputs, and serves http://127.0.0.1:8000 until Ctrl-C,
with a page that shows what happens at http://127.0.0.1:8001.
"""
_MORE = """\
examples:
  python -m sandbox
  python -m sandbox --request 'GET /hello'
  python -m sandbox --request 'POST /echo' --data '{"message":"abc"}' --json
  python -m sandbox --command 'db upgrade'
  python -m sandbox --event event.json
  python -m sandbox --fire nightly
  python -m sandbox --request 'GET /' --fault timeout --set timeout=3
  python -m sandbox --preview --set memorySize=1024
  python -m sandbox --set memorySize=1024 --set environment.STAGE=test --request 'GET /'
  python -m sandbox --set domainName=shop.example.com --zone example.com

variables:
  PORT               the port to serve, 8000
  DUALMODE_ENGINE    docker, podman or none; without it, the first that answers
  NO_COLOR           set to anything: no colours

exit status:
  0    an answer below 400, a result, or a command that succeeds
  1    any other answer, result or command, or a deployment that fails
  2    wrong usage, or settings that are refused
  130  Ctrl-C before there was an answer or a server
"""


class UsageError(Exception):
    """The command was called wrongly; one sentence says how to call it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command is to do; by default it serves `port`."""

    request: Request | None
    event: bytes | None
    """An event for the function, as JSON."""
    command: tuple[str, ...] | None
    """The arguments of a management command."""
    schedule: str | None
    """The name of a schedule to fire."""
    operation: str | None
    """`preview` or `destroy`."""
    json: bool
    settings: tuple[str, ...]
    faults: tuple[str, ...]
    """What is to be broken on purpose, by the names of sandbox/faults.py."""
    zones: tuple[str, ...]
    """Public hosted zones that the account has in addition to the sandbox's own."""
    port: int
    watch: bool
    """Whether changed files of the application run while it serves."""
    page_port: int
    """The first port to try for the page that shows what happens; 0 for no page."""
    stack: str
    state: Path


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].upper()}{message[1:]}.")


def read_options(arguments: Sequence[str], environ: Mapping[str, str]) -> Options:
    """Return the options, checked.

    Raises:
        UsageError: they are wrong.
        SystemExit: they asked for help, which is printed.
    """
    parser = _Parser(
        prog="python -m sandbox",
        description=_DESCRIPTION,
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    one = parser.add_mutually_exclusive_group().add_argument
    one("--request", metavar="'METHOD /PATH'", help="send this one request, print its trace and the answer, and stop")
    one("--event", metavar="FILE", help="give the function the event in this JSON file, print its log and result, stop")
    one("--command", metavar="'ARGUMENTS'", help="run this command of Flask's command line in the function, and stop")
    one("--fire", metavar="SCHEDULE", help="fire this schedule now, print the function's log and result, and stop")
    one("--preview", action="store_true", help="print what a deployment would change, and stop (needs pulumi)")
    one("--destroy", action="store_true", help="remove what was deployed, and stop (needs pulumi)")
    add("--data", metavar="TEXT|@FILE", help="the request's body, or the file that holds it; JSON is sent as such")
    add("--header", metavar="'NAME: VALUE'", action="append", default=[], help="a header of the request; repeatable")
    add("--json", action="store_true", help="print one JSON document: status, headers, body, trace, duration_ms")
    add(
        "--set",
        metavar="KEY=VALUE|KEY=@FILE",
        action="append",
        default=[],
        help="a setting of Pulumi.yaml; @FILE reads the value from a file, which keeps a secret out of the list of "
        "processes; KEY=@@TEXT for a value that begins with @; a KEY such as environment.NAME sets one part of an "
        "object; repeatable",
    )
    add(
        "--zone",
        metavar="NAME",
        action="append",
        default=[],
        help="a public hosted zone of the account in addition to sandbox.test, to try your own domain; repeatable",
    )
    add(
        "--fault",
        metavar="NAME",
        action="append",
        default=[],
        help=f"break this on purpose: {', '.join(FAULTS)} (docs/sandbox.md says what follows); repeatable",
    )
    add("--port", metavar="PORT", help="the port to serve, instead of $PORT")
    add("--no-watch", action="store_true", help="while it serves, leave changed files of the application alone")
    add(
        "--page-port",
        metavar="PORT",
        default=str(_DEFAULT_PAGE_PORT),
        help="the port of the page that shows the deployment and its requests (8001), or the next free one; 0 for none",
    )
    add("--stack", default="dev", help="the stack whose settings are used: Pulumi.STACK.yaml (dev)")
    add(
        "--state",
        metavar="FOLDER",
        default=".sandbox",
        type=Path,
        help="the folder for everything: new, empty, or made by a sandbox (.sandbox)",
    )
    found = parser.parse_args(arguments)
    if found.request is None:
        for name, given in (("--data", found.data), ("--header", found.header), ("--json", found.json)):
            if given or given == "":
                raise UsageError(f"{name} belongs to a request: add --request 'METHOD /path'.")
    try:
        check(tuple(found.fault))
    except SandboxError as error:
        raise UsageError(str(error)) from None
    if found.fault and (found.preview or found.destroy):
        raise UsageError("--fault breaks what runs, and --preview and --destroy run nothing: leave it out.")
    return Options(
        request=None if found.request is None else _request(found.request, found.data, found.header),
        event=None if found.event is None else _event(found.event),
        command=None if found.command is None else _command(found.command),
        schedule=found.fire,
        operation="preview" if found.preview else "destroy" if found.destroy else None,
        json=found.json,
        settings=tuple(_assignment(text) for text in found.set),
        faults=tuple(found.fault),
        zones=tuple(_zone(name) for name in found.zone),
        port=_port(found.port or environ.get("PORT") or str(_DEFAULT_PORT)),
        watch=not found.no_watch,
        page_port=_port(found.page_port, zero="no page"),
        stack=found.stack,
        state=found.state,
    )


def _request(text: str, data: str | None, headers: Sequence[str]) -> Request:
    try:
        return written_request(text, _body(data), headers)
    except NotWrittenRightError as error:
        raise UsageError(f"--{error.part} {error}") from None


def _body(data: str | None) -> bytes:
    if data is None:
        return b""
    if not data.startswith("@"):
        return data.encode("utf-8", "surrogateescape")
    try:
        return Path(data[1:]).read_bytes()
    except OSError as error:
        raise UsageError(f"--data {data}: the file can't be read ({error.strerror}).") from None


def _event(file: str) -> bytes:
    try:
        event = Path(file).read_bytes()
        json.loads(event)
    except OSError as error:
        raise UsageError(f"--event {file}: the file can't be read ({error.strerror}).") from None
    except ValueError as error:
        raise UsageError(f"--event {file}: the file is not valid JSON ({error}).") from None
    return event


def _command(text: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(text))
    except ValueError:
        raise UsageError(f"--command '{text}': a quote in it is not closed.") from None
    if not words:
        raise UsageError("--command takes the words that follow `flask`, as in 'db upgrade', but got none.")
    return words


def _assignment(text: str) -> str:
    """Return a setting with its value; if it names a file, that is the file's text without the final line break."""
    key, equals, value = text.partition("=")
    if not value.startswith("@"):
        return text
    if value.startswith("@@"):
        return f"{key}{equals}{value[1:]}"
    try:
        content = Path(value[1:]).read_text()
    except OSError as error:
        raise UsageError(f"--set {text}: the file can't be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise UsageError(f"--set {text}: the file is not text in UTF-8.") from None
    return f"{key}{equals}" + content.removesuffix("\n")


def _zone(text: str) -> str:
    name = text.rstrip(".").lower()
    if not _DOMAIN.match(name):
        raise UsageError(f"--zone takes the name of a zone, as in example.com, not '{text}'.")
    return name


def _port(text: str, zero: str = "any free one") -> int:
    if not text.isascii() or not text.isdecimal() or not 0 <= int(text) <= 65535:
        raise UsageError(f"The port is '{text}': it must be a number from 0 ({zero}) to 65535.")
    return int(text)
