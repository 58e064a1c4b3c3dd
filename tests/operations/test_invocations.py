"""`invoke` and `manage`: events and management commands for the deployed function."""

import io
import json
import queue
import signal
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.operations.conftest import NAME


def test_a_management_command_runs_in_the_function(in_sandbox):
    done = in_sandbox("manage", "--command", "routes --sort rule")
    assert done.status == 0
    assert "/hello" in done.out
    assert done.err.startswith(f"flask routes --sort rule in {NAME}:live ...\nExit status 0, version ")


def test_a_failing_command_fails(in_sandbox):
    done = in_sandbox("manage", "--command", "nothing", "--json")
    assert done.status == 1
    assert done.document["exit_code"] == 2
    assert "No such command 'nothing'" in done.document["output"]


def test_a_function_that_allows_no_commands_is_told_apart_before_it_is_invoked(live, in_sandbox):
    version = live.publish(DUALMODE_ALLOW_COMMANDS="0")
    done = in_sandbox("manage", "--command", "routes", "--qualifier", version)
    assert (done.status, done.out) == (1, "")
    assert done.err == (
        "operations: The function runs no commands, since DUALMODE_ALLOW_COMMANDS is not 1 in its environment: set it "
        "with `pulumi config set --path environment.DUALMODE_ALLOW_COMMANDS 1`, and run `pulumi up`.\n"
    )


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("", "The command is empty: give the words that follow `flask`, as in 'db upgrade' (make: CMD)."),
        ("db 'upgrade", """The command is "db 'upgrade", but a quote in it is not closed."""),
    ],
)
def test_what_is_no_command_is_said(in_sandbox, command, sentence):
    done = in_sandbox("manage", "--command", command)
    assert (done.status, done.err) == (2, f"operations: {sentence} See python -m operations --help.\n")


def test_an_events_result_is_printed(in_sandbox, tmp_path):
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"flask": ["routes"]}))
    done = in_sandbox("invoke", str(event))
    assert (done.status, json.loads(done.out)["exit_code"]) == (0, 0)
    assert "report, " in done.err


def test_a_function_that_fails_is_said_with_its_error_and_log(in_sandbox, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"Records": []}')))
    done = in_sandbox("invoke", "-")
    assert (done.status, done.out) == (1, "")
    assert "\nreport, error" in done.err
    assert "operations: The function failed with EventError: This event is not an HTTP request" in done.err


@pytest.fixture
def silent():
    """An AWS that takes each call and never answers; and the calls that it took."""
    taken = queue.Queue()
    ended = threading.Event()

    class Silent(BaseHTTPRequestHandler):
        def do_POST(self):
            taken.put(self.path)
            ended.wait(60)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}", taken
    ended.set()
    server.shutdown()
    server.server_close()


def test_ctrl_c_says_that_the_function_still_runs(program, silent, tmp_path, monkeypatch):
    address, taken = silent
    (tmp_path / "event.json").write_text("{}")
    with program("invoke", str(tmp_path / "event.json"), AWS_ENDPOINT_URL=address) as process:
        assert taken.get(timeout=60) == f"/2015-03-31/functions/{NAME}/invocations?Qualifier=live"
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == (
            "operations: Interrupted; the function may still be running, and ends by itself: `make logs` shows what it "
            "did.\n"
        )
        assert process.wait(60) == 130


def test_an_event_is_never_sent_twice(operate, tmp_path, monkeypatch):
    (tmp_path / "event.json").write_text("{}")
    taken = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            while True:
                connection, _ = server.accept()
                with connection:
                    if not connection.recv(65536):
                        return
                    taken.append(connection)

        thread = threading.Thread(target=hang_up)
        thread.start()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        done = operate("invoke", str(tmp_path / "event.json"), "--function", NAME, "--region", "us-east-1")
        socket.create_connection(server.getsockname()).close()
        thread.join()
    assert (done.status, len(taken)) == (1, 1)
    assert done.err.startswith("operations: AWS does not answer (Connection was closed before we received a valid")


@pytest.mark.parametrize("content", [None, "not JSON"])
def test_what_is_no_event_is_never_sent(operate, tmp_path, content):
    event = tmp_path / "event.json"
    if content is not None:
        event.write_text(content)
    done = operate("invoke", str(event), "--function", "nobody", "--region", "us-east-1")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"operations: {event}")
