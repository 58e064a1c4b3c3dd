"""The list of `make mutants` fits the source, and a mutant counts as killed only when a test has failed."""

import ast
import json
from pathlib import Path

import pytest

from tests.mutants.__main__ import main, report
from tests.mutants.mutant import Mutant, read
from tests.mutants.trial import KILLED, SURVIVED, TIMED_OUT, Outcome, run_tests

ROOT = Path(__file__).parents[1]
MUTANTS = read()


def test_there_are_at_least_sixty_mistakes_in_what_is_deployed():
    assert len({(mutant.file, mutant.old, mutant.new) for mutant in MUTANTS}) == len(MUTANTS) >= 60
    assert len({mutant.mistake for mutant in MUTANTS}) == len(MUTANTS)
    assert {mutant.file.partition("/")[0] for mutant in MUTANTS} == {"__main__.py", "dualmode", "infra"}
    assert "infra/Dockerfile" in {mutant.file for mutant in MUTANTS}


@pytest.mark.parametrize("file", sorted({mutant.file for mutant in MUTANTS}))
def test_each_mistake_has_its_place_in_the_source_once_and_leaves_a_program(file):
    text = (ROOT / file).read_text()
    for each in MUTANTS:
        if each.file == file:
            changed = each.applied(text)
            assert changed != text, each.mistake
            if file.endswith(".py"):
                ast.parse(changed)


def test_each_mistake_names_tests_that_there_are():
    named = {test.partition("[")[0] for mutant in MUTANTS for test in mutant.tests}
    there = {
        test
        for file in {test.partition("::")[0] for test in named}
        for test in (file, *(f"{file}::{name}" for name in functions_of(ROOT / file)))
    }
    assert named - there == set()


def functions_of(file):
    return [node.name for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)]


SOURCE = "LEAST, MOST = 1, 10\n\n\ndef takes(number):\n    return LEAST <= number <= MOST\n"
TESTS = """\
from limits import takes


def test_one_is_taken():
    assert takes(1)


def test_eleven_is_refused():
    assert not takes(11)
"""


@pytest.fixture
def mutants(tmp_path):
    """Runs mutants of a repository with one module and its tests; the status, and whether the source is as it was."""
    root = tmp_path / "repository"
    root.mkdir()
    (root / "limits.py").write_text(SOURCE)
    (root / "test_limits.py").write_text(TESTS)
    (root / "test_twelve.py").write_text("def test_twelve_is_taken():\n    assert False\n")

    def run(*entries, words=()):
        lines = []
        for entry in entries:
            given = {"file": "limits.py", "tests": ["test_limits.py"], **entry}
            lines += ["[[mutant]]", *(f"{key} = {json.dumps(value)}" for key, value in given.items())]
        path = tmp_path / "mutants.toml"
        path.write_text("\n".join(lines))
        status = main(list(words), root, path)
        return status, (root / "limits.py").read_text() == SOURCE

    return run


NOTICED = {"mistake": "eleven is taken", "old": "MOST = 1, 10", "new": "MOST = 1, 11"}
UNNOTICED = {"mistake": "ten is refused", "old": "<= MOST", "new": "< MOST"}
BROKEN = {"mistake": "it can't be imported", "old": "LEAST, MOST = 1, 10", "new": "raise OSError"}


def test_killed_survived_and_broken_mutants_are_told_apart_and_the_source_is_left_alone(mutants, capsys):
    assert mutants(NOTICED, UNNOTICED, BROKEN) == (1, True)
    *_, summary = capsys.readouterr().out.partition("\nkilled ")
    counted, *others = summary.splitlines()
    assert counted.startswith("1 of 3 in 0 min ")
    assert others == [
        *("  survived: limits.py: ten is refused", "    no test notices it"),
        *("  not run: limits.py: it can't be imported", "    ERROR test_limits.py - OSError"),
    ]


def mutant(mistake, survives=""):
    return Mutant(mistake=mistake, file="limits.py", old="a", new="b", tests=("test_limits.py",), survives=survives)


def test_a_survivor_is_taken_for_the_reason_that_the_list_gives_as_long_as_it_survives(capsys):
    killed, survived = Outcome(KILLED, 1.0, "FAILED"), Outcome(SURVIVED, 1.0, "1 passed")
    noticed, known, unknown = mutant("eleven is taken"), mutant("ten is refused", "nobody sends a ten"), mutant("five")
    assert report([noticed, known], {noticed: killed, known: survived}, 61.0) == 0
    assert report([noticed, unknown], {noticed: killed, unknown: survived}, 61.0) == 1
    assert report([known], {known: killed}, 61.0) == 1
    assert report([known], {known: Outcome(TIMED_OUT, 300.0, "not ended after 300 s")}, 301.0) == 1
    assert capsys.readouterr().out.splitlines() == [
        *("", "killed 1 of 2 in 1 min 1 s"),
        *("  survived: limits.py: ten is refused", "    nobody sends a ten"),
        *("", "killed 1 of 2 in 1 min 1 s", "  survived: limits.py: five", "    no test notices it"),
        *("", "killed 1 of 1 in 1 min 1 s", "  limits.py: ten is refused"),
        "    a test notices it now: remove its `survives` from the list",
        *("", "killed 0 of 1 in 5 min 1 s", "  timed out: limits.py: ten is refused", "    not ended after 300 s"),
    ]


def test_a_list_that_no_longer_fits_the_source_is_one_sentence_before_any_test_runs(mutants, capsys):
    assert mutants(NOTICED, {"mistake": "five is refused", "old": "MOST = 1, 5", "new": "MOST = 1, 4"}) == (1, True)
    assert capsys.readouterr() == (
        "",
        "limits.py has the old text of the mutant 'five is refused' 0 times, but it must be there once: "
        "correct it in mutants.toml.\n",
    )


@pytest.mark.slow
def test_without_a_mutant_the_tests_must_pass(mutants, capsys):
    assert mutants(NOTICED | {"tests": ["test_twelve.py"]}) == (1, True)
    assert capsys.readouterr().err == (
        "Without a mutant the tests must pass, and they don't: "
        "FAILED test_twelve.py::test_twelve_is_taken - assert False\n"
    )


def test_tests_that_do_not_end_are_ended_with_all_that_they_started(tmp_path):
    (tmp_path / "test_slow.py").write_text("import time\n\ndef test_slow():\n    time.sleep(600)\n")
    outcome = run_tests(tmp_path, ["test_slow.py"], 1.0)
    assert (outcome.verdict, outcome.line) == (TIMED_OUT, "not ended after 1 s")
