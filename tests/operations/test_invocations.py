"""`invoke` and `manage`: events and management commands for the deployed function."""

import io
import json

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


@pytest.mark.parametrize("content", [None, "not JSON"])
def test_what_is_no_event_is_never_sent(operate, tmp_path, content):
    event = tmp_path / "event.json"
    if content is not None:
        event.write_text(content)
    done = operate("invoke", str(event), "--function", "nobody", "--region", "us-east-1")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"operations: {event}")
