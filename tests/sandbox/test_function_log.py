import json
import threading
import traceback

import pytest

from dualmode.gateway.http.message import Request
from sandbox.function_log import LogPart, tracebacks
from sandbox.notes import Notes

OURS, OTHERS = "80eaaa09-f574-4fe9-8aed-3e910b7fd39b", "11111111-f574-4fe9-8aed-3e910b7fd39b"


def fail(message="no"):
    try:
        raise RuntimeError(message)
    except RuntimeError as error:
        return error


def in_json(error, request_id=OURS, **more):
    """A record as awslambdaric writes it."""
    return json.dumps(
        {
            "timestamp": "2026-11-21T13:22:36Z",
            "level": "ERROR",
            "message": "Exception on /a [GET]",
            "stackTrace": traceback.format_tb(error.__traceback__),
            "errorType": type(error).__name__,
            "errorMessage": str(error),
            "requestId": request_id,
            **more,
        }
    )


def as_python_prints(error):
    return "".join(traceback.format_exception(error)).rstrip("\n").splitlines()


def in_text(error, request_id=OURS):
    return [
        f"[ERROR]\t2026-11-21T13:22:36Z\t{request_id}\tException on /a [GET]",
        *as_python_prints(error),
        "",
        f"END RequestId: {request_id}",
    ]


def printed(lines, request_id=OURS):
    """Lines that were printed, as objects."""
    return [
        json.dumps({"timestamp": "t", "level": "ERROR", "message": line, "requestId": request_id}) for line in lines
    ]


def chained():
    try:
        try:
            raise ValueError("first")
        except ValueError as error:
            raise RuntimeError("second") from error
    except RuntimeError as error:
        return error


@pytest.mark.parametrize("form", [lambda error: [in_json(error)], in_text, lambda error: printed(in_text(error))])
@pytest.mark.parametrize("message", ["no", "two\nlines"])
def test_a_traceback_reads_as_python_prints_it(form, message):
    error = fail(message)
    (found,) = tracebacks([*form(error), '{"type":"platform.report"}'], OURS)
    one_line = message == "no" or form(error)[0].startswith('{"timestamp": "2026')
    assert found == (as_python_prints(error) if one_line else as_python_prints(error)[:-1])


@pytest.mark.parametrize("form", [in_text, lambda error: printed(in_text(error))])
def test_a_cause_stays_with_what_it_caused(form):
    error = chained()
    assert tracebacks(form(error), OURS) == [as_python_prints(error)]


@pytest.mark.parametrize("form", [lambda error, number: [in_json(error, number)], in_text])
def test_what_other_requests_logged_is_left_out(form):
    lines = [*form(fail("theirs"), OTHERS), *form(fail("ours"), OURS), *form(fail("theirs"), OTHERS)]
    assert tracebacks(lines, OURS) == [as_python_prints(fail("ours"))]


def test_paths_are_those_of_the_image():
    lines = [
        "Traceback (most recent call last):",
        f'  File "/srv/me/.sandbox/images/{"a" * 64}/task/shop.py", line 3, in f',
        f'  File "/srv/me/.sandbox/images/{"a" * 64}/runtime/dualmode/handler.py", line 3, in f',
        '  File "/srv/me/.sandbox/venvs/bc16d049fe859082/lib/python3.11/site-packages/flask/app.py", line 1, in g',
        '  File "/srv/me and you/.sandbox/images/.new-a_1/task/shop.py", line 3, in f',
        f'  File "/srv/me/.sandbox/venvs/{"b" * 16}/application/lib/greet.py", line 3, in f',
        '  File "/srv/images/shoes/task/own.py", line 3, in f',
        'ValueError: "a" is not in (/srv/me and you/.sandbox/images/.new-a_1/task), nor in /static/images/shoes/task',
    ]
    assert tracebacks(lines) == [
        [
            "Traceback (most recent call last):",
            '  File "/var/task/shop.py", line 3, in f',
            '  File "/opt/dualmode/dualmode/handler.py", line 3, in f',
            '  File "/opt/venv/lib/python3.11/site-packages/flask/app.py", line 1, in g',
            '  File "/var/task/shop.py", line 3, in f',
            '  File "/var/task/lib/greet.py", line 3, in f',
            '  File "/srv/images/shoes/task/own.py", line 3, in f',
            'ValueError: "a" is not in (/var/task), nor in /static/images/shoes/task',
        ]
    ]


