"""Events that aren't requests reach the application's route for them, and no client does."""

import json
import sys

import pytest
from awslambdaric.lambda_runtime_exception import FaultException
from flask import Blueprint, Flask, request
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from dualmode.events import is_spelling_of
from dualmode.handler import wsgi_handler
from dualmode.logs import AccessLog
from tests.support.events import (
    CONTEXT,
    make_alb_event,
    make_alb_multi_event,
    make_event,
    make_function_url_event,
    make_http_api_1_event,
    make_rest_event,
)


def handler_of(app, **options):
    return wsgi_handler(app, AccessLog({"AWS_LAMBDA_LOG_LEVEL": "ERROR"}, sys.stdout.write), **options)


def taking(answer):
    """An application whose route for events answers so."""
    app = Flask(__name__)
    app.post("/events")(lambda: answer)
    return handler_of(app, events_path="/events")


@pytest.mark.parametrize("event", [{"source": "aws.events"}, {}, [], "text", 5, None, {"é": ["\ud800", 1.5]}])
def test_an_event_is_posted_as_json(event):
    app = Flask(__name__)
    seen = []

    @app.post("/events")
    def view():
        assert request.environ["lambda.event"] == event
        assert request.environ["lambda.context"] is CONTEXT
        seen.append((request.url, request.remote_addr, request.get_json()))
        return "", 204

    assert handler_of(app, events_path="/events")(event, CONTEXT) is None
    assert seen == [("https://localhost/events", "127.0.0.1", event)]


FAILURES = {"batchItemFailures": [{"itemIdentifier": "059f36b4"}]}


@pytest.mark.parametrize(
    ("answer", "result"),
    [(FAILURES, FAILURES), ([1, 2], [1, 2]), ("done", "done"), ("", None), (("", 202), None), ("1.5", 1.5)],
)
def test_the_answer_of_the_route_is_the_result(answer, result):
    assert taking(answer)({"Records": []}, CONTEXT) == result


def failure(handler, event):
    with pytest.raises(FaultException) as failed:
        handler(event, CONTEXT)
    return failed.value.exception_type, failed.value.msg, failed.value.trace


ARN = "arn:aws:execute-api:eu-west-1:123456789012:lsw1ro4ipb/$default/POST/orders"
ASKED = {"method": "POST", "path": "/orders", "headers": {"authorization": "Bearer foo"}}
QUESTIONS = {
    "HTTP API": make_event(**ASKED, type="REQUEST", routeArn=ARN, identitySource=["Bearer foo"]),
    "HTTP API 1.0": make_http_api_1_event(
        method="POST", path="/orders", type="REQUEST", methodArn=ARN, authorizationToken="Bearer foo"
    ),
    "REST API": make_rest_event(method="POST", path="/orders", type="REQUEST", methodArn=ARN),
}


@pytest.mark.parametrize("event", QUESTIONS.values(), ids=QUESTIONS)
def test_what_an_api_asks_a_lambda_authorizer_is_an_event_and_never_the_request_itself(event):
    app = Flask(__name__)
    ordered, asked = [], []
    app.post("/orders")(lambda: ordered.append(request.get_data()) or "ordered")

    @app.post("/authorize")
    def authorize():
        asked.append(request.get_json())
        return {"isAuthorized": True, "context": {"name": "ann"}}

    answer = handler_of(app, events_path="/authorize", api_ids=("another",))(event, CONTEXT)
    assert answer == {"isAuthorized": True, "context": {"name": "ann"}}
    assert (ordered, asked) == ([], [event])
    assert failure(handler_of(app), event) == ("EventError", UNSET, None)


UNSET = (
    "This event is not an HTTP request, and DUALMODE_EVENTS_PATH is not set: set it to a route of the application that"
    " takes events as POST."
)


def test_without_a_route_an_event_fails_with_what_to_do():
    app = Flask(__name__)
    app.get("/reads")(lambda: "read")
    assert failure(handler_of(app), {"source": "aws.events"}) == ("EventError", UNSET, None)
    for path, status in (("/events", 404), ("/reads", 405)):
        sentence = (
            f"DUALMODE_EVENTS_PATH is {path}, but the application answered POST {path} with {status}:"
            " add a route that takes it."
        )
        assert failure(handler_of(app, events_path=path), {}) == ("EventError", sentence, None)


@pytest.mark.parametrize("status", [400, 500, 503, 302])
def test_a_route_that_answers_with_an_error_fails_the_event_so_that_a_queue_sends_it_again(status):
    sentence = f"The application answered the event, POST /events, with {status}."
    assert failure(taking(("x", status)), {"Records": []}) == ("EventError", sentence, None)


