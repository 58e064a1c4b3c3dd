"""What an application and its requests log: one JSON object a line, or Lambda's own lines of text."""

import io
import json
import logging
import os
import re
import sys
import threading
import time
from urllib.parse import quote

import pytest
from awslambdaric import bootstrap
from hypothesis import given, settings
from hypothesis import strategies as st

from dualmode import logs
from tests.support.emulator import Emulator, write
from tests.support.events import make_event

APP = """
    import logging, sys, threading, traceback, warnings
    from flask import Flask, request
    app = Flask(__name__)

    @app.post("/loud")
    def loud():
        print("begun", end="")
        app.logger.warning("warned %s", "by Flask")
        logging.getLogger("mine").info("informed", extra={"order": 7})
        print("printed")
        print("two", "lines", sep="\\n")
        print('{"already": "json"}')
        print('{"message": "forged", "requestId": "another", "traceId": "1-0", "n": 1.50}')
        sys.stderr.write("complained\\n")
        warnings.warn("deprecated")
        print("unfinished", end="")
        return "ok"

    @app.get("/fail")
    def fail():
        raise ValueError("broken")

    @app.get("/thread")
    def thread():
        background = threading.Thread(target=lambda: 1 / 0, name="background")
        background.start()
        background.join()
        return "ok"
"""
TRACE = "1-67fd8860-650d70a10ef73c6b16106e8d"
REQUESTS = [
    make_event(
        method="POST",
        path="/loud",
        query="token=secret-in-query",
        headers={"authorization": "secret-in-header"},
        cookies=["session=secret-in-cookie"],
        body="secret-in-body",
    ),
    make_event(path="/fail"),
    make_event(path="/thread"),
]


def logged(rie, folder, last="GET /thread 200", **variables):
    write(folder, shop=APP)
    with Emulator(rie, folder, folder / "log", FLASK_APP="shop", PYTHONWARNINGS="default", **variables) as function:
        statuses = [function.invoke(request)["statusCode"] for request in REQUESTS]
        assert statuses == [200, 500, 200]
        return function.lines(last=last)


@pytest.fixture(scope="module")
def json_lines(rie, tmp_path_factory):
    return logged(rie, tmp_path_factory.mktemp("json"), AWS_LAMBDA_LOG_FORMAT="JSON")


@pytest.fixture(scope="module")
def text_lines(rie, tmp_path_factory):
    return logged(rie, tmp_path_factory.mktemp("text"), AWS_LAMBDA_LOG_LEVEL="INFO")


def test_with_json_every_line_is_an_object_with_the_ids_of_its_request(json_lines):
    objects = [json.loads(line) for line in json_lines]
    for each in objects:
        if "already" in each or each["message"] == "forged":
            each["timestamp"] = "2026-11-21T12:00:00Z"  # an application's own objects get no more than ids
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", each["timestamp"])
        assert re.fullmatch("[0-9a-f-]{36}", each["requestId"])
        assert each["traceId"] == TRACE
    assert len({each["requestId"] for each in objects}) == 3


def test_with_json_whatever_logs_or_prints_is_there_once_in_order(json_lines):
    objects = [json.loads(line) for line in json_lines]
    seen = [(each.get("level"), each.get("logger"), each.get("message", "").partition(": ")[0]) for each in objects]
    warning = next(each for each in objects if each.get("logger") == "py.warnings")
    assert [entry for entry in seen if entry[1] != "py.warnings"] == [
        ("INFO", None, "begun"),
        ("WARNING", "shop", "warned by Flask"),
        ("INFO", "mine", "informed"),
        ("INFO", None, "printed"),
        ("INFO", None, "two"),
        ("INFO", None, "lines"),
        (None, None, ""),
        (None, None, "forged"),
        ("ERROR", None, "complained"),
        ("INFO", None, "unfinished"),
        ("INFO", "dualmode.access", "POST /loud 200"),
        ("ERROR", "shop", "Exception on /fail [GET]"),
        ("INFO", "dualmode.access", "GET /fail 500"),
        ("ERROR", "dualmode", "Uncaught exception in background"),
        ("INFO", "dualmode.access", "GET /thread 200"),
    ]
    assert "UserWarning: deprecated" in warning["message"]
    assert next(each for each in objects if each.get("logger") == "mine")["order"] == 7


