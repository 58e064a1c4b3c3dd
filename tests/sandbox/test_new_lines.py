"""What is new in functions' logs: each line is told once, also when a log begins anew with its function."""

import pytest

from sandbox.new_lines import NewLines


@pytest.fixture
def log(tmp_path):
    return tmp_path / "shop-1.log"


def write(log, text):
    with log.open("a") as file:
        file.write(text)


def test_each_line_is_told_once_when_it_is_complete(log):
    lines = NewLines(log.parent)
    write(log, "one\ntw")
    assert lines.read() == [(log, ["one"])]
    write(log, "o\nthree\n")
    assert lines.read() == [(log, ["two", "three"])]
    assert lines.read() == []


@pytest.mark.parametrize("text", ["new\n", "new: 1\n", "new, and longer than what there was before\n"])
def test_a_log_that_began_anew_is_told_from_its_begin_however_long_it_is_by_now(log, text):
    lines = NewLines(log.parent)
    write(log, "old: 1\n")
    assert lines.read() == [(log, ["old: 1"])]
    log.write_text(text)
    assert lines.read() == [(log, [text.strip()])]
    write(log, "more\n")
    assert lines.read() == [(log, ["more"])]


def test_the_log_of_an_earlier_run_is_told_once_its_function_runs_again(log):
    write(log, "earlier\n")
    lines = NewLines(log.parent)
    assert lines.read() == []
    log.write_text("now\n")
    assert lines.read() == [(log, ["now"])]


def test_a_traceback_is_told_as_a_whole(log):
    lines = NewLines(log.parent)
    write(log, "Traceback (most recent call last):\n  File a\n")
    assert lines.read() == []
    write(log, "ValueError: b\n")
    assert lines.read() == [(log, ["Traceback (most recent call last):", "  File a", "ValueError: b"])]
