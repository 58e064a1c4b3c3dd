"""Turns events that aren't HTTP requests into requests to a route of the application that no client can reach."""

import json
import sys
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import lru_cache
from io import BytesIO
from typing import Any

from dualmode.wsgi_call import Answer, Application

SETTING = "DUALMODE_EVENTS_PATH"

# Whether an event is being answered. It is in the invocation's own context: no client or middleware can change it.
under_way: ContextVar[bool] = ContextVar("under_way", default=False)


class EventError(Exception):
    """The application can't take an event, or failed on it: the invocation fails with this sentence."""


def answer_event(call: Callable[[dict[str, Any]], Answer], path: str, event: object, context: object) -> Any:
    """Posts an event as JSON to the application, and returns its answer's JSON as the invocation's result.

    An answer that isn't JSON is returned as text, an empty one as None. So a queue's batch is one request, and its
    answer can report partial failures: `{"batchItemFailures": [...]}`.

    Raises:
        EventError: `path` is "" or has no route, or the route's answer isn't a 2xx.
    """
    if not path:
        raise EventError(
            f"This event is not an HTTP request, and {SETTING} is not set: set it to a route of the application that"
            " takes events as POST."
        )
    token = under_way.set(True)
    try:
        status, _, body = call(environ_of_event(path, event, context))
    finally:
        under_way.reset(token)
    if status in (404, 405):
        raise EventError(
            f"{SETTING} is {path}, but the application answered POST {path} with {status}: add a route that takes it."
        )
    if not 200 <= status < 300:
        raise EventError(f"The application answered the event, POST {path}, with {status}.")
    text = body.decode("utf-8", "replace")
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def environ_of_event(path: str, event: object, context: object) -> dict[str, Any]:
    """Returns the environ of the request that an event becomes: a POST of its JSON."""
    body = json.dumps(event).encode()
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "REQUEST_URI": path,
        "RAW_URI": path,
        "HTTP_HOST": "localhost",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "lambda.event": event,
        "lambda.context": context,
    }


def hidden(app: Application, path: str) -> Application:
    """Returns the application without the route for events: a client gets a 404 there in every mode."""
    from dualmode.events_guard import Guard

    guard = Guard(path)

    def app_without_path(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if is_spelling_of(guard.path, environ["PATH_INFO"], environ["SCRIPT_NAME"]):
            from werkzeug.exceptions import NotFound

            return NotFound()(environ, start_response)
        return app(environ, start_response)

    return app_without_path


def is_spelling_of(path: str, path_info: str, script_name: str = "") -> bool:
    """Tells whether some router might take a request's path for `path`. A path that ends with it counts too.

    An application may be mounted below its own path, as with FastAPI's `root_path` or Werkzeug's dispatcher. It then
    removes that path only after this check.
    """
    secret = _segments_of(path)
    whole = script_name + path_info
    if whole.isascii() and "%" not in whole and secret[-1] not in whole.lower():
        return False  # the quick answer for most paths
    return any(_canonical(seen)[-len(secret) :] == secret for seen in (path_info, whole))


@lru_cache(maxsize=8)
def _segments_of(path: str) -> list[str]:
    return _canonical(path.encode().decode("latin-1")) or [path]


def _canonical(path: str) -> list[str]:
    """Returns one form for all spellings of a path that a router may take for the same route.

    They differ in encoding that a proxy left, trailing or doubled slashes, dots, parameters and upper case.
    """
    from urllib.parse import unquote

    segments: list[str] = []
    for _ in range(3):  # each proxy may encode once more
        path = unquote(path, encoding="latin-1")
    for segment in path.split("/"):
        name = segment.partition(";")[0].strip().casefold()
        if name == "..":
            del segments[-1:]
        elif name not in {"", "."}:
            segments.append(name)
    return segments
