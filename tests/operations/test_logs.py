"""`logs`: what the function and its API logged, one request in both, and following until Ctrl-C."""

import json
import re
import signal
import time
import urllib.request

import pytest

from operations.log_events import LogEvent
from operations.log_record import parse
from tests.support.waiting import until

GROUP = "/aws/lambda/dualmode-dev"


def ask(live, path):
    with urllib.request.urlopen(f"{live.address}{path}", timeout=60) as answer:
        return answer.headers["apigw-requestid"]


def put(live, *lines):
    logs = live.sandbox.account.client("logs")
    stream = f"2026/11/21/[7]{time.time_ns():x}"
    logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    events = [{"timestamp": int(time.time() * 1000), "message": line} for line in lines]
    logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)


def test_one_request_is_shown_in_both_logs_by_either_of_its_ids(live, in_sandbox):
    number = ask(live, "/hello")
    ask(live, "/")
    until(lambda: "GET /hello 200" in in_sandbox("logs", "--request", number).out and function_id(in_sandbox, number))
    lines = in_sandbox("logs", "--request", number).out.splitlines()
    assert sorted(line.split("  ")[1].strip() for line in lines) == ["api", "v1", "v1"]
    assert in_sandbox("logs", "--request", function_id(in_sandbox, number)).out.splitlines() == lines


def function_id(in_sandbox, number):
    found = re.search(rf"{re.escape(number)} ([0-9a-f-]{{36}})", in_sandbox("logs", "--request", number).out)
    shown = in_sandbox("logs", "--request", number).out
    return found[1] if found and shown.count(found[1]) == 3 else ""


def test_a_request_that_no_log_has_is_said(in_sandbox):
    done = in_sandbox("logs", "--request", "nobody-knows-it=")
    assert (done.status, done.out) == (1, "")
    assert done.err == (
        "operations: No log has the request nobody-knows-it=: look further back with --since 1d, or wait some "
        "seconds, which CloudWatch Logs takes to show a line.\n"
    )


def test_an_error_is_shown_with_its_traceback_and_a_filter_selects_it(live, in_sandbox):
    frames = ['  File "/var/task/shop.py", line 3, in buy\n    1 / 0\n']
    error = {"level": "ERROR", "message": "no stock", "requestId": "r-1", "errorType": "ZeroDivisionError"}
    put(live, json.dumps({**error, "errorMessage": "division by zero", "stackTrace": frames}))
    shown = in_sandbox("logs", "--source", "function", "--filter", '"no stock"').out.splitlines()
    assert [re.sub(r"^[\d:.]+  ", "", line) for line in shown] == [
        "v7        ERROR no stock  r-1",
        "    Traceback (most recent call last):",
        '      File "/var/task/shop.py", line 3, in buy',
        "        1 / 0",
        "    ZeroDivisionError: division by zero",
    ]


def test_json_has_one_object_a_line(live, in_sandbox):
    put(live, json.dumps({"level": "INFO", "message": "once only", "requestId": "r-2"}))
    done = in_sandbox("logs", "--source", "function", "--filter", '"once only"', "--json")
    said = done.document
    assert (said["source"], said["version"]) == ("function", "7")
    assert said["event"] == {"level": "INFO", "message": "once only", "requestId": "r-2"}


def test_what_is_older_than_since_is_left_out(live, in_sandbox):
    put(live, json.dumps({"level": "INFO", "message": "just now"}))
    assert "just now" in in_sandbox("logs", "--since", "5m").out
    assert "just now" not in in_sandbox("logs", "--since", "0s").out


def test_following_shows_what_comes_and_ends_well_with_ctrl_c(live, program):
    with program("logs", "--follow", "--since", "0s", "--source", "function") as process:
        assert process.stderr.readline() == f"Following {GROUP}; Ctrl-C ends it.\n"
        put(live, json.dumps({"level": "WARN", "message": "while followed"}))
        assert process.stdout.readline().endswith("v7        WARN  while followed\n")
        put(live, json.dumps({"level": "WARN", "message": "and then"}))
        assert process.stdout.readline().endswith("v7        WARN  and then\n")
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == "No longer following; nothing was changed.\n"
        assert process.wait(60) == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--since", "ten"], "--since takes a number with s, m, h or d, as in 10m, not 'ten'."),
        (["--request", "x" * 8, "--follow"], "--request is for one request: use it without --follow and --filter."),
        (["--source", "dns"], "Argument --source: invalid choice: 'dns' (choose from"),
    ],
)
def test_wrong_usage_is_said(in_sandbox, words, sentence):
    done = in_sandbox("logs", *words)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"operations: {sentence}")


@pytest.mark.parametrize(
    ("source", "message", "lines"),
    [
        (
            "api",
            {
                "requestId": "a=",
                "functionRequestId": "f",
                "method": "GET",
                "path": "/x",
                "status": "503",
                "responseLatency": "12",
                "error": "-",
                "integrationError": "The function timed out",
            },
            ["00:00:01.500  api       GET /x 503, 12 ms, The function timed out  a= f"],
        ),
        (
            "function",
            {
                "type": "platform.report",
                "record": {"requestId": "f", "status": "timeout", "metrics": {"durationMs": 29000}},
            },
            ["00:00:01.500  v3        report, timeout, 29000 ms  f"],
        ),
        ("function", "START of nothing\nsecond", ["00:00:01.500  v3        START of nothing", "    second"]),
        ("function", {"level": "INFO", "message": "a\nb"}, ["00:00:01.500  v3        INFO  a", "    b"]),
        ("function", '{"not": JSON', ['00:00:01.500  v3        {"not": JSON']),
    ],
)
def test_each_kind_of_event_is_readable(source, message, lines):
    text = message if isinstance(message, str) else json.dumps(message)
    event = LogEvent(timestamp=1500, stream="2026/11/21/[3]ab", message=text)
    assert parse(event, source).lines() == lines


def test_a_clients_control_characters_do_not_reach_the_terminal(live, in_sandbox):
    put(live, json.dumps({"level": "INFO", "message": "GET /\x1b[2J\u202e wiped"}))
    assert "GET /\\x1b[2J\\u202e wiped" in in_sandbox("logs", "--filter", '"wiped"').out
