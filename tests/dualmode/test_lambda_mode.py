"""Lambda mode as a whole, under AWS's Runtime Interface Emulator."""

import functools
import json
import os
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.support.emulator import Emulator, environment, write
from tests.support.events import make_event, make_rest_event


@pytest.fixture
def emulated(rie, tmp_path):
    return functools.partial(Emulator, rie, tmp_path, tmp_path / "log")


def test_the_sample_answers_a_request(emulated):
    with emulated() as function:
        assert function.invoke(make_event(path="/hello")) == {
            "statusCode": 200,
            "headers": {"content-type": "application/json"},
            "body": '{"message":"Hello from Flask!"}\n',
            "isBase64Encoded": False,
        }
        assert function.invoke(make_rest_event(path="/health"))["body"] == '{"status":"healthy"}\n'


@pytest.fixture
def image_command(tmp_path):
    """The image's command on this machine's folders, with an entrypoint that says that it was called."""
    entrypoint = tmp_path / "entrypoint"
    entrypoint.write_text('#!/bin/sh\necho "the entrypoint, $# arguments, PYTHONPATH=${PYTHONPATH:-}"\nexit 3\n')
    entrypoint.chmod(0o755)
    return sys.executable, "-P", str(ROOT / "dualmode" / "lambda_mode.py"), str(entrypoint)


