"""Guards the route for events inside the application's own router, after any middleware has changed the path.

`hidden` and `asgi.mounted` check a request before the application's middleware, which may remove a prefix from the
path, rewrite it or mount it. So each request is checked again, with the path that the router sees: a path to the events
is accepted only while an event is being answered. Flask's signal `request_started` does this, before every hook and
view of every Flask application in the process, mounted ones too. For Starlette (FastAPI), its `Router` does it. Other
kinds of application have no such place: their middleware must not rewrite other paths to the path for events.
"""

import sys
from typing import Any
from weakref import WeakSet

from dualmode.events import is_spelling_of, under_way


class Guard:
    """Keeps clients away from a path as long as this object lives."""

    def __init__(self, path: str) -> None:
        self.path = path
        _guards.add(self)
        _watch_flask()
        _watch_starlette()


_guards: WeakSet[Guard] = WeakSet()
_watched: set[str] = set()


def _is_hidden(path: str, root: str) -> bool:
    """Tells whether a request comes from a client and is for a guarded path."""
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
                await self.default(scope, receive, send)  # as it does for a path without a route
                return
        await unguarded(self, scope, receive, send)

    routing.Router.__call__ = guarded


_PATHS = ("path", "root_path")
