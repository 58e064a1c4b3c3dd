"""What awslambdaric calls: `handler(event, context)`. The application is imported here, at init, once."""

import os
from typing import NoReturn

from dualmode import application, init_phase, module_bundle
from dualmode.handler import Handler


def start() -> Handler:
    """Loads the application and returns its handler.

    Raises:
        FaultException: a secret can't be read, FLASK_APP names no application, or its module can't be imported.
        Exception: what the application's own code raised, as it is.
    """
    access = init_phase.prepare(os.environ)
    if application.names_secrets(os.environ):
        _read_secrets()
    import_string = application.import_string(os.environ)
    try:
        app = application.load(import_string)
    except application.ApplicationError as error:
        _fail(error.kind, str(error))
    except ImportError as error:
        # Otherwise awslambdaric would say that this module can't be imported, and drop the traceback.
        name = application.module_name(import_string)
        _fail(application.NO_MODULE, f"Unable to import module '{name}': {error}", error)
    except SyntaxError as error:
        name = application.module_name(import_string)
        _fail(application.SYNTAX_ERROR, f"Syntax error in module '{name}': {error}", error)
    handler = init_phase.handler_of(app, access, os.environ)
    module_bundle.close()
    return handler


def _read_secrets() -> None:
    from dualmode import secrets

    try:
        secrets.load(os.environ)
    except secrets.SecretError as error:
        _fail(secrets.ERROR_KIND, str(error))


def _fail(kind: str, sentence: str, error: Exception | None = None) -> NoReturn:
    import traceback

    from awslambdaric.lambda_runtime_exception import FaultException

    frames = traceback.extract_tb(error.__traceback__) if error else []
    # From the application's first frame on: our own frames explain nothing.
    while frames and (frames[0].filename.startswith("<frozen") or frames[0].filename in _OWN_FILES):
        frames.pop(0)
    trace = traceback.format_list(frames)
    if isinstance(error, SyntaxError):  # no frame has its place: that code never ran
        trace.append(f'  File "{error.filename}", line {error.lineno}\n    {(error.text or "").strip()}\n')
    raise FaultException(kind, sentence, trace or None) from None


_OWN_FILES = frozenset({__file__, application.__file__})


handler = start()
