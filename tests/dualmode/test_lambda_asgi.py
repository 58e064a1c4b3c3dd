"""ASGI applications behind the same adapter: start-up once, the same request, the same answer."""

import asyncio
import json
import sys
import warnings
from contextlib import suppress

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from flask import Flask, request
from werkzeug.exceptions import NotFound

from dualmode.asgi import StartUpError, as_wsgi, mounted
from dualmode.handler import wsgi_handler
from dualmode.logs import AccessLog
from tests.support.events import CONTEXT, make_alb_event, make_event, make_rest_event


@pytest.fixture(autouse=True)
def _event_loops_end(monkeypatch):
    """Ends the event loops of a test, which live as long as their process otherwise."""
    loops, new_event_loop = [], asyncio.new_event_loop

    def new_loop():
        loops.append(new_event_loop())
        return loops[-1]

    monkeypatch.setattr(asyncio, "new_event_loop", new_loop)
    yield
    for loop in loops:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with suppress(asyncio.CancelledError):
                loop.run_until_complete(task)
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
    asyncio.set_event_loop(None)


NOT_FOUND = NotFound().get_response().get_data(as_text=True)


def handler_of(app, **options):
    return wsgi_handler(as_wsgi(app), AccessLog({"AWS_LAMBDA_LOG_LEVEL": "CRITICAL"}, sys.stdout.write), **options)


def showing():
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def show(request: Request, path: str):
        return {
            "method": request.method,
            "host": request.url.hostname,
            "raw_path": request.scope["raw_path"].decode(),
            "path": path,
            "query": request.query_params.multi_items(),
            "cookies": request.cookies,
            "type": request.headers.get("content-type"),
            "client": request.client.host,
            "body": (await request.body()).decode(),
            "event": "requestContext" in request.scope["aws.event"],
            "authorizer": request.scope["aws.authorizer"],
        }

    return app


def test_a_request_is_seen_whole():
    event = make_event(
        method="POST",
        path="/a b/100%/é",
        query="a=1&a=2&b=x+y",
        headers={"content-type": "text/plain"},
        cookies=["a=1", "b=2"],
        domain="shop.example",
        body=b"hello",
    )
    event["requestContext"]["authorizer"] = {"jwt": {"claims": {"sub": "ann"}, "scopes": None}}
    assert json.loads(handler_of(showing())(event, CONTEXT)["body"]) == {
        "method": "POST",
        "host": "shop.example",
        "raw_path": "/a%20b/100%25/%C3%A9",
        "path": "a b/100%/é",
        "query": [["a", "1"], ["a", "2"], ["b", "x y"]],
        "cookies": {"a": "1", "b": "2"},
        "type": "text/plain",
        "client": "203.0.113.7",
        "body": "hello",
        "event": True,
        "authorizer": {"jwt": {"claims": {"sub": "ann"}, "scopes": None}},
    }


@pytest.mark.parametrize("make", [make_rest_event, make_alb_event])
def test_an_older_event_is_the_same_request(make):
    seen = json.loads(handler_of(showing())(make(path="/a%2520b"), CONTEXT)["body"])
    assert (seen["path"], seen["client"]) == ("a%20b", "203.0.113.7")


def test_a_named_stage_is_the_root_path():
    app = FastAPI()
    app.get("/a", name="a")(lambda request: None)

    @app.get("/b")
    def view(request: Request):
        return [request.scope["root_path"], request.scope["path"], str(request.url_for("a").path)]

    body = handler_of(app)(make_event(path="/dev/b", stage="dev"), CONTEXT)["body"]
    assert json.loads(body) == ["/dev", "/dev/b", "/dev/a"]


def test_cookies_bytes_and_streams_come_out():
    app = FastAPI()

    @app.get("/png")
    def png():
        response = Response(b"\x89PNG", media_type="image/png")
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response

    @app.get("/stream")
    def stream():
        return StreamingResponse((f"{n}" for n in range(3)), media_type="text/plain")

    handler = handler_of(app)
    sent = handler(make_event(path="/png"), CONTEXT)
    assert (sent["body"], sent["isBase64Encoded"]) == ("iVBORw==", True)
    assert [cookie.partition(";")[0] for cookie in sent["cookies"]] == ["a=1", "b=2"]
    assert handler(make_event(path="/stream"), CONTEXT)["body"] == "012"


@pytest.mark.parametrize("path", ["/raise", "/half"])
def test_an_exception_is_a_500_and_never_half_an_answer(path, caplog):
    app = FastAPI()
    app.get("/raise")(lambda: 1 / 0)

    @app.get("/half")
    def half():
        def body():
            yield "half"
            raise ValueError("broken")

        return StreamingResponse(body())

    result = handler_of(app)(make_event(path=path), CONTEXT)
    assert (result["statusCode"], result["body"]) == (500, "Internal Server Error")
    assert any(record.exc_info for record in caplog.records)