def test_with_json_an_exception_is_one_object_with_its_traceback(json_lines):
    objects = [json.loads(line) for line in json_lines]
    (failed, in_thread) = [each for each in objects if "stackTrace" in each]
    assert (failed["errorType"], failed["errorMessage"]) == ("ValueError", "broken")
    assert 'raise ValueError("broken")' in failed["stackTrace"][-1]
    assert in_thread["errorType"] == "ZeroDivisionError"


def test_a_request_is_one_line_with_its_method_path_status_and_duration(json_lines):
    (line, *_) = [each for each in map(json.loads, json_lines) if each.get("logger") == "dualmode.access"]
    duration = line.pop("durationMs")
    assert 0 < duration < 60_000
    assert {**line, "timestamp": "", "requestId": ""} == {
        "timestamp": "",
        "level": "INFO",
        "message": "POST /loud 200",
        "logger": "dualmode.access",
        "requestId": "",
        "traceId": TRACE,
        "method": "POST",
        "path": "/loud",
        "status": 200,
    }


def test_as_text_the_lines_are_lambda_s_own_and_each_ends_where_the_next_begins(text_lines):
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z\t[0-9a-f-]{36}\t"
    assert re.fullmatch(rf"begun\[WARNING\]\t{stamp}warned by Flask", text_lines[0])
    assert re.fullmatch(rf"\[INFO\]\t{stamp}informed", text_lines[1])
    assert text_lines[2:5] == ["printed", "two", "lines"]
    assert text_lines[text_lines.index("ValueError: broken") + 1].startswith("[INFO]")
    requests = [line for line in text_lines if re.match(rf"\[INFO\]\t{stamp}(GET|POST) ", line)]
    assert [re.sub(rf"\[INFO\]\t{stamp}|[\d.]+ ms ", "", line) for line in requests] == [
        f"GET /fail 500 {TRACE}",
        f"GET /thread 200 {TRACE}",
    ]


def test_nothing_that_a_client_sent_but_the_path_is_logged(json_lines, text_lines):
    assert not [line for line in [*json_lines, *text_lines] if "secret" in line]


@pytest.mark.parametrize("log_format", ["JSON", "Text"])
def test_a_level_is_kept_by_the_application_and_by_the_requests(log_format, rie, tmp_path):
    lines = logged(
        rie, tmp_path, AWS_LAMBDA_LOG_FORMAT=log_format, AWS_LAMBDA_LOG_LEVEL="ERROR", last="ZeroDivisionError"
    )
    assert not [line for line in lines if "warned" in line or "informed" in line or "POST /loud" in line]
    assert [line for line in lines if "Exception on /fail" in line]
    if log_format == "JSON":
        assert "unfinished" in [json.loads(line).get("message") for line in lines]


@pytest.mark.parametrize(
    ("variables", "level"),
    [
        ({}, ""),
        ({"AWS_LAMBDA_LOG_FORMAT": "JSON"}, "INFO"),
        ({"AWS_LAMBDA_LOG_FORMAT": "json", "AWS_LAMBDA_LOG_LEVEL": "warn"}, "WARN"),
        ({"AWS_LAMBDA_LOG_LEVEL": "TRACE"}, "DEBUG"),
        ({"AWS_LAMBDA_LOG_LEVEL": "FATAL"}, "CRITICAL"),
        ({"AWS_LAMBDA_LOG_LEVEL": "loudly"}, ""),
    ],
)
def test_the_level_is_the_one_of_lambda_s_own_variable(variables, level):
    assert logs.level(variables) == level


