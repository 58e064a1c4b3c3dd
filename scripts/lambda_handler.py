"""What awslambdaric calls: `handler(event, context)`. The application is imported here, at init, once."""

from scripts import application
from scripts.http_event import make_environ_from_event
from scripts.http_result import result_from_answer
from scripts.wsgi_call import call

_app = application.load(application.import_string())
_environ_from_event = make_environ_from_event()


def handler(event, context):
    environ = _environ_from_event(event, context)
    return result_from_answer(call(_app, environ), environ["REQUEST_METHOD"])