def test_a_route_that_raises_fails_the_event_and_logs_why(caplog):
    app = Flask(__name__)
    app.post("/events")(lambda: 1 / 0)
    handler = handler_of(app, events_path="/events")
    assert failure(handler, {})[1] == "The application answered the event, POST /events, with 500."
    assert [record.exc_info[0] for record in caplog.records] == [ZeroDivisionError]


SPELLINGS = [
    "/events",
    "/events/",
    "//events",
    "/events//",
    "/EVENTS",
    "/%65vents",
    "/./events",
    "/a/../events",
    "/events;a=1",
    "/events%2F",
    "/ events ",
    "///events///",
    "/Events",
    "/eVeNtS/",
    "/%45VENTS",
    "/%65%76%65%6e%74%73",
    "/%2565vents",
    "/%2fevents",
    "/%2Fevents%2f",
    "//./events",
    "/events/.",
    "/events/./",
    "/events/x/..",
    "/events/x/../",
    "/a/b/../../events",
    "/../events",
    "/..//events",
    "/%2e/events",
    "/a/%2e%2e/events",
    "/events;",
    "/events;a",
    "/events;a=1;b=2",
    "/events/;a",
    "/events%3Ba",
    "/;a/events",
    "/events%20",
    "/events\t",
    "/events\n",
    "/events%0A",
    "/\u00a0events",
    "/mounted/events",
    "/mounted//EVENTS/",
]

KINDS = {
    "HTTP API": lambda path, method: make_event(path=path, method=method, body="{}"),
    "HTTP API, named stage": lambda path, method: make_event(path=f"/dev{path}", stage="dev", method=method),
    "HTTP API, domain": lambda path, method: make_event(path=path, method=method, domain="shop.example"),
    "HTTP API, format 1.0": lambda path, method: make_http_api_1_event(path=path, method=method),
    "Function URL": lambda path, method: make_function_url_event(path=path, method=method),
    "REST API": lambda path, method: make_rest_event(path=path, method=method),
    "REST API, domain": lambda path, method: make_rest_event(path=f"/v1{path}", method=method, domain="shop.example"),
    "load balancer": lambda path, method: make_alb_event(path=path, method=method),
    "load balancer, multiple values": lambda path, method: make_alb_multi_event(path=path, method=method),
}


