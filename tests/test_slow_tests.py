"""A run that leaves slow tests out says so: `make test` without ARGS does, `make check` doesn't."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONFTEST = """
import pytest
from tests.support.slow_tests import SlowTests

def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes long")
    config.pluginmanager.register(SlowTests())
"""
TESTS = """
import pytest

@pytest.mark.parametrize("kind", ["one", pytest.param("two", marks=pytest.mark.slow)])
def test_of_many_kinds(kind):
    pass

@pytest.mark.slow
def test_that_repeats():
    pass

def test_at_once():
    pass
"""


@pytest.fixture
def run(tmp_path):
    """Runs a small repository's tests with further options; the lines of what pytest printed."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_kinds.py").write_text(TESTS)
    (tmp_path / "test_more.py").write_text("def test_more():\n    pass\n")

    def run(*options):
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            f"--rootdir={tmp_path}",
            tmp_path,
        ]
        done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()

    return run


@pytest.mark.parametrize("spread", [[], ["--numprocesses", "2", "--dist", "loadfile"]], ids=["one", "two"])
def test_a_run_without_the_slow_tests_says_how_many_it_leaves_out(run, spread):
    lines = run("-m", "not slow", *spread)
    assert "2 tests marked slow are left out: make check runs them" in lines
    assert " 3 passed" in lines[-1]


def test_a_run_of_all_tests_says_nothing_of_slow_ones(run):
    assert [line for line in run() if "slow" in line] == []


def test_the_check_leaves_no_test_out(tmp_path):
    (tmp_path / "make").write_text('#!/bin/sh\nfor word in "$@"; do echo "told: $word"; done\n')
    (tmp_path / "make").chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([ROOT / ".ci" / "check"], env=environment, capture_output=True, text=True, timeout=60)
    told = [line.removeprefix("told: ") for line in done.stdout.splitlines() if line.startswith("told: ")]
    assert told[:2] == ["lint", "test"]
    options = told[2].removeprefix("ARGS=").split()
    assert [option.partition("=")[0] for option in options if option.startswith("-")] == [
        "--numprocesses",
        "--dist",
        "--no-loadscope-reorder",
        "--no-skips",
        "--random-order",
        "--random-order-seed",
        "--durations",
    ]
    assert [word for word in options if "test" in word] == []
