"""ASGI applications (FastAPI, Starlette, Quart): requests go through Mangum, the start-up runs once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from typing import Any

import mangum.protocols.http  # noqa: F401 - a lazy import of Mangum's own would leave it to the first request
from mangum import Mangum

from dualmode.events import is_spelling_of
from dualmode.events_guard import Guard
from dualmode.http_event import begins
from dualmode.pending_tasks import PendingTasks
from dualmode.wsgi_call import Application

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApplication = Callable[[Message, Receive, Send], Awaitable[None]]


class StartUpError(Exception):
    """The application reported that its start-up failed."""


class EnvironRequest:
    """A WSGI environ that Mangum takes as its event: both kinds of application get the same translation."""

    def __init__(self, event: dict[str, Any], context: Any, config: Any) -> None:
        self.environ = event

    @classmethod
    def infer(cls, event: dict[str, Any], context: Any, config: Any) -> bool:
        """Takes every request: here Mangum always gets an environ."""
        return True

    @property
    def body(self) -> bytes:
        """The request's body."""
        body: bytes = self.environ["wsgi.input"].read()
        return body

    @property
    def scope(self) -> dict[str, Any]:
        """The request as an ASGI scope; the path contains the root path, as in current servers."""
        environ = self.environ
        headers = [
            (key[5:].lower().replace("_", "-").encode("latin-1"), value.encode("latin-1"))
            for key, value in environ.items()
            if key.startswith("HTTP_")
        ]
        headers += [
            (key.lower().replace("_", "-").encode("latin-1"), environ[key].encode("latin-1"))
            for key in ("CONTENT_TYPE", "CONTENT_LENGTH")
            if key in environ
        ]
        path = (environ["SCRIPT_NAME"] + environ["PATH_INFO"]).encode("latin-1")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": environ["REQUEST_METHOD"],
            "scheme": environ["wsgi.url_scheme"],
            "path": path.decode("utf-8", "replace"),
            "raw_path": environ.get("REQUEST_URI", "").partition("?")[0].encode("latin-1") or path,
            "root_path": environ["SCRIPT_NAME"].encode("latin-1").decode("utf-8", "replace"),
            "query_string": environ["QUERY_STRING"].encode("latin-1"),
            "headers": headers,
            "client": (environ["REMOTE_ADDR"], 0),
            "server": (environ["SERVER_NAME"], int(environ["SERVER_PORT"])),
            "aws.event": environ["lambda.event"],
            "aws.context": environ["lambda.context"],
            "aws.authorizer": environ["lambda.authorizer"],
        }

    def __call__(self, response: Any) -> tuple[int, list[tuple[str, str]], bytes]:
        """Returns the response with its headers in WSGI's form."""
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response["headers"]]
        return response["status"], headers, response["body"]


def as_wsgi(app: AsgiApplication) -> Application:
    """Runs the application's start-up and returns it as a WSGI application that serves from the same event loop.

    Raises:
        StartUpError: the application says that its start-up failed.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # Mangum looks for it there
    state = loop.run_until_complete(_start(app, loop))

    async def app_with_state(scope: Message, receive: Receive, send: Send) -> None:
        await app({**scope, "state": state.copy()}, receive, send)

    pending = PendingTasks(loop, _running)
    mangum = Mangum(app_with_state, lifespan="off", custom_handlers=[EnvironRequest])  # type: ignore[list-item]

    def wsgi_app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        response: Any = mangum(environ, environ["lambda.context"])
        pending.tell()
        status, headers, body = response
        start_response(f"{status} -", headers)
        return [body]

    return wsgi_app


async def _start(app: AsgiApplication, loop: asyncio.AbstractEventLoop) -> dict[str, Any]:
    """Runs the lifespan's start-up and returns the state it made; the shutdown never runs on Lambda."""
    state: dict[str, Any] = {}
    received: asyncio.Queue[Message] = asyncio.Queue()
    sent: asyncio.Queue[Message] = asyncio.Queue()
    received.put_nowait({"type": "lifespan.startup"})
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}
    lifespan: asyncio.Task[None] = loop.create_task(app(scope, received.get, sent.put))  # type: ignore[arg-type]
    answer = loop.create_task(sent.get())
    await asyncio.wait({lifespan, answer}, return_when=asyncio.FIRST_COMPLETED)
    if not answer.done():  # an application without lifespan support raises or returns at once: servers go on without it
        answer.cancel()
        lifespan.exception()
        return {}
    message = answer.result()
    if message["type"] == "lifespan.startup.failed":
        if lifespan.done() and lifespan.exception():
            raise lifespan.exception()  # type: ignore[misc]
        raise StartUpError(f"The application's start-up failed: {message.get('message', '')}".strip())
    _running.add(lifespan)
    return state


_running: set[asyncio.Task[None]] = set()  # an event loop only has weak references to its tasks


def mounted(app: AsgiApplication, base_path: str, events_paths: Sequence[str]) -> AsgiApplication:
    """Returns the application for a server on this machine: below `base_path`, without the routes for events."""
    guards = [Guard(path) for path in events_paths]

    async def mounted_app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if base_path and begins(scope["path"], base_path):
                scope = {**scope, "root_path": base_path}
            path = scope["path"].removeprefix(scope.get("root_path", "")).encode().decode("latin-1")
            if any(is_spelling_of(guard.path, path) for guard in guards):
                await _not_found(send)
                return
        await app(scope, receive, send)

    return mounted_app


async def _not_found(send: Send) -> None:
    from werkzeug.exceptions import NotFound

    body = NotFound().get_response().get_data()
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": body})
