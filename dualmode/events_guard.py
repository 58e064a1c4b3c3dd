"""Guards the route that takes events where the application itself routes, whatever middleware made of the path before.

`hidden` and `asgi.mounted` look at a request before the application's middleware does, which may take a prefix off the
path by text, rewrite or mount it. So each request is looked at once more, as the router will see it: a path that leads
to the events is taken only while an event is being answered. That is done by Flask's signal `request_started`, before
any hook or view of any Flask application of the process, mounted ones too, and in Starlette's (FastAPI's) `Router`. An
application of another kind has no such place: its middleware must not rewrite other paths to that of events.
"""

import sys
from typing import Any
from weakref import WeakSet

from dualmode.events import is_spelling_of, under_way


class Guard:
    """Keeps clients from a path for as long as it lives."""

    def __init__(self, path: str) -> None:
        self.path = path
        _guards.add(self)
        _watch_flask()
        _watch_starlette()


_guards: WeakSet[Guard] = WeakSet()
_watched: set[str] = set()


def _is_hidden(path: str, root: str) -> bool:
    """Tells whether a request is a client's and for a guarded path."""
    return not under_way.get() and any(is_spelling_of(guard.path, path, root) for guard in _guards)


def _watch_flask() -> None:
    if "flask" in _watched:
        return
    from flask.signals import request_started

    _watched.add("flask")
    request_started.connect(_on_request)


def _on_request(sender: Any, **_: Any) -> None:
    from flask import request

    environ = request.environ
    if _is_hidden(environ.get("PATH_INFO", ""), environ.get("SCRIPT_NAME", "")):
        from werkzeug.exceptions import NotFound

        raise NotFound


def _watch_starlette() -> None:
    routing = sys.modules.get("starlette.routing")
    if routing is None or "starlette" in _watched:
        return
    _watched.add("starlette")
    unguarded = routing.Router.__call__

    async def guarded(self: Any, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            path, root = (scope.get(key, "").encode("utf-8", "replace").decode("latin-1") for key in _PATHS)
            if _is_hidden(path, root):
                await self.default(scope, receive, send)  # what it does with a path that has no route
                return
        await unguarded(self, scope, receive, send)

    routing.Router.__call__ = guarded


_PATHS = ("path", "root_path")