@pytest.mark.parametrize("path", SPELLINGS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_client_finds_nothing_where_events_go(path, method):
    reached = []
    app = Flask(__name__)
    app.url_map.strict_slashes = False
    app.route("/events", methods=["GET", "POST"])(lambda: reached.append(1) or "reached")
    handler = handler_of(app, events_path="/events", base_path="/v1")
    answers = {kind: handler(make(path, method), CONTEXT)["statusCode"] for kind, make in KINDS.items()}
    assert (answers, reached) == (dict.fromkeys(KINDS, 404), [])


@pytest.mark.parametrize("path", SPELLINGS)
def test_a_spelling_that_a_router_behind_a_proxy_might_take_is_known(path):
    assert is_spelling_of("/events", path)
    assert is_spelling_of("/events", f"/mounted{path}")
    if ".." not in path and "mounted" not in path:
        assert is_spelling_of("/v1/events", path, "/v1")
    assert not is_spelling_of("/events", f"{path}/b")


def test_a_client_finds_nothing_below_a_path_that_the_application_takes_off_itself():
    app = Flask(__name__)
    for name in ("events", "shop"):
        app.add_url_rule(f"/{name}", name, lambda: "reached", methods=["POST"])
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/api": app.wsgi_app})
    handler = handler_of(app, events_path="/events")
    answers = [handler(make_event(path=path, method="POST"), CONTEXT) for path in ("/api/shop", "/api/events")]
    assert [answer["statusCode"] for answer in answers] == [200, 404]


class Script:
    """Middleware that believes X-Original-URL, and takes the prefix in X-Script-Name off the path, by text."""

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        script = environ.get("HTTP_X_SCRIPT_NAME", "")
        path = environ.get("HTTP_X_ORIGINAL_URL") or environ["PATH_INFO"]
        environ = {**environ, "SCRIPT_NAME": script, "PATH_INFO": path.removeprefix(script)}
        return self.app(environ, start_response)


PREFIXED = ["/foo_events", "/foo/_events", "/foo_EVENTS/", "/foo_events%2f", "/foo;/_events", "/foo/a/.././_events"]


def prefixed(path):
    return [
        make_event(path=path, method="POST", headers={"x-script-name": "/foo"}),
        make_rest_event(path=path, method="POST", headers={"x-script-name": ["/foo"]}),
        make_alb_event(path=path, method="POST", headers={"x-script-name": "/foo"}),
    ]


def answer_of(taken):
    taken.append(request.get_json())
    return "taken"


@pytest.mark.parametrize("path", PREFIXED)
def test_middleware_that_changes_the_path_leads_no_client_to_the_events(path):
    app, taken = Flask(__name__), []
    app.url_map.strict_slashes = False
    app.add_url_rule("/_events", "events", lambda: answer_of(taken), methods=["POST"])
    app.add_url_rule("/shop", "shop", lambda: "sold", methods=["POST"])
    app.register_error_handler(404, lambda error: ("nothing here", 404))
    app.wsgi_app = Script(app.wsgi_app)
    handler = handler_of(app, events_path="/_events")
    assert [handler(each, CONTEXT)["statusCode"] for each in prefixed(path)] == [404] * 3
    assert [handler(each, CONTEXT)["body"] for each in prefixed("/foo/shop")] == ["sold"] * 3
    assert (handler({"a": 1}, CONTEXT), taken) == ("taken", [{"a": 1}])


def test_no_client_gets_to_the_events_of_a_blueprint_or_of_an_application_mounted_behind_middleware():
    taken = []
    jobs, jobs_app, app = Blueprint("jobs", __name__), Flask("jobs"), Flask(__name__)
    jobs.post("/run")(lambda: answer_of(taken))
    jobs_app.post("/run")(lambda: answer_of(taken))
    app.register_blueprint(jobs, url_prefix="/in/jobs")
    app.wsgi_app = Script(DispatcherMiddleware(app.wsgi_app, {"/out/jobs": jobs_app}))
    for place in ("/in", "/out"):
        handler = handler_of(app, events_path=f"{place}/jobs/run")
        path = f"/foo{place}/jobs/run"
        for headers in (
            {},
            {"x-script-name": "/foo"},
            {"x-script-name": f"/foo{place}"},
            {"x-original-url": f"{place}/jobs/run"},
        ):
            events = [make_event(path=each, method="POST", headers=headers) for each in (path, "/")]
            assert [handler(event, CONTEXT)["statusCode"] for event in events] in ([404, 404], [404, 405])
        assert handler({"to": place}, CONTEXT) == "taken"
    assert taken == [{"to": "/in"}, {"to": "/out"}]


def test_a_client_that_says_it_is_an_event_is_not():
    app = Flask(__name__)
    app.post("/_events")(lambda: "reached")
    app.wsgi_app = Script(app.wsgi_app)
    handler = handler_of(app, events_path="/_events")
    names = ("dualmode.event", "dualmode-event", "DUALMODE.EVENT")
    headers = {"x-script-name": "/foo"} | dict.fromkeys(names, "<object object at 0x7f0000000000>")
    event = make_event(path="/foo_events", method="POST", headers=headers) | dict.fromkeys(names, True)
    assert handler(event, CONTEXT)["statusCode"] == 404


def test_other_paths_are_not_hidden():
    app = Flask(__name__)
    app.add_url_rule("/<path:path>", view_func=lambda path: path)
    handler = handler_of(app, events_path="/events")
    for path in ("/event", "/events/1", "/myevents", "/eventss"):
        assert handler(make_event(path=path), CONTEXT)["statusCode"] == 200


@given(
    st.lists(st.sampled_from(["/", "events", "Events", "%65vents", ".", "..", ";a", "%2f"]), max_size=5).map("".join)
)
def test_what_flask_routes_to_the_events_is_always_seen_as_a_spelling_of_it(path):
    app = Flask(__name__)
    app.url_map.strict_slashes = False
    app.add_url_rule("/events", "events", lambda: "")
    with app.test_request_context("/", environ_overrides={"PATH_INFO": "/" + path}) as context:
        context.match_request()
        if context.request.endpoint == "events":
            assert is_spelling_of("/events", "/" + path)


def test_a_path_beyond_ascii_is_hidden_as_well():
    app = Flask(__name__)
    app.post("/événements")(lambda: {"taken": request.get_json()})
    handler = handler_of(app, events_path="/événements")
    assert handler({"a": 1}, CONTEXT) == {"taken": {"a": 1}}
    assert handler(make_event(path="/événements", method="POST"), CONTEXT)["statusCode"] == 404


def test_the_event_route_works_behind_a_request_s_own_environ():
    app = Flask(__name__)
    app.post("/events")(lambda: {"host": request.host, "json": json.loads(request.get_data())})
    assert handler_of(app, events_path="/events")({"a": 1}, CONTEXT) == {"host": "localhost", "json": {"a": 1}}
