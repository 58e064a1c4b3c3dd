"""Local mode as a whole: the entrypoint's process, on a free port of loopback."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from dualmode.handler import wsgi_handler
from dualmode.logs import AccessLog
from sandbox import ends_with_parent
from scripts.server import app as sample
from tests.support.emulator import ENTRYPOINT, environment, write
from tests.support.events import CONTEXT, make_event
from tests.support.ports import free_ports
from tests.support.waiting import until

SHOP = """
    from flask import Flask, redirect, request
    app = Flask(__name__)

    @app.get("/where")
    def where():
        return [request.script_root, request.path, app.url_for("where")]

    app.add_url_rule("/events", "events", lambda: "reached", methods=["GET", "POST"])
    app.add_url_rule("/debug", "debug", lambda: str(app.debug))
    app.add_url_rule("/fail", "fail", lambda: 1 / 0)
    app.add_url_rule("/fail/<name>", "fail_named", lambda name: 1 / 0)
    app.debug = True
    app.run(debug=True)
"""


class Local:
    """A process in local mode."""

    def __init__(self, folder, prefix=(), **variables):
        self.log_file = folder / "log"
        variables = {
            "RUN_MODE": "local",
            "PORT": "0",
            "FLASK_RUN_HOST": "127.0.0.1",
            "PYTHONWARNINGS": "",
            "PYTHONDONTWRITEBYTECODE": "1",  # as in the image; bytecode knows a change within a second by its size only
        } | variables
        with self.log_file.open("wb") as output:
            self.process = subprocess.Popen(
                ends_with_parent.alone([*prefix, str(ENTRYPOINT)]),
                cwd=folder,
                env=environment(**variables),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def __enter__(self):
        self.port = int(self.wait_for(r"[Rr]unning on http://127\.0\.0\.1:(\d+)")[1])
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(60)

    def wait_for(self, pattern):
        def found():
            ended = self.process.poll() is not None
            log = self.log_file.read_text()
            match = re.search(pattern, log)
            assert match or not ended, log
            return match

        return until(found)

    def request(self, method, path, body=None, headers=None):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()


JSON = {"Content-Type": "application/json"}
REQUESTS = [
    ("GET", "/", None),
    ("GET", "/hello", None),
    ("HEAD", "/hello", None),
    ("GET", "/nowhere", None),
    ("PUT", "/hello", b"x"),
    ("POST", "/echo", b'{"message": "abc"}'),
    ("POST", "/echo", b'{"message": "\xc3\xa9"}'),
    ("POST", "/echo", b"{"),
    ("POST", "/echo", b"[1]"),
]


def test_the_sample_answers_as_it_does_through_the_adapter(tmp_path):
    handler = wsgi_handler(sample, AccessLog({"AWS_LAMBDA_LOG_LEVEL": "ERROR"}, lambda line: None))
    with Local(tmp_path) as local:
        for method, path, body in REQUESTS:
            status, headers, answer = local.request(method, path, body, JSON)
            text = None if body is None else body.decode()
            result = handler(
                make_event(method=method, path=path, body=text, headers={"content-type": JSON["Content-Type"]}), CONTEXT
            )
            assert not result["isBase64Encoded"]
            headers = {name.lower(): value for name, value in headers.items()}
            for name in ("server", "date", "connection", "content-length"):
                headers.pop(name, None)
            for each in (headers, result["headers"]):
                if "allow" in each:  # a set, in another order in each process
                    each["allow"] = sorted(each["allow"].split(", "))
            assert (result["statusCode"], result["headers"], result["body"].encode()) == (status, headers, answer)


def test_an_application_is_served_at_its_base_path_and_without_its_event_route(tmp_path):
    write(tmp_path, shop=SHOP)
    variables = {"DUALMODE_BASE_PATH": "v1/", "DUALMODE_EVENTS_PATH": "events"}
    with Local(tmp_path, FLASK_APP="shop", **variables) as local:
        assert json.loads(local.request("GET", "/v1/where")[2]) == ["/v1", "/where", "/v1/where"]
        assert json.loads(local.request("GET", "/where")[2]) == ["", "/where", "/where"]
        assert local.request("GET", "/v10/where")[0] == 404
        for path in ("/events", "/events/", "/v1/events", "/%65vents"):
            assert local.request("POST", path)[0] == 404


def test_an_application_is_served_without_the_routes_of_its_jobs(tmp_path):
    write(tmp_path, shop=SHOP)
    with Local(tmp_path, FLASK_APP="shop", DUALMODE_JOBS='{"queues": {"arn": "/events"}}') as local:
        assert local.request("GET", "/where")[0] == 200
        assert [local.request("POST", path)[0] for path in ("/events", "/EVENTS/")] == [404, 404]


@pytest.mark.parametrize("variables", [{}, {"AWS_LAMBDA_LOG_LEVEL": "INFO"}], ids=str)
def test_a_path_that_is_logged_can_t_pass_for_a_line_nor_colour_the_terminal(variables, tmp_path):
    write(tmp_path, shop=SHOP)
    with Local(tmp_path, FLASK_APP="shop", **variables) as local:
        assert local.request("GET", "/fail/a%0A%1B[31m[INFO]%20forged")[0] == 500
        local.wait_for("ZeroDivisionError: division by zero\n")
        log = local.log_file.read_text()
    assert r"Exception on /fail/a\n\x1b[31m[INFO] forged [GET]" in log
    assert "\x1b[31m[INFO]" not in log


def test_middleware_leads_no_client_to_the_events_in_local_mode_either(tmp_path):
    write(
        tmp_path,
        shop=SHOP,
        behind="""
        from shop import app

        class Script:
            def __init__(self, app):
                self.app = app

            def __call__(self, environ, start_response):
                environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/foo_")
                return self.app(environ, start_response)

        app.wsgi_app = Script(app.wsgi_app)
        """,
    )
    with Local(tmp_path, FLASK_APP="behind:app", DUALMODE_EVENTS_PATH="/events") as local:
        assert local.request("GET", "/foo_where")[0] == 200
        assert [local.request("POST", path)[0] for path in ("/foo_events", "/foo_/events")] == [404, 404]


def test_the_variable_turns_debugging_on_and_nothing_else(tmp_path):
    write(tmp_path, shop=SHOP)
    with Local(tmp_path, FLASK_APP="shop") as local:
        assert local.request("GET", "/debug")[2] == b"False"
        status, _, page = local.request("GET", "/fail")
        assert (status, b"ZeroDivisionError" in page) == (500, False)


def test_with_debugging_a_change_is_reloaded_and_a_mistake_in_it_is_shown_and_mended(tmp_path):
    def change(text, expected, status=200):
        """Writes the file until that is noticed: the reloader looks once a second, first some time after it serves."""
        deadline = time.monotonic() + 60
        while True:
            write(tmp_path, shop=f"from flask import Flask\napp = Flask(__name__)\napp.get('/')(lambda: {text})")
            for _ in range(40):
                with contextlib.suppress(OSError, http.client.HTTPException):
                    answered, _, body = local.request("GET", "/")
                    if answered == status and expected in body:
                        return
                time.sleep(0.05)
            assert time.monotonic() < deadline, local.log_file.read_text()[-2000:]

    write(tmp_path, shop="from flask import Flask\napp = Flask(__name__)")
    port = str(*free_ports(1))  # for a server that starts anew on each change, and so can't choose one itself
    with Local(tmp_path, FLASK_APP="shop.py", FLASK_DEBUG="1", PORT=port) as local:
        change("'two'", b"two")
        change("'three", b"SyntaxError", status=500)
        change("'four'", b"four")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("kind", ["flask", "asgi"])
def test_it_stops_at_once_when_it_is_told_to(number, kind, tmp_path):
    write(tmp_path, shop=SHOP, api="from fastapi import FastAPI\napp = FastAPI()")
    with Local(tmp_path, FLASK_APP={"flask": "shop", "asgi": "api"}[kind]) as local:
        a_client_that_stays = socket.create_connection(("127.0.0.1", local.port))
        with a_client_that_stays:
            local.process.send_signal(number)
            local.process.wait(30)


def test_a_server_that_a_script_starts_in_the_background_stops_on_sigint_too(tmp_path):
    """A shell without job control starts `command &` with SIGINT ignored, and what it starts inherits that."""
    write(tmp_path, shop=SHOP)
    with Local(tmp_path, prefix=("sh", "-c", "trap '' INT; exec \"$0\""), FLASK_APP="shop") as local:
        local.process.send_signal(signal.SIGINT)
        local.process.wait(30)


def test_an_asgi_application_is_served_by_uvicorn_at_its_base_path(tmp_path):
    write(
        tmp_path,
        api="""
        from fastapi import FastAPI
        app = FastAPI()
        app.get("/a")(lambda: "a")
        app.post("/events")(lambda: "reached")
        """,
    )
    variables = {"DUALMODE_BASE_PATH": "/v1", "DUALMODE_EVENTS_PATH": "/events"}
    with Local(tmp_path, FLASK_APP="api", **variables) as local:
        assert [local.request("GET", path)[::2] for path in ("/a", "/v1/a")] == [(200, b'"a"')] * 2
        assert local.request("POST", "/events")[0] == 404


def test_a_plain_wsgi_function_is_served_at_its_base_path(tmp_path):
    write(
        tmp_path,
        plain="""
        def app(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [environ["SCRIPT_NAME"].encode(), b" ", environ["PATH_INFO"].encode()]
        """,
    )
    variables = {"DUALMODE_BASE_PATH": "/v1", "DUALMODE_EVENTS_PATH": "/events"}
    with Local(tmp_path, FLASK_APP="plain", **variables) as local:
        assert [local.request("GET", path)[::2] for path in ("/a", "/v1/a")] == [(200, b" /a"), (200, b"/v1 /a")]
        assert local.request("POST", "/events")[0] == 404
        assert "Serving WSGI application 'plain'" in local.log_file.read_text()


def test_with_json_every_line_is_an_object_and_a_request_has_one(tmp_path):
    write(tmp_path, shop=SHOP + "    print('printed')\n    app.logger.info('informed')\n")
    with Local(tmp_path, FLASK_APP="shop", AWS_LAMBDA_LOG_FORMAT="JSON") as local:
        assert local.request("GET", "/debug?token=secret")[0] == 200
        assert local.request("GET", "/fail")[0] == 500
        local.wait_for("GET /fail 500")
        lines = [json.loads(line) for line in local.log_file.read_text().splitlines()]
    assert not any("\x1b" in line["message"] for line in lines)
    requests = [line for line in lines if line.get("logger") == "dualmode.access"]
    assert [(line["method"], line["path"], line["status"]) for line in requests] == [
        ("GET", "/debug", 200),
        ("GET", "/fail", 500),
    ]
    assert {"printed", "informed"} < {line["message"] for line in lines}
    assert [line["errorType"] for line in lines if "errorType" in line] == ["ZeroDivisionError"]
    assert "secret" not in local.log_file.read_text()


def test_the_log_level_decides_what_local_mode_logs(tmp_path):
    write(tmp_path, shop=SHOP.replace("app.debug = True", "app.logger.warning('warned')"))
    with Local(tmp_path, FLASK_APP="shop") as local:
        assert local.request("GET", "/debug")[0] == 200
        local.wait_for("GET /debug")
        assert "warned" in local.log_file.read_text()
    port = str(*free_ports(1))  # at this level, a server doesn't say which one it has chosen
    local = Local(tmp_path, FLASK_APP="shop", AWS_LAMBDA_LOG_LEVEL="ERROR", PORT=port)
    with contextlib.ExitStack() as stack:
        stack.push(local.__exit__)
        local.port = port
        local.wait_for("Serving Flask app")
        for _ in range(200):
            with contextlib.suppress(OSError):
                assert local.request("GET", "/fail")[0] == 500
                break
            time.sleep(0.02)
        local.wait_for("ZeroDivisionError")
        assert not re.search("warned|GET /fail HTTP", local.log_file.read_text())


def failure(folder, **variables):
    """How a process ends that can't start: its status and what it says."""
    variables = {"RUN_MODE": "local", "PORT": "0", "FLASK_RUN_HOST": "127.0.0.1"} | variables
    run = subprocess.run(
        [str(ENTRYPOINT)], cwd=folder, env=environment(**variables), capture_output=True, text=True, timeout=30
    )
    return run.returncode, run.stdout + run.stderr


def test_what_keeps_it_from_starting_is_one_sentence(tmp_path):
    shop = "from flask import Flask, request\napp = Flask(__name__)"
    write(tmp_path, shop=shop, api="async def app(scope, receive, send): ...", uvicorn="raise ImportError")
    assert failure(tmp_path, FLASK_APP="shop:web") == (
        1,
        f'FLASK_APP is "shop:web", but module shop ({tmp_path}/shop.py) has no web; it has app.\n',
    )
    for port in ("http", "99999"):
        sentence = f"PORT is {port}, but that is not a port number: set one from 0 to 65535.\n"
        assert failure(tmp_path, FLASK_APP="shop", PORT=port) == (1, sentence)
    assert failure(tmp_path, FLASK_APP="api:app") == (
        1,
        "An ASGI application needs uvicorn in local mode, and it is not installed:"
        " add it to the application's requirements.txt.\n",
    )


def test_an_error_of_the_application_s_own_code_is_shown_with_its_traceback(tmp_path):
    write(tmp_path, shop='raise RuntimeError("from their code")')
    status, text = failure(tmp_path, FLASK_APP="shop")
    assert (status, text.splitlines()[-1]) == (1, "RuntimeError: from their code")
    assert f'File "{tmp_path}/shop.py", line 1' in text


def test_a_port_that_is_taken_is_said_to_be(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        status, text = failure(tmp_path, PORT=port)
    assert status == 1
    assert f"Port {port} is in use" in text
