"""Events that aren't requests reach the application's route for them, and no client does."""

import json
import sys

import pytest
from awslambdaric.lambda_runtime_exception import FaultException
from flask import Flask, request
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from scripts.events import is_spelling_of
from scripts.invocation import make_handler
from scripts.logs import AccessLog
from tests.events import CONTEXT, make_alb_event, make_event, make_rest_event


def handler_of(app, **options):
    return make_handler(app, AccessLog({"AWS_LAMBDA_LOG_LEVEL": "ERROR"}, sys.stdout.write), **options)


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
]


@pytest.mark.parametrize("path", SPELLINGS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_client_finds_nothing_where_events_go(path, method):
    reached = []
    app = Flask(__name__)
    app.url_map.strict_slashes = False
    app.route("/events", methods=["GET", "POST"])(lambda: reached.append(1) or "reached")
    handler = handler_of(app, events_path="/events", base_path="/v1")
    requests = [
        make_event(path=path, method=method, body="{}"),
        make_event(path=f"/dev{path}", stage="dev", method=method),
        make_event(path=path, method=method, domain="shop.example"),
        make_rest_event(path=path, method=method),
        make_alb_event(path=path, method=method),
    ]
    answers = [handler(request, CONTEXT) for request in requests]
    assert [(answer["statusCode"], reached) for answer in answers] == [(404, [])] * len(requests)


@pytest.mark.parametrize("path", SPELLINGS)
def test_a_spelling_that_a_router_behind_a_proxy_might_take_is_known(path):
    assert is_spelling_of("/events", path)
    assert is_spelling_of("/v1/events", path, "/v1")
    assert is_spelling_of("/events", f"/mounted{path}")
    assert not is_spelling_of("/events", f"{path}/b")


def test_a_client_finds_nothing_below_a_path_that_the_application_takes_off_itself():
    app = Flask(__name__)
    for name in ("events", "shop"):
        app.add_url_rule(f"/{name}", name, lambda: "reached", methods=["POST"])
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/api": app.wsgi_app})
    handler = handler_of(app, events_path="/events")
    answers = [handler(make_event(path=path, method="POST"), CONTEXT) for path in ("/api/shop", "/api/events")]
    assert [answer["statusCode"] for answer in answers] == [200, 404]


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