def test_an_application_that_never_answers_is_a_500(caplog):
    async def silent(scope, receive, send):
        assert scope["type"] == "http"

    result = handler_of(silent)(make_event(), CONTEXT)
    assert result["statusCode"] == 500
    assert any(record.exc_info for record in caplog.records)


async def answer(send, body):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body})


def test_an_application_without_a_lifespan_is_served_all_the_same():
    async def returning(scope, receive, send):
        if scope["type"] == "http":
            await answer(send, b"served")

    async def raising(scope, receive, send):
        if scope["type"] != "http":
            raise ValueError(scope["type"])
        await answer(send, b"served")

    for app in (returning, raising):
        assert handler_of(app)(make_event(), CONTEXT)["body"] == "served"


def test_a_start_up_that_fails_is_an_error_with_its_own_text():
    async def failing(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(StartUpError, match=r"^The application's start-up failed: no database$"):
        as_wsgi(failing)


def test_a_start_up_that_raises_keeps_its_exception():
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def lifespan(app):
        raise RuntimeError("no database")
        yield

    with pytest.raises(RuntimeError, match="no database"):
        as_wsgi(FastAPI(lifespan=lifespan))


def test_an_event_that_is_no_request_goes_to_its_route():
    app = FastAPI()

    @app.post("/events")
    async def events(event: dict):
        return {"batchItemFailures": event["Records"]}

    handler = handler_of(app, events_path="/events")
    assert handler({"Records": [1]}, CONTEXT) == {"batchItemFailures": [1]}
    assert handler(make_event(method="POST", path="/events", body="{}"), CONTEXT)["statusCode"] == 404


class Script:
    """Middleware that takes a prefix off the path, by text."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and scope["path"].startswith("/foo"):
            scope = {**scope, "path": f"/{scope['path'].removeprefix('/foo').lstrip('/')}"}
        await self.app(scope, receive, send)


def test_middleware_that_changes_the_path_leads_no_client_to_the_events():
    outer, inner, taken = FastAPI(), FastAPI(), []

    @inner.post("/run")
    async def run(event: dict):
        taken.append(event)
        return "taken"

    inner.post("/shop")(lambda: "sold")
    inner.add_middleware(Script)
    outer.mount("/jobs", inner)
    outer.add_middleware(Script)
    for app, path in ((inner, "/run"), (outer, "/jobs/run"), (Script(outer), "/jobs/run")):
        handler = handler_of(app, events_path=path)
        for typed in (f"/foo{path[1:]}", f"/foo{path}", f"/foo{path}/", f"/foo{path}\n"):
            event = make_event(path=typed, method="POST", headers={"content-type": "application/json"}, body="{}")
            answer = handler(event, CONTEXT)
            assert (answer["statusCode"], answer["body"]) in [(404, '{"detail":"Not Found"}'), (404, NOT_FOUND)]
        shop = make_event(path=f"/foo{path.replace('run', 'shop')}", method="POST")
        assert handler(shop, CONTEXT)["body"] == '"sold"'
        assert handler({"to": path}, CONTEXT) == "taken"
    assert taken == [{"to": "/run"}, {"to": "/jobs/run"}, {"to": "/jobs/run"}]


def test_events_reach_a_flask_application_that_is_mounted_in_an_asgi_application_and_clients_do_not():
    flask_app, app, taken = Flask(__name__), FastAPI(), []

    @flask_app.post("/run")
    def run():
        taken.append(request.get_json())
        return "taken"

    flask_app.post("/shop")(lambda: "sold")
    app.mount("/jobs", in_a_thread(flask_app))
    app.add_middleware(Script)
    handler = handler_of(app, events_path="/jobs/run")
    assert handler(make_event(path="/foojobs/shop", method="POST"), CONTEXT)["body"] == "sold"
    assert handler(make_event(path="/foojobs/run", method="POST", body="{}"), CONTEXT)["statusCode"] == 404
    assert handler({"a": 1}, CONTEXT) == "taken"
    assert taken == [{"a": 1}]


def in_a_thread(app):
    """A WSGI application as Starlette mounts it; its environ is a new one, made from the scope."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from starlette.middleware.wsgi import WSGIMiddleware
    return WSGIMiddleware(app)


def test_a_server_on_this_machine_has_the_same_paths():
    app = FastAPI()

    @app.get("/a")
    def view(request: Request):
        return request.scope["root_path"]

    app.post("/events")(lambda: "reached")
    served = mounted(app, "/v1", ["/events"])

    def answered(method, path):
        messages = []
        scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": [], "root_path": ""}

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            messages.append(message)

        asyncio.run(served(scope, receive, send))
        return messages[0]["status"], b"".join(message.get("body", b"") for message in messages)

    assert [answered("GET", path) for path in ("/a", "/v1/a", "/v10/a")] == [
        (200, b'""'),
        (200, b'"/v1"'),
        (404, b'{"detail":"Not Found"}'),
    ]
    hidden = [answered("POST", path) for path in ("/events", "/v1/events/", "//events")]
    assert [(status, b"404 Not Found" in body) for status, body in hidden] == [(404, True)] * 3
