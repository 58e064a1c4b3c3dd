"""What is measured, and how each is started: as its own documentation says, around the same application."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One way to run a Flask application on Lambda.

    Args:
        name: what the table calls it.
        distributions: what has to be installed for it, without dependencies.
        module: the name of the handler's module, for those that have one.
        source: that module, where the user of this contender has to write it.
        environ: variables that the function has in addition to Lambda's own.
    """

    name: str
    distributions: tuple[str, ...]
    module: str = ""
    source: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)


OURS = Contender(name="dualmode", distributions=("flask", "mangum", "awslambdaric"), module="dualmode.lambda_handler")

# A deployment logs a line for each request; no other contender does.
OURS_LOGGING = Contender(
    name="dualmode, requests logged",
    distributions=OURS.distributions,
    module=OURS.module,
    environ={"AWS_LAMBDA_LOG_FORMAT": "JSON"},
)

APIG_WSGI = Contender(
    name="apig-wsgi",
    distributions=("flask", "apig-wsgi", "awslambdaric"),
    module="on_apig_wsgi",
    source="""\
from apig_wsgi import make_lambda_handler
from server import app

handler = make_lambda_handler(app)
""",
)

SERVERLESS_WSGI = Contender(
    name="serverless-wsgi",
    distributions=("flask", "serverless-wsgi", "awslambdaric"),
    module="on_serverless_wsgi",
    source="""\
import serverless_wsgi
from server import app


def handler(event, context):
    return serverless_wsgi.handle_request(app, event, context)
""",
)

# Start-up and shut-down on every request, Mangum's default, would be work that a WSGI application doesn't need.
MANGUM_ASGIREF = Contender(
    name="Mangum + asgiref",
    distributions=("flask", "mangum", "asgiref", "awslambdaric"),
    module="on_mangum_asgiref",
    source="""\
from asgiref.wsgi import WsgiToAsgi
from mangum import Mangum
from server import app

handler = Mangum(WsgiToAsgi(app), lifespan="off")
""",
)

MANGUM_A2WSGI = Contender(
    name="Mangum + a2wsgi",
    distributions=("flask", "mangum", "a2wsgi", "awslambdaric"),
    module="on_mangum_a2wsgi",
    source="""\
from a2wsgi import WSGIMiddleware
from mangum import Mangum
from server import app

handler = Mangum(WSGIMiddleware(app), lifespan="off")
""",
)

# An extension beside a web server. It calls the Runtime API itself, so it can't be called in process.
WEB_ADAPTER = Contender(name="Web Adapter + gunicorn", distributions=("flask", "gunicorn"))

ALL = (OURS, OURS_LOGGING, APIG_WSGI, SERVERLESS_WSGI, MANGUM_ASGIREF, MANGUM_A2WSGI, WEB_ADAPTER)


def named(name: str) -> Contender:
    """Returns the contender with that name.

    Raises:
        KeyError: there is none.
    """
    return {contender.name: contender for contender in ALL}[name]