@pytest.mark.parametrize(
    ("variables", "requests"),
    [
        ({}, False),
        ({"AWS_LAMBDA_LOG_LEVEL": "INFO"}, True),
        ({"AWS_LAMBDA_LOG_LEVEL": "WARN"}, False),
        ({"AWS_LAMBDA_LOG_FORMAT": "JSON"}, True),
        ({"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "ERROR"}, False),
    ],
)
def test_requests_are_logged_as_objects_or_where_a_level_asks_for_them(variables, requests):
    written = []
    logs.AccessLog(variables, written.append).write("GET", "/a", 200, 0.001)
    assert bool(written) is requests


def test_a_method_and_ids_that_would_break_out_of_their_line_do_not(monkeypatch):
    written = []
    monkeypatch.setattr(logs.current, "request_id", 'a"b')
    monkeypatch.setattr(logs.current, "trace", 'Root=1"\n;Parent=2')
    logs.AccessLog({"AWS_LAMBDA_LOG_FORMAT": "JSON"}, written.append).write('GET"\n', "/a", 200, 0.00123)
    logs.AccessLog({"AWS_LAMBDA_LOG_LEVEL": "INFO"}, written.append).write('GET"\n', "/a", 200, 0.00123)
    as_json, as_text = written
    assert json.loads(as_json) | {"timestamp": ""} == {
        "timestamp": "",
        "level": "INFO",
        "message": 'GET"\n /a 200',
        "logger": "dualmode.access",
        "requestId": 'a"b',
        "traceId": '1"\n',
        "method": 'GET"\n',
        "path": "/a",
        "status": 200,
        "durationMs": 1.23,
    }
    assert as_text.count("\n") == 1


@settings(deadline=None)
@given(
    method=st.text(min_size=1),
    request_id=st.text(min_size=1),
    trace_id=st.text(min_size=1).filter(lambda text: ";" not in text and "Root=" not in text),
    path=st.text(st.characters(codec="utf-8"), min_size=1).map(quote),
    status=st.integers(100, 999),
    seconds=st.floats(0, 900),
)
def test_whatever_a_request_has_its_line_is_one_object_that_says_it(
    method, request_id, trace_id, path, status, seconds
):
    written = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs.current, "request_id", request_id)
        patch.setattr(logs.current, "trace", f"Root={trace_id};Sampled=1")
        logs.AccessLog({"AWS_LAMBDA_LOG_FORMAT": "JSON"}, written.append).write(method, path, status, seconds)
    (line,) = written
    assert line.isascii()
    assert line.index("\n") == len(line) - 1
    members = json.loads(line)
    assert members.pop("durationMs") == pytest.approx(seconds * 1000, abs=0.0051)
    assert members | {"timestamp": ""} == {
        "timestamp": "",
        "level": "INFO",
        "message": f"{method} {path} {status}",
        "logger": "dualmode.access",
        "requestId": request_id,
        "traceId": trace_id,
        "method": method,
        "path": path,
        "status": status,
    }


@pytest.fixture
def _invocation(monkeypatch):
    monkeypatch.setattr(logs.current, "request_id", "real")
    monkeypatch.setattr(logs.current, "trace", "Root=1-2;Parent=3")


REAL = '"requestId": "real", "traceId": "1-2"}'


@pytest.mark.parametrize(
    ("printed", "written"),
    [
        ('{"a": 1.50, "b": "\\u00e9é"}', '{"a": 1.50, "b": "\\u00e9é", ' + REAL),
        ("{}", "{" + REAL),
        ('{"a":1 } ', '{"a":1, ' + REAL),
        ('{"a": {"requestId": "x"}}', '{"a": {"requestId": "x"}, ' + REAL),
        ('{"requestId": "x", "a": "é"}', '{"requestId": "real", "a": "é", "traceId": "1-2"}'),
        ('{"requestId": "x", "requestId": "y"}', "{" + REAL),
        ('{"request\\u0049d": "x", "traceId": ["y"]}', "{" + REAL),
    ],
)
@pytest.mark.usefixtures("_invocation")
def test_an_object_that_is_printed_stays_itself_but_for_the_invocation_s_ids(printed, written):
    stream = io.StringIO()
    logs.JsonLines(stream, "INFO").write(printed + "\n")
    assert stream.getvalue() == written + "\n"


@pytest.mark.parametrize(
    "printed", ['{"requestId": "x", "n": NaN}', '{"requestId": "x", "n": 1e999}', '{"a":' * 100_000, '{"a": 1} {}']
)
@pytest.mark.usefixtures("_invocation")
def test_what_is_printed_and_only_begins_like_an_object_is_a_message(printed):
    stream = io.StringIO()
    logs.JsonLines(stream, "INFO").write(printed + "\n")
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line) | {"timestamp": ""} == {
        "timestamp": "",
        "level": "INFO",
        "message": printed,
        "requestId": "real",
        "traceId": "1-2",
    }


def test_without_a_trace_no_other_one_can_be_claimed(monkeypatch):
    monkeypatch.setattr(logs.current, "request_id", "real")
    monkeypatch.setattr(logs.current, "trace", "")
    stream = io.StringIO()
    logs.JsonLines(stream, "INFO").write('{"traceId": "1-9", "a": 1}\n')
    assert stream.getvalue() == '{"a": 1, "requestId": "real"}\n'


