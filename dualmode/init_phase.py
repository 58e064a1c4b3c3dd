"""What runs once, in Lambda's init phase: before and after the application is loaded."""

from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any

from dualmode import allowed_apis, application, collector, debug_guard, kinds, logs
from dualmode.handler import Handler, wsgi_handler
from dualmode.wsgi_call import Application


def check(app: object) -> None:
    """Refuses what can't be an application.

    Raises:
        TypeError: it can't be called.
    """
    if not callable(app):
        raise TypeError(
            f"make_handler takes a Flask, another WSGI or an ASGI application, not {app!r}: pass one of those."
        )


def prepare(environ: MutableMapping[str, str]) -> logs.AccessLog:
    """Sets up what an application may use or change while it is loaded, and returns the log of requests."""
    access = logs.set_up_lambda(environ)
    debug_guard.before_import(environ)
    return access


def handler_of(app: Any, access: logs.AccessLog, environ: Mapping[str, str]) -> Handler:
    """Returns the handler of a loaded application: Flask, another WSGI or ASGI.

    Raises:
        Exception: what the start-up of an ASGI application raised.
    """
    if kinds.is_flask(app):
        debug_guard.after_import(app)
        wsgi_app = app
    else:
        debug_guard.warn_of(app)
        wsgi_app = app if kinds.is_wsgi(app) else _from_asgi(app)
    _import_for_requests()
    collector.resume()
    handler = wsgi_handler(
        wsgi_app,
        access,
        base_path=application.path_setting("DUALMODE_BASE_PATH", environ),
        events_path=application.path_setting("DUALMODE_EVENTS_PATH", environ),
        jobs=application.jobs(environ),
        api_ids=allowed_apis.allowed(environ),
        run_command=partial(_run_command, app, environ),
    )
    return _behind_cdn(handler, environ) if "DUALMODE_CDN_SECRETS" in environ else handler


def _behind_cdn(handler: Handler, environ: Mapping[str, str]) -> Handler:
    from dualmode.behind_cdn import behind_cdn

    return behind_cdn(handler, environ)


def _from_asgi(app: Any) -> Application:
    from dualmode.asgi import as_wsgi

    return as_wsgi(app)


def _import_for_requests() -> None:
    """Imports now what lazy imports would leave to the first request: Lambda gives more CPU in the init phase."""
    for name in _FOR_REQUESTS:
        with suppress(ImportError):  # an application may bring another Flask
            import_module(name)


_FOR_REQUESTS = (
    "awslambdaric.lambda_context",
    "blinker.base",
    "decimal",
    "encodings.idna",
    "flask.signals",
    "http",
    "werkzeug.datastructures.headers",
    "werkzeug.sansio.utils",
    "werkzeug.wsgi",
)


def _run_command(app: Any, environ: Mapping[str, str], arguments: list[str]) -> dict[str, Any]:
    from dualmode import commands

    return commands.run(app, arguments, allowed=environ.get(commands.SETTING) == "1")