def test_the_image_starts_it_without_the_entrypoint(image_command, emulated, tmp_path):
    write(tmp_path, shop="import sys\nfrom flask import Flask\napp = Flask(__name__)\napp.get('/')(lambda: sys.argv)\n")
    variables = {"FLASK_APP": "shop:app", "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    with emulated(bootstrap=image_command, **variables) as function:
        assert json.loads(function.invoke(make_event())["body"]) == [image_command[2]]


API = {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"}


@pytest.mark.parametrize(
    ("variables", "path"),
    [
        ({**API, "RUN_MODE": "local"}, "{root}:{folder}"),
        ({**API, "RUN_MODE": "gateway"}, "{root}:{folder}"),
        ({**API, "RUN_MODE": "locl"}, "{root}:{folder}"),
        ({}, "{root}:{folder}"),
        (API, ""),
        (API, "{root}"),
        (API, "/opt/more:{root}:{folder}"),
    ],
)
def test_all_that_is_no_plain_start_on_lambda_is_left_to_the_entrypoint(variables, path, image_command, tmp_path):
    path = path.format(root=ROOT, folder=tmp_path)
    run = subprocess.run(
        image_command, cwd=tmp_path, env=environment(PYTHONPATH=path, **variables), capture_output=True, text=True
    )
    assert (run.returncode, run.stdout) == (3, f"the entrypoint, 0 arguments, PYTHONPATH={path}\n")


SENTENCES = {
    "a module that isn't there": (
        "nowhere:app",
        "Runtime.ImportModuleError",
        'FLASK_APP is "nowhere:app", but there is no module nowhere in {folder}, which has shop.py.',
    ),
    "a name that isn't there": (
        "shop:web",
        "Runtime.HandlerNotFound",
        'FLASK_APP is "shop:web", but module shop ({folder}/shop.py) has no web; it has app.',
    ),
}


@pytest.mark.parametrize(("import_string", "kind", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_a_wrong_import_string_is_an_init_error_of_one_sentence(import_string, kind, sentence, emulated, tmp_path):
    write(tmp_path, shop="from flask import Flask\napp = Flask(__name__)")
    with emulated(FLASK_APP=import_string) as function:
        assert function.invoke(make_event()) == {
            "errorMessage": sentence.format(folder=tmp_path),
            "errorType": kind,
            "requestId": "",
            "stackTrace": [],
        }
        assert not any("lambda_handler" in line for line in function.lines(last=kind))


THEIR_ERRORS = {
    "an exception": ('raise Exception("x")', "Exception", "x"),
    "a dependency that is missing": (
        "import not_there_at_all",
        "Runtime.ImportModuleError",
        "Unable to import module 'shop': No module named 'not_there_at_all'",
    ),
    "a syntax error": (
        "def (",
        "Runtime.UserCodeSyntaxError",
        "Syntax error in module 'shop': invalid syntax (shop.py, line 1)",
    ),
}


@pytest.mark.case("L02")
@pytest.mark.parametrize(("code", "kind", "message"), THEIR_ERRORS.values(), ids=THEIR_ERRORS)
def test_an_error_of_the_application_s_own_code_is_an_init_error_of_its_own_type(
    code, kind, message, emulated, tmp_path
):
    write(tmp_path, shop=code)
    with emulated(FLASK_APP="shop") as function:
        error = function.invoke(make_event())
    assert {**error, "stackTrace": None} == {
        "errorType": kind,
        "errorMessage": message,
        "requestId": "",
        "stackTrace": None,
    }
    assert error["stackTrace"][-1].startswith(f'  File "{tmp_path}/shop.py", line 1')
    if kind.startswith("Runtime."):
        assert len(error["stackTrace"]) == 1


@pytest.mark.case("L03")
@pytest.mark.parametrize("status", [0, 3])
def test_an_exit_in_a_request_ends_the_process_and_the_next_request_gets_a_new_one(status, emulated, tmp_path):
    write(
        tmp_path,
        shop=f"""
        import os, sys
        from flask import Flask
        app = Flask(__name__)
        app.add_url_rule("/pid", "pid", lambda: str(os.getpid()))
        app.add_url_rule("/exit", "exit", lambda: sys.exit({status}))
        """,
    )
    with emulated(FLASK_APP="shop") as function:
        before = function.invoke(make_event(path="/pid"))["body"]
        error = function.invoke(make_event(path="/exit"))
        after = function.invoke(make_event(path="/pid"))["body"]
    assert error["errorType"] == "Runtime.ExitError"
    reason = "exited with error: exit status 3" if status else "exited without providing a reason"
    assert re.fullmatch(rf"RequestId: [0-9a-f-]{{36}} Error: Runtime {reason}", error["errorMessage"])
    assert before != after


# A superuser reads everything, unless it gives up these.
AS_NOBODY_SPECIAL = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.getuid() == 0 else ()


@pytest.mark.case("L08")
def test_a_file_that_this_user_may_not_read_is_an_init_error(emulated, tmp_path):
    write(tmp_path, shop="")
    (tmp_path / "shop.py").chmod(0o000)
    with emulated(AS_NOBODY_SPECIAL, FLASK_APP="shop") as function:
        error = function.invoke(make_event())
    assert (error["errorType"], error["errorMessage"]) == (
        "PermissionError",
        f"[Errno 13] Permission denied: '{tmp_path}/shop.py'",
    )


@pytest.mark.case("L10")
def test_the_context_tells_the_invocation_s_id_function_and_time_left(emulated, tmp_path):
    write(
        tmp_path,
        shop="""
        from flask import Flask, request
        app = Flask(__name__)

        @app.get("/")
        def view():
            context = request.environ["lambda.context"]
            left = context.get_remaining_time_in_millis()
            return {"id": context.aws_request_id, "arn": context.invoked_function_arn, "left": left}
        """,
    )
    with emulated(FLASK_APP="shop", AWS_LAMBDA_FUNCTION_TIMEOUT="300") as function:
        seen = json.loads(function.invoke(make_event())["body"])
    assert re.fullmatch("[0-9a-f-]{36}", seen["id"])
    assert seen["arn"].startswith("arn:aws:lambda:")
    assert 0 < seen["left"] <= 300_000


def test_debugging_never_reaches_lambda(emulated, tmp_path):
    write(
        tmp_path,
        shop="""
        import os
        from flask import Flask
        app = Flask(__name__)
        first = app.debug
        app.debug = True
        app.config.update(PROPAGATE_EXCEPTIONS=True, TESTING=True)
        app.register_error_handler(500, lambda error: ("handled", 500))
        app.add_url_rule("/", "root", lambda: [first, app.debug, "FLASK_DEBUG" in os.environ])
        app.add_url_rule("/fail", "fail", lambda: 1 / 0)

        if first is False:
            app.run(debug=True)
        """,
    )
    with emulated(FLASK_APP="shop", FLASK_DEBUG="1") as function:
        assert function.invoke(make_event())["body"] == "[false,false,false]\n"
        assert function.invoke(make_event(path="/fail"))["body"] == "handled"
        lines = function.lines(last="PROPAGATE_EXCEPTIONS is off")
    warnings = [line.split("\t")[-1] for line in lines if line.startswith("[WARNING]")]
    assert warnings == [
        "FLASK_DEBUG is ignored in lambda mode: debugging would show the application's source code",
        "app.debug is off in lambda mode: debugging would show the application's source code",
        "PROPAGATE_EXCEPTIONS is off in lambda mode: the error handlers answer an exception",
    ]


def test_the_collector_is_the_application_s_own_again_once_it_is_loaded(emulated, tmp_path):
    write(
        tmp_path,
        shop="""
        import gc
        from flask import Flask
        app = Flask(__name__)
        at_import = [gc.isenabled(), gc.get_threshold()[0]]
        app.add_url_rule("/", "root", lambda: [at_import, [gc.isenabled(), gc.get_threshold()[0] > 0]])
        app.add_url_rule("/aside", "aside", lambda: [app in gc.get_objects(), gc.get_freeze_count() > 10_000])
        """,
    )
    with emulated(FLASK_APP="shop") as function:
        assert function.invoke(make_event())["body"] == "[[true,0],[true,true]]\n"
        # what start-up made is set aside: no collection of a request looks at it again
        assert function.invoke(make_event(path="/aside"))["body"] == "[false,true]\n"


def test_thresholds_that_an_application_sets_for_the_collector_are_kept(emulated, tmp_path):
    write(
        tmp_path,
        shop="""
        import gc
        from flask import Flask
        gc.set_threshold(12345)
        gc.disable()
        app = Flask(__name__)
        app.add_url_rule("/", "root", lambda: [gc.isenabled(), gc.get_threshold()[0]])
        """,
    )
    with emulated(FLASK_APP="shop") as function:
        assert function.invoke(make_event())["body"] == "[false,12345]\n"


def test_an_event_that_is_no_request_goes_to_its_route_and_a_command_to_flask(emulated, tmp_path):
    write(
        tmp_path,
        shop="""
        from flask import Flask, request
        app = Flask(__name__)

        @app.post("/events")
        def event():
            ids = [record["messageId"] for record in request.json["Records"]]
            return {"batchItemFailures": [{"itemIdentifier": ids[-1]}]}

        @app.cli.command("greet")
        def greet():
            print("hello")
        """,
    )
    variables = {"FLASK_APP": "shop", "DUALMODE_EVENTS_PATH": "/events", "DUALMODE_ALLOW_COMMANDS": "1"}
    with emulated(**variables) as function:
        assert function.invoke({"Records": [{"messageId": "1"}, {"messageId": "2"}]}) == {
            "batchItemFailures": [{"itemIdentifier": "2"}]
        }
        assert function.invoke({"flask": ["greet"]}) == {"exit_code": 0, "output": "hello\n"}
        error = function.invoke({"detail-type": "Scheduled Event"})
        assert function.invoke(make_event(method="POST", path="/events", body="{}"))["statusCode"] == 404
    assert {**error, "requestId": ""} == {
        "errorMessage": "The application answered the event, POST /events, with 500.",
        "errorType": "EventError",
        "requestId": "",
        "stackTrace": [],
    }


@pytest.mark.parametrize(
    "setting", [{}, {"DUALMODE_ALLOW_COMMANDS": "0"}, {"DUALMODE_ALLOW_COMMANDS": "true"}], ids=str
)
def test_commands_are_off_unless_the_variable_is_1(emulated, setting):
    with emulated(**setting) as function:
        error = function.invoke({"flask": ["routes"]})
    assert error["errorType"] == "CommandError"
    assert "DUALMODE_ALLOW_COMMANDS=1" in error["errorMessage"]


def test_an_asgi_application_starts_up_once_and_answers(rie, tmp_path):
    write(
        tmp_path,
        shop="""
        from contextlib import asynccontextmanager
        from fastapi import FastAPI, Request

        starts = []

        @asynccontextmanager
        async def lifespan(app):
            starts.append("started")
            yield {"greeting": "hello"}

        app = FastAPI(lifespan=lifespan)

        @app.get("/{name}")
        async def view(request: Request, name: str):
            return {"greeting": request.state.greeting, "name": name, "starts": starts}
        """,
    )
    with Emulator(rie, tmp_path, tmp_path / "log", FLASK_APP="shop:app") as function:
        for _ in range(2):
            assert json.loads(function.invoke(make_event(path="/a é"))["body"]) == {
                "greeting": "hello",
                "name": "a é",
                "starts": ["started"],
            }


PLAIN = """
    def app(environ, start_response):
        from urllib.parse import parse_qs
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        query = parse_qs(environ["QUERY_STRING"])
        start_response("201 Created", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        return [f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {query}".encode(), body]
    """


def test_a_plain_wsgi_function_answers_and_has_no_commands(emulated, tmp_path):
    write(tmp_path, plain=PLAIN)
    with emulated(FLASK_APP="plain:app", DUALMODE_ALLOW_COMMANDS="1") as function:
        answer = function.invoke(make_event(method="POST", path="/p", query="x=1", body="hello"))
        error = function.invoke({"flask": ["routes"]})
    assert (answer["statusCode"], answer["body"]) == (201, "POST /p {'x': ['1']}hello")
    assert answer["cookies"] == ["a=1", "b=2"]
    assert error["errorMessage"] == (
        "The application is of type function, and only a Flask application has commands to run."
    )


def test_the_debugging_of_another_framework_is_left_on_and_said(emulated, tmp_path):
    write(
        tmp_path,
        other="""
        class Application:
            debug = True

            def __call__(self, environ, start_response):
                start_response("200 OK", [("Content-Type", "text/plain")])
                return [b"debugging" if self.debug else b"quiet"]

        app = Application()
        """,
    )
    with emulated(FLASK_APP="other") as function:
        assert function.invoke(make_event())["body"] == "debugging"
        lines = function.lines(last="own debugging is on")
    assert [line.split("\t")[-1] for line in lines if line.startswith("[WARNING]")] == [
        "The application's own debugging is on, which shows source code to anyone who causes an error: lambda mode"
        " turns it off only in Flask, so turn it off yourself, such as by a variable in the setting environment"
    ]


def test_the_example_whose_views_register_themselves_has_its_routes(rie, tmp_path):
    with Emulator(rie, ROOT / "examples" / "views", tmp_path / "log", FLASK_APP="app:app") as function:
        assert function.invoke(make_event())["body"] == '{"registered":"by import"}\n'