def test_a_log_is_waited_for_until_its_request_is_over(tmp_path):
    log = tmp_path / "shop-1.log"
    log.write_text("of an earlier request\n")
    part = LogPart(path=log, begin=log.stat().st_size, request_id=OURS)
    error = fail()

    def write():
        with log.open("a") as file:
            file.write("\n".join(in_text(error)) + "\n")

    threading.Timer(0.1, write).start()
    part.wait(10.0)
    assert part.traceback() == as_python_prints(error)


@pytest.mark.parametrize(
    "line",
    [
        f"REPORT RequestId: {OURS}\tDuration: 1800.25 ms\tBilled Duration: 1801 ms\tMemory Size: 512 MB\t",
        f'{{"time":"x","type":"platform.report","record":{{"requestId":"{OURS}","metrics":{{"durationMs":1800.25,"a":1}}}}}}',
    ],
    ids=["text", "JSON"],
)
def test_the_duration_of_a_request_is_that_of_its_own_report(tmp_path, line):
    log = tmp_path / "shop-7.log"
    log.write_text(line.replace(OURS, "another").replace("1800", "7") + "\n")
    part = LogPart(path=log, begin=0, request_id=OURS)
    assert part.duration() is None
    with log.open("a") as file:
        file.write(line + "\n")
    assert part.duration() == 1800.25


def test_what_a_function_logs_of_one_request_is_told_without_what_the_sandbox_adds(tmp_path):
    log = tmp_path / "shop-1.log"
    log.write_text("of an earlier request\n")
    part = LogPart(path=log, begin=log.stat().st_size, request_id=OURS)
    with log.open("a") as file:
        file.write("\n".join(["gateway: Advice.", "sandbox: refused write\ta\tb", *printed(["ours"])]) + "\n")
        file.write("\n".join(printed(["theirs"], OTHERS)) + "\n")
        file.write(f"[INFO] {tmp_path}/images/{'a' * 64}/task/shop.py\n")
    assert part.lines() == ["ours", "[INFO] /var/task/shop.py"]


def refused(path, number=30, text="Read-only file system"):
    frames = [
        f'  File "/s/images/{"b" * 64}/task/shop.py", line 12, in save\n    path.write_text("x")\n',
        '  File "/usr/lib/python3.11/pathlib.py", line 1, in open\n    return io.open()\n',
    ]
    return json.dumps(
        {"stackTrace": frames, "errorType": "OSError", "errorMessage": f"[Errno {number}] {text}: {path!r}"}
    )


WAY_OUT = (
    "Lambda's disk is read-only except for /tmp, which has 512 MB and is lost with the environment. "
    "Write only temporary files to /tmp, and keep the rest in S3 or DynamoDB."
)


