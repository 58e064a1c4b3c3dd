"""RUN_MODE=local: a Flask or any other WSGI application on Flask's own server, an ASGI application on uvicorn."""

import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter
from typing import Any

from dualmode import application, kinds, logs
from dualmode.events import hidden
from dualmode.http_event import begins
from dualmode.wsgi_call import Application

# All interfaces: they are a container's, and its owner decides what is published.
DEFAULT_HOST = "0.0.0.0"  # noqa: S104
DEFAULT_PORT = "3000"


def main() -> None:
    """Serves the application until the process is told to stop.

    Raises:
        SystemExit: with a sentence, if FLASK_APP doesn't name an application, PORT isn't a port or a secret can't be
            read.
    """
    environ = os.environ
    access = logs.set_up_local(environ)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # PID 1 isn't ended by signals that it doesn't handle
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a script's background jobs are started with it ignored
    host, port = environ.get("FLASK_RUN_HOST") or DEFAULT_HOST, environ.get("PORT") or DEFAULT_PORT
    if not port.isdecimal() or int(port) > 65535:
        sys.exit(f"PORT is {port}, but that is not a port number: set one from 0 to 65535.")
    base_path = application.path_setting("DUALMODE_BASE_PATH", environ)
    closed = _closed(environ)
    import_string = application.import_string(environ)
    if application.names_secrets(environ):
        _read_secrets()
    app = _loaded(import_string)
    if kinds.is_asgi(app):
        _serve_asgi(app, host, int(port), base_path, closed)
    else:
        wsgi_app = hidden(app, closed) if closed else app
        _serve_wsgi(mounted(wsgi_app, base_path), host, int(port), import_string, access, flask=kinds.is_flask(app))


def _closed(environ: Mapping[str, str]) -> list[str]:
    """Returns the paths that are for events alone."""
    events_path = application.path_setting("DUALMODE_EVENTS_PATH", environ)
    try:
        jobs = application.jobs(environ)
    except ValueError as error:
        sys.exit(str(error))
    return [*((events_path,) if events_path else ()), *(jobs.paths if jobs else ())]


def _read_secrets() -> None:
    from dualmode import secrets

    try:
        secrets.load(os.environ, keep=True)  # what `docker run -e` sets is meant, and needs no AWS account
    except secrets.SecretError as error:
        sys.exit(str(error))


def _loaded(import_string: str) -> Any:
    from flask.helpers import get_debug_flag
    from werkzeug.serving import is_running_from_reloader

    try:
        app = application.load(import_string)
    except Exception as error:
        if is_running_from_reloader():  # the next change of a file may fix it: until then, requests show the error
            return _failing(error)
        if isinstance(error, application.ApplicationError):
            sys.exit(str(error))
        raise
    if kinds.is_flask(app):
        app.debug = get_debug_flag()  # as in `flask run`: the variable decides, not the application
    return app


def _failing(error: Exception) -> Application:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        raise error

    return app


def mounted(app: Application, base_path: str) -> Application:
    """Returns the application at the root and also below the path of a custom domain's mapping."""
    if not base_path:
        return app

    def mounted_app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if begins(path, base_path):
            environ["SCRIPT_NAME"], environ["PATH_INFO"] = base_path, path.removeprefix(base_path)
        return app(environ, start_response)

    return mounted_app


def _serve_wsgi(
    app: Application, host: str, port: int, import_string: str, access: logs.AccessLog, *, flask: bool
) -> None:
    from flask.cli import show_server_banner
    from flask.helpers import get_debug_flag
    from werkzeug.serving import WSGIRequestHandler, run_simple

    class JsonHandler(WSGIRequestHandler):
        """Logs each request as lambda mode does."""

        def run_wsgi(self) -> None:
            self.begun = perf_counter()
            super().run_wsgi()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            path = self.path.partition("?")[0].encode("ascii", "backslashreplace").decode()
            access.write(self.command, path, int(code), perf_counter() - self.begun)

    debug = get_debug_flag()
    if flask:
        show_server_banner(debug, import_string)
    else:
        print(f" * Serving WSGI application '{import_string}'", flush=True)  # noqa: T201 - as Flask's own banner
    handler = JsonHandler if logs.wants_json(os.environ) else None
    run_simple(host, port, app, use_reloader=debug, use_debugger=debug, threaded=True, request_handler=handler)


def _serve_asgi(app: Any, host: str, port: int, base_path: str, closed: Sequence[str]) -> None:
    try:
        import uvicorn
    except ImportError:
        sys.exit(
            "An ASGI application needs uvicorn in local mode, and it is not installed:"
            " add it to the application's requirements.txt."
        )
    from dualmode.asgi import mounted as mounted_asgi

    log_config = None if logs.level(os.environ) else uvicorn.config.LOGGING_CONFIG  # None: to the root logger's handler
    served = mounted_asgi(app, base_path, closed)
    uvicorn.run(served, host=host, port=port, log_config=log_config, timeout_graceful_shutdown=0)


if __name__ == "__main__":
    main()
