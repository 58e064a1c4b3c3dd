"""Turns events that aren't HTTP requests into requests to a route of the application that no client can reach."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from functools import lru_cache
from io import BytesIO
from typing import Any, NamedTuple

from dualmode.wsgi_call import Answer, Application

SETTING = "DUALMODE_EVENTS_PATH"

# Whether an event is being answered. It is in the invocation's own context: no client or middleware can change it.
under_way: ContextVar[bool] = ContextVar("under_way", default=False)


class EventError(Exception):
    """The application can't take an event, or failed on it: the invocation fails with this sentence."""


class EventRequest(NamedTuple):
    """The request that an event becomes."""

    source: str
    """What sent the event, for a sentence."""
    method: str
    path: str
    body: bytes
    result: Callable[[Any], Any] = lambda answer: answer
    """Makes the invocation's result from the answer's JSON."""


def to_events_path(path: str, event: object) -> EventRequest:
    """Returns the request for an event that isn't a job's: its JSON, posted to `path`.

    Raises:
        EventError: `path` is "".
    """
    if not path:
        raise EventError(
            f"This event is not an HTTP request, and {SETTING} is not set: set it to a route of the application that"
            " takes events as POST."
        )
    return EventRequest(SETTING, "POST", path, json.dumps(event).encode())


def answer_event(
    call: Callable[[dict[str, Any]], Answer], request: EventRequest, event: object, context: object
) -> Any:
    """Gives the application the request that an event becomes, and returns its answer's JSON as the result.

    An answer that isn't JSON is returned as text, an empty one as None. So a queue's batch is one request, and its
    answer can report partial failures: `{"batchItemFailures": [...]}`.

    Raises:
        EventError: the path has no route, or the route's answer isn't a 2xx.
    """
    token = under_way.set(True)
    try:
        status, _, body = call(environ_of_event(request, event, context))
    finally:
        under_way.reset(token)
    asked = f"{request.method} {request.path}"
    if status in (404, 405):
        given = f"{SETTING} is {request.path}" if request.source == SETTING else f"{asked} is for {request.source}"
        raise EventError(f"{given}, but the application answered {asked} with {status}: add a route that takes it.")
    if not 200 <= status < 300:
        of = "" if request.source == SETTING else f" of {request.source}"
        raise EventError(f"The application answered the event{of}, {asked}, with {status}.")
    text = body.decode("utf-8", "replace")
    if not text.strip():
        return None
    try:
        answer = json.loads(text)
    except ValueError:
        answer = text
    return request.result(answer)


def environ_of_event(request: EventRequest, event: object, context: object) -> dict[str, Any]:
    """Returns the environ of the request that an event becomes."""
    environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path.encode().decode("latin-1"),
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "REQUEST_URI": request.path,
        "RAW_URI": request.path,
        "HTTP_HOST": "localhost",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(request.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "lambda.event": event,
        "lambda.context": context,
        "lambda.authorizer": {},
    }
    if request.body:
        environ |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(request.body))}
    return environ


def hidden(app: Application, paths: Sequence[str]) -> Application:
    """Returns the application without the routes for events: a client gets a 404 there in every mode."""
    from dualmode.events_guard import Guard

    guards = [Guard(path) for path in paths]

    def app_without_path(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path, root = environ["PATH_INFO"], environ["SCRIPT_NAME"]
        for guard in guards:
            if is_spelling_of(guard.path, path, root):
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


@lru_cache(maxsize=64)
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