WEBSOCKET = (
    "A client asks for a WebSocket: an HTTP API has none, and the application gets a plain GET. Have the page ask "
    "again, use API Gateway's WebSocket APIs beside this, or run it in a container service."
)
PENDING = (
    "A task goes on after the response: Lambda freezes it until the next request, which may be never. Finish the work "
    "before you respond, or send it to a queue such as SQS."
)


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (refused("data.txt"), f"data.txt can't be written (shop.py, line 12): {WAY_OUT}"),
        (refused("/s/x.txt"), f"/s/x.txt can't be written (shop.py, line 12): {WAY_OUT}"),
        (
            refused("/var/task/instance", 13, "Permission denied"),
            f"/var/task/instance can't be written (shop.py, line 12): {WAY_OUT}",
        ),
        (refused("/etc/netrc", 13, "Permission denied"), None),
        (
            json.dumps(
                {
                    "stackTrace": ['  File "/var/task/db.py", line 3, in f\n'],
                    "errorType": "OperationalError",
                    "errorMessage": "attempt to write a readonly database",
                }
            ),
            f"A database can't be written (db.py, line 3): {WAY_OUT}",
        ),
        (
            json.dumps(
                {
                    "stackTrace": [
                        '  File "/opt/venv/lib/python3.15/site-packages/flask/app.py", line 1, in f\n',
                        '  File "/opt/venv/lib/python3.15/site-packages/whoosh/store.py", line 3, in f\n',
                        '  File "/opt/venv/lib/python3.15/site-packages/werkzeug/files.py", line 5, in f\n',
                    ],
                    "errorType": "OSError",
                    "errorMessage": "[Errno 30] Read-only file system: 'index'",
                }
            ),
            f"index can't be written (package whoosh, whoosh/store.py, line 3): {WAY_OUT}",
        ),
        (
            "sandbox: refused write\t/var/task/a.txt\tshop.py, line 3",
            f"/var/task/a.txt can't be written (shop.py, line 3): {WAY_OUT}",
        ),
        ("gateway: Do something else.", "Do something else."),
        (f"[WARNING]\t2026-11-21T15:00:00.000Z\tid\t{PENDING}", PENDING),
        (json.dumps({"level": "WARNING", "message": PENDING, "logger": "dualmode", "requestId": "id"}), PENDING),
        ("gateway: http://127.0.0.1:1 is the HTTP API, http://127.0.0.1:2 takes events", None),
        (in_json(fail()), None),
    ],
)
def test_what_a_developer_should_know_is_said_once(tmp_path, record, sentence):
    notes = Notes(tmp_path)
    log = tmp_path / "shop-1.log"
    log.write_text(f"{record}\n{record}\n")
    assert notes.new() == ([] if sentence is None else [sentence])
    log.write_text(f"{record}\n{record}\n{record}\n")
    assert notes.new() == []


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ((("Connection", "Upgrade"), ("upgrade", "WebSocket")), [WEBSOCKET]),
        ((("Connection", "Upgrade"), ("Upgrade", "h2c")), []),
        ((), []),
    ],
)
def test_a_request_for_a_websocket_is_said_once(tmp_path, headers, said):
    notes = Notes(tmp_path)
    for _ in range(2):
        notes.asked(Request(method="GET", target="/ws", headers=headers))
    assert notes.new() == said
    notes.asked(Request(method="GET", target="/ws", headers=headers))
    assert notes.new() == []


def test_a_traceback_is_read_when_it_is_whole(tmp_path):
    notes = Notes(tmp_path)
    lines = [
        "Traceback (most recent call last):",
        '  File "/var/task/a.py", line 1, in f',
        "OSError: [Errno 30] R: 'b'",
    ]
    for count in (1, 2):
        (tmp_path / "shop-1.log").write_text("".join(f"{line}\n" for line in lines[:count]))
        assert notes.new() == []
    (tmp_path / "shop-1.log").write_text("".join(f"{line}\n" for line in lines))
    assert notes.new() == [f"b can't be written (a.py, line 1): {WAY_OUT}"]


def test_a_log_that_begins_anew_is_read_from_its_beginning(tmp_path):
    notes = Notes(tmp_path)
    (tmp_path / "shop-1.log").write_text("gateway: The first start, with a long line.\n")
    assert notes.new() == ["The first start, with a long line."]
    (tmp_path / "shop-1.log").write_text("gateway: The next.\n")
    assert notes.new() == ["The next."]


def test_the_logs_of_earlier_runs_are_not_read(tmp_path):
    (tmp_path / "shop-1.log").write_text("gateway: Earlier.\n")
    notes = Notes(tmp_path)
    assert notes.new() == []


def test_a_write_that_is_told_in_two_ways_is_said_once(tmp_path):
    notes = Notes(tmp_path)
    told = "sandbox: refused write\tdata.txt\tshop.py, line 12"
    (tmp_path / "shop-1.log").write_text(f"{told}\n{refused('/s/data.txt')}\n")
    assert notes.new() == [f"data.txt can't be written (shop.py, line 12): {WAY_OUT}"]
