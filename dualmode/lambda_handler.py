"""What awslambdaric calls: `handler(event, context)`. The application is imported here, at init, once."""

import os
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any, NoReturn

from dualmode import allowed_apis, application, collector, debug_guard, kinds, logs, module_bundle
from dualmode.handler import Handler, make_handler
from dualmode.wsgi_call import Application


def start() -> Handler:
    """Loads the application and returns its handler.

    Raises:
        FaultException: FLASK_APP names no application, or its module can't be imported.
        Exception: what the application's own code raised, as it is.
    """
    access = logs.set_up_lambda(os.environ)
    debug_guard.before_import(os.environ)
    import_string = application.import_string(os.environ)
    try:
        app = application.load(import_string)
    except application.ApplicationError as error:
        _fail(error.kind, str(error))
    except ImportError as error:
        # Else awslambdaric would name this module as the one that can't be imported, and drop the traceback.
        name = application.module_name(import_string)
        _fail(application.NO_MODULE, f"Unable to import module '{name}': {error}", error)
    except SyntaxError as error:
        name = application.module_name(import_string)
        _fail(application.SYNTAX_ERROR, f"Syntax error in module '{name}': {error}", error)
    if kinds.is_flask(app):
        debug_guard.after_import(app)
        wsgi_app = app
    else:
        debug_guard.warn_of(app)
        wsgi_app = app if kinds.is_wsgi(app) else _from_asgi(app)
    _import_for_requests()
    collector.resume()
    module_bundle.close()
    return make_handler(
        wsgi_app,
        access,
        base_path=application.path_setting("DUALMODE_BASE_PATH", os.environ),
        events_path=application.path_setting("DUALMODE_EVENTS_PATH", os.environ),
        api_ids=allowed_apis.allowed(os.environ),
        run_command=partial(_run_command, app),
    )


def _from_asgi(app: Any) -> Application:
    from dualmode.asgi import as_wsgi

    return as_wsgi(app)


def _import_for_requests() -> None:
    """Imports what lazy imports would put off to the first request: Lambda starts functions with more CPU than that."""
    for name in _FOR_REQUESTS:
        with suppress(ImportError):  # an application chooses its own Flask
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


def _fail(kind: str, sentence: str, error: Exception | None = None) -> NoReturn:
    import traceback

    from awslambdaric.lambda_runtime_exception import FaultException

    frames = traceback.extract_tb(error.__traceback__) if error else []
    # From the application's first frame on: how we came to import it explains nothing.
    while frames and (frames[0].filename.startswith("<frozen") or frames[0].filename in _OWN_FILES):
        frames.pop(0)
    trace = traceback.format_list(frames)
    if isinstance(error, SyntaxError):  # its place is in no frame: that code never ran
        trace.append(f'  File "{error.filename}", line {error.lineno}\n    {(error.text or "").strip()}\n')
    raise FaultException(kind, sentence, trace or None) from None


_OWN_FILES = frozenset({__file__, application.__file__})


def _run_command(app: Any, arguments: list[str]) -> dict[str, Any]:
    from dualmode import commands

    return commands.run(app, arguments, allowed=os.environ.get(commands.SETTING) == "1")


handler = start()
