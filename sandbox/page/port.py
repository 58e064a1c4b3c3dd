"""The port of the page: the page itself, what happens as server-sent events, the form and the buttons."""

import base64
import errno
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

from dualmode.gateway.api_gateway.http_api import BODY_LIMIT
from dualmode.gateway.http.message import Request, Response, json_response
from dualmode.gateway.http.server import HttpServer
from sandbox.edge.answer import Answer
from sandbox.errors import SandboxError
from sandbox.faults import Faults
from sandbox.function_log import placed
from sandbox.new_lines import NewLines
from sandbox.page.fault_buttons import FaultButtons
from sandbox.page.feed import Feed
from sandbox.page.own_page import objection_to
from sandbox.page.picture import picture_of
from sandbox.written_request import NotWrittenRightError, written_request
from walk.account import Account
from walk.errors import UnreadableAccountError
from walk.trace import Hop, RequestRefusedError

HOST = "127.0.0.1"
_TRIES = 20
_LOOK_SECONDS = 0.3
_PICTURE_SECONDS = 1.0
_HOLD_SECONDS = 2.0
_LONGEST_LINE = 4_000
_MOST_LINES = 400

_PAGE = Path(__file__).with_name("page.html")
_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


class PagePort:
    """Serves the page while it is entered.

    Args:
        account: whose picture is shown; it is read again and again, so its reads should be kept.
        logs: the folder of the functions' logs.
        start: what the page says of the sandbox: names and texts.
        send: answers a request that the page's form makes, as the deployment does, and tells `asked` of it.
        faults: what the page's buttons set and clear.
        first: the port; if it is taken, the next free one.

    Raises:
        SandboxError: none of the next ports is free.
    """

    def __init__(
        self,
        account: Account,
        logs: Path,
        start: Mapping[str, object],
        send: Callable[[Request], Mapping[str, object]],
        faults: Faults,
        *,
        first: int,
    ) -> None:
        self._account = account
        self._lines = NewLines(logs)
        self._send = send
        self._feed = Feed()
        self._feed.add("start", start)
        self._buttons = FaultButtons(faults, lambda document: self._feed.add("faults", document))
        self._buttons.look()
        self._page = _page()
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._look, name="page", daemon=True)
        self._server = self._listen(first)
        self.port = self._server.port
        self._hosts = frozenset({f"{HOST}:{self.port}", f"localhost:{self.port}"})

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.port}/"

    def __enter__(self) -> Self:
        self._server.start()
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._server.stop()
        self._watch.join()

    def asked(self, request: Request, answer: Answer, alarms: Sequence[Hop]) -> None:
        """Show a request that was answered now, and the alarms that it would set off."""
        self._feed.add("request", _shown(request, answer, alarms))

    def _listen(self, first: int) -> HttpServer:
        for port in range(first, min(first + _TRIES, 65536)):
            try:
                return HttpServer(HOST, port, self._respond, objection=self._objection, body_limit=2 * BODY_LIMIT)
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
        raise SandboxError(
            f"No port from {first} to {first + _TRIES - 1} is free for the page: "
            "set --page-port to another number, or to 0 for no page."
        )

    def _objection(self, request: Request) -> str | None:
        return objection_to(request, self._hosts)

    def _respond(self, request: Request) -> Response:
        path = request.target.partition("?")[0]
        forms = {"/send": self._sent, "/faults": self._buttons.clicked}
        if path in forms:
            return forms[path](request) if request.method == "POST" else _refusal(405, "Send it with POST.")
        if request.method not in ("GET", "HEAD"):
            return _refusal(405, "The page is read with GET.")
        if path == "/":
            return self._page
        if path == "/events":
            events = self._feed.after(request.header("last-event-id") or "", _HOLD_SECONDS)
            headers = (("content-type", "text/event-stream"), ("cache-control", "no-store"))
            return Response(status=200, headers=headers, body=events)
        return _refusal(404, "This port has the sandbox's page at / alone; the deployment is on the port beside it.")

    def _sent(self, request: Request) -> Response:
        try:
            form = json.loads(request.body)
            line, body, headers = str(form["line"]), str(form["body"]), [str(each) for each in form["headers"]]
        except (ValueError, KeyError, TypeError):
            return _refusal(
                400, 'The form is JSON: {"line": "GET /hello", "headers": ["Accept: text/html"], "body": ""}.'
            )
        try:
            written = written_request(line, body.encode("utf-8", "surrogatepass"), headers)
        except NotWrittenRightError as error:
            return _refusal(400, f"A {error.part} {error}")
        return json_response(200, self._send(written))

    def _look(self) -> None:
        """Tell pages what is new in the logs, and of each change of the picture while one is open."""
        before: object = None
        drawn = -_PICTURE_SECONDS
        while not self._ended.wait(_LOOK_SECONDS):
            for log, lines in self._lines.read():
                shown = [placed(line)[:_LONGEST_LINE] for line in lines[-_MOST_LINES:]]
                self._feed.add("log", {"log": log.stem, "lines": shown})
            if self._feed.watched:
                self._buttons.look()
            if not self._feed.watched or time.monotonic() - drawn < _PICTURE_SECONDS:
                continue
            now: dict[str, object]
            try:
                now = picture_of(self._account).document()
            except UnreadableAccountError as error:
                now = {"unread": str(error)}
            except RequestRefusedError:  # something was removed between two reads: look again
                continue
            drawn = time.monotonic()
            if now != before:
                before = now
                self._feed.add("picture", now)


def _shown(request: Request, answer: Answer, alarms: Sequence[Hop]) -> dict[str, object]:
    """A request as the page shows it: neither its headers nor its body, which may hold secrets. Times in ms."""
    began = time.monotonic() - answer.duration / 1000
    hops = []
    for hop in answer.trace.hops:
        at = (hop.at - began) * 1000
        hops.append({"hop": hop.hop, "id": hop.id, "detail": hop.detail, "refused": hop.refused, "at": round(at, 1)})
    return {
        "time": time.strftime("%H:%M:%S"),
        "method": request.method,
        "target": request.target,
        "status": answer.response.status,
        "duration": round(answer.duration, 1),
        "hops": hops,
        "alarms": [{"id": alarm.id, "detail": alarm.detail} for alarm in alarms],
    }


def _refusal(status: int, sentence: str) -> Response:
    return json_response(status, {"message": sentence})


def _page() -> Response:
    """The page, which may run only its own script, and which no other page may show in a frame."""
    text = _PAGE.read_text()
    hashes = {
        kind: base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for kind, part in _INLINE.findall(text)
    }
    policy = (
        f"default-src 'none'; script-src 'sha256-{hashes['script']}'; style-src 'sha256-{hashes['style']}'; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = (
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("content-security-policy", policy),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "same-origin"),
    )
    return Response(status=HTTPStatus.OK, headers=headers, body=text.encode())
