"""What the image carries beside an application: handler, adapter, modes, logs.

A zip function's library as well: `make_handler` is all that it needs.
"""

import os

TYPE_CHECKING = False  # as in `typing`, whose import every cold start would pay for
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from dualmode.handler import Handler


def make_handler(app: object, environ: "MutableMapping[str, str]" = os.environ) -> "Handler":
    """Returns the handler of an application for Lambda to call: the same as the image's, by the same variables.

    Args:
        app: a Flask application, another WSGI application, or an ASGI application.
        environ: the variables to read; FLASK_DEBUG is taken out of them.

    Raises:
        TypeError: `app` is none of these.
        Exception: what the start-up of an ASGI application raised.
    """
    from dualmode.init_phase import check, handler_of, prepare

    check(app)
    return handler_of(app, prepare(environ), environ)
