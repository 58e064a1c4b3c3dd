"""What the image has besides an application: handler, adapter, modes, logs.

It is also a library for zip functions: they only need `make_handler`.
"""

import os

TYPE_CHECKING = False  # as in `typing`, which every cold start would have to import
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from dualmode.handler import Handler


def make_handler(app: object, environ: "MutableMapping[str, str]" = os.environ) -> "Handler":
    """Returns the handler that Lambda calls: the same as the image's, with the same environment variables.

    Args:
        app: a Flask application, another WSGI application, or an ASGI application.
        environ: the environment variables; FLASK_DEBUG is removed from them.

    Raises:
        TypeError: `app` is none of these.
        Exception: what the start-up of an ASGI application raised.
    """
    from dualmode.init_phase import check, handler_of, prepare

    check(app)
    return handler_of(app, prepare(environ), environ)
