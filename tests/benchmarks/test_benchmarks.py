"""The benchmarks measure everybody, say what they compare, and count right; what they find is not tested."""

import json
import mmap
import re
import socket
import subprocess
import sys
import threading
import xml.etree.ElementTree as ElementTree
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import pytest

from benchmarks import cold_start, contenders, hello, installed_size
from benchmarks.cold_disk import ColdDisk
from benchmarks.figures import FIRST, Figure, Figures
from benchmarks.runtime import main
from benchmarks.stage import reserved
from benchmarks.stand_in import StandIn

ROOT = Path(__file__).parents[2]
NAMES = [contender.name for contender in contenders.ALL]
NUMBER = r"-?\d+(?:\.\d+)? ±\d+(?:\.\d+)?"
RATIO = r"-?\d+\.\d\d"


@pytest.fixture(scope="module")
def quick_run(tmp_path_factory):
    plot = tmp_path_factory.mktemp("plot") / "figures.svg"
    command = [sys.executable, "-m", "benchmarks.runtime", "--quick", "--rounds", "1", "--where"]
    command += ["--python", sys.executable, "--plot", str(plot)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done, plot


@pytest.mark.slow
@pytest.mark.parametrize("name", [contender.name for contender in contenders.ALL if contender.module])
def test_a_run_compares_ours_with_each_handler_in_process_at_start_and_warm(quick_run, name):
    row = next(line for line in quick_run[0].stdout.splitlines() if line.startswith(f"{name} "))
    measured = rf"\s+{NUMBER}\s+{RATIO}" * 5
    assert re.fullmatch(rf"{re.escape(name)}{measured}(\s+\d+\s+\d+\.\d){{2}}", row), row


@pytest.mark.slow
def test_a_run_measures_the_web_adapter_or_says_why_it_could_not(quick_run):
    row = next(line for line in quick_run[0].stdout.splitlines() if line.startswith("Web Adapter + gunicorn "))
    if "Web Adapter + gunicorn was not measured: " in quick_run[0].stdout:
        assert row.split() == ["Web", "Adapter", "+", "gunicorn", *["-"] * 14]
    else:
        assert re.fullmatch(
            rf"Web Adapter \+ gunicorn\s+-\s+-(\s+{NUMBER}\s+{RATIO}){{4}}(\s+\d+\s+\d+\.\d){{2}}", row
        ), row


@pytest.mark.slow
def test_a_run_compares_ours_with_itself_as_one(quick_run):
    row = next(line for line in quick_run[0].stdout.splitlines() if line.startswith("dualmode "))
    assert re.findall(r" (\d+\.\d\d)(?= )", row) == ["1.00", "1.00", "1.00", "1.00", "1.00"]


@pytest.mark.slow
def test_a_run_says_of_each_target_what_was_reached(quick_run):
    python = f"Python {sys.version.split()[0]}"
    targets = [line for line in quick_run[0].stdout.splitlines() if line.startswith("target: ")]
    assert len(targets) == 5
    assert re.fullmatch(
        rf"target: overhead at most apig-wsgi's: {python}: {RATIO}, (met|MISSED)",
        targets[0],
    )


@pytest.mark.slow
def test_a_run_says_where_our_start_goes_by_import(quick_run):
    where = quick_run[0].stdout.partition("imports timed")[2]
    assert re.search(r"^ +\d+\.\d\d ms  flask \(\d+\) +\d+\.\d\d ms  \S+$", where, re.MULTILINE), quick_run[0].stdout


@pytest.mark.slow
def test_a_run_says_what_our_start_is_without_the_bundle_of_its_modules(quick_run):
    before = re.search(r"^without the bundle of its modules: \d+\.\d ms", quick_run[0].stdout, re.MULTILINE)
    assert before, quick_run[0].stdout


@pytest.mark.slow
def test_ours_reads_fewer_files_from_a_cold_disk_than_any_other(quick_run):
    rows = [line.split() for line in quick_run[0].stdout.splitlines() if re.search(rf"{NUMBER}\s+{RATIO}", line)]
    files = [int(row[-4]) for row in rows]
    assert max(files[:2]) < min(files[2:]), rows


def test_files_that_were_dropped_from_memory_are_counted_when_they_are_read_again(tmp_path):
    files = [tmp_path / name for name in ("empty", "one", "two", "unread")]
    for pages, path in enumerate(files):
        path.write_bytes(bytes(pages * mmap.PAGESIZE))
    disk = ColdDisk(files)
    disk.drop()
    assert disk.read() == (0, 0)
    for path in files[:3]:
        path.read_bytes()
    assert disk.read() == (2, 3 * mmap.PAGESIZE)


@pytest.mark.slow
def test_a_run_draws_a_bar_for_whatever_it_measured(quick_run):
    done, plot = quick_run
    texts = [element.text for element in ElementTree.parse(plot).iter("{http://www.w3.org/2000/svg}text")]
    assert [text for text in texts if text in NAMES] == NAMES
    bars = len(list(ElementTree.parse(plot).iter("{http://www.w3.org/2000/svg}path")))
    table = done.stdout.partition("target:")[0]
    undrawn = 2 * len([line for line in table.splitlines() if re.search(NUMBER, line)])  # processor time and cold disk
    assert bars == len(re.findall(NUMBER, table)) - undrawn


def test_an_interpreter_that_is_not_there_is_one_sentence(capsys):
    assert main(["--quick", "--only", "apig-wsgi", "--python", "/nowhere/python3"]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("/nowhere/python3 doesn't run Python: ")


def test_a_contender_that_nobody_knows_is_refused_with_the_names_of_those_there_are(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--only", "zappa"])
    assert stopped.value.code == 2
    assert f"--only zappa: choose from {', '.join(NAMES)}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"statusCode": 200, "body": '{"message": "Hello from Flask!"}'}, ""),
        ({"statusCode": 200, "body": "eyJtZXNzYWdlIjoiSGVsbG8gZnJvbSBGbGFzayEifQ==", "isBase64Encoded": True}, ""),
        (
            {"statusCode": 404, "body": '{"message": "Hello from Flask!"}'},
            r'it answered {"statusCode": 404, "body": "{\"message\": \"Hello from Flask!\"}"}',
        ),
        ({"statusCode": 500, "body": "no"}, 'it answered {"statusCode": 500, "body": "no"}'),
        ({"statusCode": 200, "body": "{}"}, 'it answered {"statusCode": 200, "body": "{}"}'),
    ],
)
def test_a_measurement_counts_only_with_the_right_answer(result, reason):
    assert hello.wrong(result) == reason


def test_a_figure_is_the_median_and_half_of_the_middle_half():
    figures = figures_of({"dualmode": [10, 20, 30, 40, 50, 60, 1000]})
    assert figures.figure(FIRST, "dualmode") == Figure(40, 20)


def test_a_ratio_compares_within_each_round_so_that_a_busy_minute_slows_both():
    figures = figures_of({"dualmode": [10, 100, 12], "apig-wsgi": [20, 200, 20]})
    assert figures.ratio(FIRST, "apig-wsgi") == 0.5


def test_a_round_in_which_a_contender_failed_is_left_out_of_its_ratio():
    figures = figures_of({"dualmode": [10, 30], "apig-wsgi": [20]})
    assert figures.ratio(FIRST, "apig-wsgi") == 0.5


def test_a_contender_that_never_answered_has_neither_figure_nor_ratio():
    figures = figures_of({"dualmode": [10]})
    assert (figures.figure(FIRST, "apig-wsgi"), figures.ratio(FIRST, "apig-wsgi")) == (None, None)


def figures_of(samples):
    figures = Figures(python="Python 3.15.0", minor="3.15")
    for name, values in samples.items():
        for number, value in enumerate(values):
            times = {"ready_ms": value - 1, "first_ms": value, "cpu_ms": value, "warm_us": 300, "lines": 0}
            figures.add_start(number, name, times)
    return figures


def test_imports_are_read_from_what_python_writes_and_from_nothing_else():
    written = subprocess.run(
        [
            sys.executable,
            "-X",
            "importtime",
            "-c",
            "import sys, json.decoder; print('import time: soon', file=sys.stderr)",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    imports = cold_start.imports(written)
    assert {"json", "json.decoder"} <= imports.keys()
    assert all(milliseconds >= 0 for milliseconds in imports.values())
    assert "soon" not in imports


def test_a_size_counts_a_distribution_once_with_all_that_it_requires():
    assert installed_size.closure(["apig-wsgi", "flask", "Flask"]).keys() >= {
        "apig-wsgi",
        "flask",
        "werkzeug",
        "jinja2",
    }
    assert installed_size.closure(["flask"])["flask"].version == version("flask")


def test_a_size_counts_a_module_with_its_compiled_form(tmp_path):
    module = tmp_path / "module.py"
    module.write_text("VALUE = 1\n")
    alone = installed_size.file_size(module)
    subprocess.run([sys.executable, "-m", "compileall", "-q", tmp_path], check=True)
    (compiled,) = (tmp_path / "__pycache__").iterdir()
    assert (alone, installed_size.file_size(module)) == (10, 10 + compiled.stat().st_size)


def test_the_stand_in_hands_out_as_many_events_as_asked_and_keeps_the_first_result():
    stand_in = StandIn(hello.EVENT)
    session = stand_in.session(invocations=2)
    try:
        with client(stand_in) as (send, receive):
            for result in (b'{"statusCode": 200}', b'{"statusCode": 500}'):
                send(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n")
                headers, event = receive()
                assert json.loads(event) == hello.EVENT
                send(
                    b"POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                    b"%x\r\n%s\r\n0\r\n\r\n" % (headers["lambda-runtime-aws-request-id"].encode(), len(result), result)
                )
                receive()
            assert not session.finished.is_set()
            send(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n")
            assert session.finished.wait(10)
    finally:
        stand_in.close()
    assert (session.result, session.failure) == (b'{"statusCode": 200}', "")
    assert [len(each) for each in (session.asked, session.sent, session.answered)] == [3, 2, 2]
    assert session.sent[0] < session.answered[0] < session.sent[1] < session.answered[1]


def test_the_stand_in_keeps_the_reason_for_which_a_runtime_gave_up():
    stand_in = StandIn(hello.EVENT)
    session = stand_in.session(invocations=1)
    try:
        with client(stand_in) as (send, receive):
            send(b"POST /2018-06-01/runtime/init/error HTTP/1.1\r\nContent-Length: 2\r\n\r\nno")
            receive()
            assert session.finished.wait(10)
    finally:
        stand_in.close()
    assert session.failure == "POST /2018-06-01/runtime/init/error: no"


@contextmanager
def client(stand_in):
    host, port = stand_in.address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection, connection.makefile("rb") as stream:

        def receive():
            assert stream.readline().startswith(b"HTTP/1.1 20")
            headers = {}
            while (line := stream.readline()) != b"\r\n":
                name, _, value = line.decode().partition(": ")
                headers[name.lower()] = value.strip()
            return headers, stream.read(int(headers["content-length"]))

        yield connection.sendall, receive


def test_two_runs_do_not_share_a_stage(tmp_path):
    order = []
    waiting = threading.Event()

    def second():
        with reserved(tmp_path / "3.15.0", lambda text: (order.append(text.split(" under")[0]), waiting.set())):
            order.append("second")

    with reserved(tmp_path / "3.15.0", order.append):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(10)
        order.append("first is done")
    thread.join(10)
    assert order == ["waiting for another run", "first is done", "second"]
