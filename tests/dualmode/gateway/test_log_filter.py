"""What Lambda drops of a function's log, and gateway mode too.

Source: "Log-level filtering", Lambda Developer Guide.
"""

import json
import os

import pytest

from dualmode.gateway.lambda_.log_filter import LEVELS, at_least
from dualmode.gateway.lambda_.log_stream import LogStream
from tests.support.gateways import Log, event, gateway
from tests.support.waiting import until


def line(level):
    return json.dumps({"level": level, "message": "x"}).encode() + b"\n"


@pytest.mark.parametrize("lowest", LEVELS)
def test_objects_below_the_level_are_dropped(lowest):
    kept = [level for level in LEVELS if at_least(lowest)(line(level))]
    assert kept == list(LEVELS[LEVELS.index(lowest) :])


def test_a_level_is_written_in_any_case_and_in_the_words_of_pythons_logging():
    kept = at_least("warn")
    assert [kept(line(level)) for level in ("info", "Warn", "WARNING", "critical")] == [False, True, True, True]


@pytest.mark.parametrize("printed", [{"message": "x"}, {"level": None}, {"level": 3}, {"level": "loud"}])
def test_an_object_without_a_level_counts_as_info(printed):
    printed = json.dumps(printed).encode()
    assert (at_least("INFO")(printed), at_least("WARN")(printed)) == (True, False)


@pytest.mark.parametrize("printed", [b"plain\n", b"{broken\n", b"{" * 100_000, b'["level"]\n', b"\n"])
def test_what_is_not_an_object_is_kept(printed):
    assert at_least("FATAL")(printed)


def test_lines_are_dropped_from_the_log_and_from_its_tail_wherever_a_read_ends():
    out, into = os.pipe()
    os.set_blocking(out, False)
    log = Log()
    stream = LogStream(log.write, at_least("ERROR"))
    stream.attach(out)
    stream.record()
    info, error = line("INFO"), line("ERROR")
    for piece in (info + error[:9], error[9:] + b"plain\n" + info[:-1]):
        os.write(into, piece)
        stream.pump()
    stream.write("platform\n")
    os.close(into)
    os.close(out)
    assert log.data == stream.recorded() == error + b"plain\nplatform\n"


def test_a_function_s_lines_below_the_level_are_not_in_the_gateway_s_log(tmp_path):
    lines = (line("INFO") + line("ERROR")).decode()
    with gateway(tmp_path, AWS_LAMBDA_LOG_FORMAT="JSON", AWS_LAMBDA_LOG_LEVEL="ERROR") as made:
        made.invoke(event("write", lines))
        until(lambda: "platform.report" in made.log.read_text())
        assert [found for found in lines.splitlines() if found in made.log.read_text()] == [lines.splitlines()[1]]
