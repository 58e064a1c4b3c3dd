"""Handles one invocation: finds out what the event is and answers it."""

import os
from binascii import Error as Base64Error
from collections.abc import Callable
from contextvars import copy_context
from time import perf_counter
from typing import TYPE_CHECKING, Any

from dualmode.http_event import Environ, Event, make_environ_from_event
from dualmode.http_result import within_limit
from dualmode.logs import AccessLog, current
from dualmode.wsgi_call import Answer, Application, call

if TYPE_CHECKING:
    from dualmode.jobs import Jobs
    from dualmode.version_1 import Version1

Handler = Callable[[Any, Any], Any]


def wsgi_handler(
    app: Application,
    access: AccessLog,
    *,
    base_path: str = "",
    events_path: str = "",
    jobs: "Jobs | None" = None,
    api_ids: tuple[str, ...] = (),
    run_command: Callable[[list[str]], Any] | None = None,
) -> Handler:
    """Returns the handler that awslambdaric calls, for a WSGI application.

    Args:
        app: the application.
        access: gets a line for each request.
        base_path: the mapping key of a custom domain, as "/key", or "".
        events_path: the route that takes events which aren't requests, or "".
        jobs: the schedules, queues and rules that have a path of their own.
        api_ids: the APIs and target groups whose requests are accepted; if it is empty, all are.
        run_command: runs a management command with the arguments it gets; without it, there are no commands.
    """
    environ_from_event = make_environ_from_event(base_path)
    public_app = app
    closed = [*((events_path,) if events_path else ()), *(jobs.paths if jobs else ())]
    if closed:
        from dualmode.events import hidden

        public_app = hidden(app, closed)

    def handler(event: Any, context: Any) -> Any:
        # In its own context: context variables that an application sets don't stay after the request.
        return copy_context().run(answer, event, context)

    def answer(event: Any, context: Any) -> Any:
        current.request_id = getattr(context, "aws_request_id", "")
        current.trace = ""
        source = event.get("requestContext") if isinstance(event, dict) else None
        if isinstance(source, dict) and not ("routeArn" in event or "methodArn" in event):  # as an authorizer's event
            if "http" in source and event.get("version") == "2.0":
                if api_ids and source.get("apiId") not in api_ids:
                    raise refused(source.get("apiId"))
                return within_limit(*respond(event, event, context))
            try:
                request = request_before_2(source, event, context)
                if api_ids and request is not None and request.caller not in api_ids:
                    raise refused(request.caller)
                as_2 = request.request(base_path) if request is not None else None
            except _MALFORMED:
                return within_limit(_refused_as_malformed(), "GET")
            if request is not None and as_2 is not None:
                return within_limit(*respond(as_2, event, context), request.result, request.most_bytes)
        return answer_other(event, context)

    def respond(request: Event, event: Event, context: Any) -> tuple[Answer, str]:
        """Returns the answer to a request, a payload 2.0 event, and its method. `event` is what Lambda passed."""
        try:
            trace = (request.get("headers") or {}).get("x-amzn-trace-id")
            if isinstance(trace, str):
                current.trace = trace
            environ = environ_from_event(request, context)
        except Base64Error:  # in a body that claims to be base64: no gateway sends that
            return _bad_request, "GET"
        except _MALFORMED:
            return _refused_as_malformed(), "GET"
        environ["lambda.event"] = event
        method: str = environ["REQUEST_METHOD"]
        return answered(public_app, environ, method), method

    def answered(app: Application, environ: Environ, method: str) -> Answer:
        if not access.enabled:
            return call(app, environ)
        uri = environ["REQUEST_URI"]  # read now: an application may change it
        begun = perf_counter()
        answer = call(app, environ)
        access.write(method, uri.partition("?")[0], answer[0], perf_counter() - begun)
        return answer

    def answer_other(event: Any, context: Any) -> Any:
        from dualmode.commands import CommandError, is_command
        from dualmode.events import EventError, answer_event, to_events_path
        from dualmode.jobs import is_warming

        if is_warming(event):
            return None
        current.trace = os.environ.get("_X_AMZN_TRACE_ID", "")
        try:
            if is_command(event) and run_command is not None:
                return run_command(event["flask"])
            request = (jobs and jobs.request(event)) or to_events_path(events_path, event)
            return answer_event(lambda environ: answered(app, environ, request.method), request, event, context)
        except (CommandError, EventError) as error:
            raise _failure(error) from None

    def request_before_2(source: Event, event: Event, context: Any) -> "Version1 | None":
        if "httpMethod" not in event and "elb" not in source:
            return None  # as from a destination or a WebSocket
        try:
            from dualmode.version_1 import version_1
        except ImportError as error:  # the image always has Mangum
            from dualmode.events import EventError

            raise _failure(
                EventError(f"A request from a REST API or a load balancer needs {error.name}: install dualmode[asgi].")
            ) from None
        return version_1(event, context)

    def refused(came: object) -> Exception:
        from dualmode.allowed_apis import refusal

        return _failure(refusal(came, api_ids))

    return handler


def _failure(error: Exception) -> Exception:
    """Returns an error that the runtime interface client reports unchanged, without a traceback into our code."""
    try:
        from awslambdaric.lambda_runtime_exception import FaultException
    except ImportError:  # in a user's own test
        return error
    failure: Exception = FaultException(type(error).__name__, str(error), None)
    return failure


# The errors that a value of the wrong type causes, anywhere in the event.
_MALFORMED = (AttributeError, KeyError, TypeError, ValueError)


def _refused_as_malformed() -> Answer:
    import logging

    logging.getLogger("dualmode").exception("The event has the shape of a request, but is not one that a gateway sends")
    return 400, [("Content-Type", "application/json")], b'{"error":"The event is not a request"}\n'


_bad_request: Answer = (400, [("Content-Type", "application/json")], b'{"error":"The body is not valid base64"}\n')