def test_outside_an_invocation_an_object_is_written_as_it_is(monkeypatch):
    monkeypatch.setattr(logs.current, "request_id", "")
    stream = io.StringIO()
    logs.JsonLines(stream, "INFO").write('{"requestId": "own"}\n')
    assert stream.getvalue() == '{"requestId": "own"}\n'


FORGING = "/fail\n[INFO]\t2026-11-21T12:00:00Z\tforged \x1b[2J\r\x9b\u2028\u202e"
ESCAPED = r"/fail\n[INFO]" + "\t2026-11-21T12:00:00Z\tforged " + r"\x1b[2J\r"


def test_as_text_a_path_can_t_pass_for_a_line_in_flask_s_messages_nor_in_ours(rie, tmp_path):
    write(
        tmp_path,
        shop="""
        from flask import Flask
        app = Flask(__name__)
        app.register_error_handler(500, lambda error: 1 / 0)
        app.add_url_rule("/<name>", "fail", lambda name: [][1])
        """,
    )
    with Emulator(rie, tmp_path, tmp_path / "log", FLASK_APP="shop") as function:
        function.invoke(make_event(path=FORGING))
        lines = function.lines(last="ZeroDivisionError")
    said = [line.split("\t", 3) for line in lines if "Exception on " in line]
    assert [(level, message) for level, _, _, message in said] == [
        ("[ERROR]", rf"Exception on {ESCAPED}\x9b\u2028\u202e [GET]"),  # Flask's, before it asks the handler
        ("[ERROR]", rf"Exception on {ESCAPED}Â\x9bâ\x80¨â\x80® [GET]"),  # ours, of the path's bytes, when that fails
    ]
    assert [line for line in lines if line.startswith("[INFO]")] == []
    assert "IndexError: list index out of range" in lines  # tracebacks have their lines


@pytest.mark.parametrize("name", ["werkzeug", "uvicorn.error"])
def test_what_a_server_says_of_itself_keeps_its_lines_and_colours(name):
    record = logs._OneLineRecord(name, logging.INFO, "", 0, "\x1b[1mone\ntwo", (), None)
    assert record.getMessage() == "\x1b[1mone\ntwo"


@pytest.mark.parametrize(
    ("variables", "kind"),
    [({"AWS_LAMBDA_LOG_FORMAT": "JSON"}, 0xA55A000E), ({"AWS_LAMBDA_LOG_LEVEL": "INFO"}, 0xA55A000F)],
)
def test_where_the_platform_takes_frames_a_request_is_one(variables, kind, monkeypatch):
    reading, writing = os.pipe()
    root = logging.getLogger()
    for name in ("stdout", "stderr", "excepthook"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(logging, "_logRecordFactory", logging.getLogRecordFactory())
    with bootstrap.FramedTelemetryLogSink(writing) as sink:
        handler = bootstrap.LambdaLoggerHandler(sink)
        monkeypatch.setattr(root, "handlers", [handler])
        monkeypatch.setattr(root, "level", root.level)
        logs.set_up_lambda(variables).write("GET", "/a", 200, 0.001)
        logging.captureWarnings(False)
    frame = os.read(reading, 10_000)
    os.close(reading)
    assert (int.from_bytes(frame[:4], "big"), int.from_bytes(frame[4:8], "big")) == (kind, len(frame) - 16)
    assert b"GET /a 200" in frame[16:]


def test_a_line_that_another_thread_has_begun_stays_its_own():
    stream = io.StringIO()
    lines = logs.JsonLines(stream, "INFO")
    begun, go_on = threading.Event(), threading.Event()

    def talk():
        lines.write("one ")
        begun.set()
        go_on.wait(10)
        lines.write("line\n")

    thread = threading.Thread(target=talk)
    thread.start()
    begun.wait(10)
    lines.write("another\n")
    go_on.set()
    thread.join()
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["another", "one line"]


def test_a_wrapped_stream_still_is_one():
    assert logs.JsonLines(sys.__stdout__, "INFO").encoding == sys.__stdout__.encoding


def test_a_line_s_time_is_that_of_its_own_second(monkeypatch):
    seconds = iter([999_999_999.9, 1_000_000_000.0, 1_000_000_000.9])
    monkeypatch.setattr(time, "time", lambda: next(seconds))
    assert [logs.timestamp() for _ in range(3)] == [
        "2001-09-09T01:46:39Z",
        "2001-09-09T01:46:40Z",
        "2001-09-09T01:46:40Z",
    ]
