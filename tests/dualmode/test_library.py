"""The package as a zip function has it: installed from its wheel, beside Flask and no more than a function brings."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from dualmode import make_handler
from tests.conftest import ROOT
from tests.support.emulator import Emulator, write
from tests.support.events import make_alb_event, make_event

FLASK = ("flask", "werkzeug", "jinja2", "click", "itsdangerous", "blinker", "markupsafe")
MANGUM = ("mangum", "typing_extensions")
AWSLAMBDARIC = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")

FLASK_FUNCTION = """
from flask import Flask, request
from dualmode import make_handler

app = Flask(__name__)
app.add_url_rule("/hello", "hello", lambda: {"base": request.script_root})
app.add_url_rule("/events", "events", lambda: {"got": request.json}, methods=["POST"])
app.add_url_rule("/long", "long", lambda: "x" * 7_000_000)
handler = make_handler(app)
"""
ASGI_FUNCTION = """
from dualmode import make_handler

async def app(scope, receive, send):
    if scope["type"] == "http":
        body = scope["path"].encode() + b" " + (await receive())["body"]
        await send({"type": "http.response.start", "status": 201, "headers": []})
        await send({"type": "http.response.body", "body": body})

handler = make_handler(app)
"""
RUN = """
import json, sys
from lambda_function import handler
for event in json.load(sys.stdin):
    try:
        print(json.dumps(handler(event, None)))
    except Exception as error:
        print(json.dumps([type(error).__name__, str(error)]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-index"]
    command += ["--no-build-isolation", "--no-deps", "--wheel-dir", folder, ROOT]
    built = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert built.returncode == 0, built.stderr
    return next(folder.glob("dualmode-*.whl"))


@pytest.fixture
def venv(wheel, tmp_path):
    """Makes an environment that has the wheel and, of what is installed here, these modules alone."""

    def venv(*modules):
        folder = tmp_path / "venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=60)
        python = folder / "bin" / "python"
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python, "install", "--quiet"]
        subprocess.run([*command, "--no-index", "--no-deps", wheel], check=True, timeout=60)
        packages = next(folder.glob("lib/python*/site-packages"))
        for name in modules:
            file = Path(importlib.util.find_spec(name).origin)
            source = file.parent if file.name == "__init__.py" else file
            (packages / source.name).symlink_to(source)
        return python

    return venv


def answers(python, folder, function, *events, **variables):
    """What a function returns for events, or the error's type and sentence."""
    write(folder, lambda_function=function)
    done = subprocess.run(
        [python, "-c", RUN],
        input=json.dumps(events),
        cwd=folder,
        env={"PYTHONWARNINGS": "error", **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_flask_application_needs_neither_mangum_nor_awslambdaric(venv, tmp_path):
    request, hidden = answers(
        venv(*FLASK),
        tmp_path,
        FLASK_FUNCTION,
        make_event(path="/hello", domain="shop.example"),
        make_event(path="/events", method="POST"),
        DUALMODE_BASE_PATH="/shop",
        DUALMODE_EVENTS_PATH="/events",
    )
    assert request == {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": '{"base":"/shop"}\n',
        "isBase64Encoded": False,
    }
    assert hidden["statusCode"] == 404


def test_events_reach_the_route_that_a_variable_names(venv, tmp_path):
    queue, destination = {"Records": []}, {"requestContext": {"functionArn": "arn"}, "requestPayload": 1}
    assert answers(venv(*FLASK), tmp_path, FLASK_FUNCTION, queue, destination, DUALMODE_EVENTS_PATH="/events") == [
        {"got": queue},
        {"got": destination},
    ]


def test_what_a_function_lacks_is_said_in_one_sentence(venv, tmp_path):
    event, load_balancer = answers(venv(*FLASK), tmp_path, FLASK_FUNCTION, {"Records": []}, make_alb_event())
    assert event == [
        "EventError",
        "This event is not an HTTP request, and DUALMODE_EVENTS_PATH is not set: set it to a route of the application"
        " that takes events as POST.",
    ]
    assert load_balancer == [
        "EventError",
        "A request from a REST API or a load balancer needs mangum: install dualmode[asgi].",
    ]


def test_a_response_over_lambda_s_limit_is_a_clear_error_without_awslambdaric_too(venv, tmp_path):
    (result,) = answers(venv(*FLASK), tmp_path, FLASK_FUNCTION, make_event(path="/long"))
    assert result["statusCode"] == 500
    assert "limit is 6291556 bytes" in result["body"]


def test_an_asgi_application_takes_the_same_call(venv, tmp_path):
    request, load_balancer, event = answers(
        venv(*FLASK, *MANGUM),
        tmp_path,
        ASGI_FUNCTION,
        make_event(path="/a", method="POST", body="b"),
        make_alb_event(path="/c"),
        {"Records": []},
        DUALMODE_EVENTS_PATH="/events",
    )
    assert (request["statusCode"], request["body"]) == (201, "/a b")
    assert (load_balancer["statusCode"], load_balancer["body"]) == (201, "/c ")
    assert event == '/events {"Records": []}'


def test_a_zip_function_runs_under_awslambdaric_with_debugging_off(venv, rie, tmp_path):
    python = venv(*FLASK, *AWSLAMBDARIC)
    write(tmp_path, lambda_function=FLASK_FUNCTION + "app.add_url_rule('/debug', 'debug', lambda: str(app.debug))\n")
    bootstrap = (str(python), "-m", "awslambdaric", "lambda_function.handler")
    variables = {"FLASK_DEBUG": "1", "DUALMODE_EVENTS_PATH": "/events", "AWS_LAMBDA_LOG_FORMAT": "JSON"}
    with Emulator(rie, tmp_path, tmp_path / "log", bootstrap=bootstrap, **variables) as function:
        assert function.invoke(make_event(path="/debug"))["body"] == "False"
        assert function.invoke({"Records": []}) == {"got": {"Records": []}}
        lines = [json.loads(line) for line in function.lines(last="POST /events 200")]
    assert [(line["level"], line["message"]) for line in lines] == [
        ("WARNING", "FLASK_DEBUG is ignored in lambda mode: debugging would show the application's source code"),
        ("WARNING", "app.debug is off in lambda mode: debugging would show the application's source code"),
        ("INFO", "GET /debug 200"),
        ("INFO", "POST /events 200"),
    ]


def test_what_is_no_application_is_refused_in_one_sentence_before_anything_is_changed():
    variables = {"FLASK_DEBUG": "1"}
    with pytest.raises(TypeError) as refused:
        make_handler("app", variables)
    assert variables == {"FLASK_DEBUG": "1"}
    assert str(refused.value) == (
        "make_handler takes a Flask, another WSGI or an ASGI application, not 'app': pass one of those."
    )


def test_importing_the_package_loads_nothing_more():
    program = "import sys; before = set(sys.modules); import dualmode; print(set(sys.modules) - before)"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.stderr) == ("{'dualmode'}\n", "")
