"""Each case of docs/http-api.md has a test or a reason why not, and tests cite no others."""

import re
import subprocess
import sys
from collections import Counter

import pytest

from tests.support.cases import catalogue_in


@pytest.fixture(scope="module")
def catalogue(pytestconfig):
    return catalogue_in((pytestconfig.rootpath / "docs" / "http-api.md").read_text())


@pytest.fixture(scope="module")
def cited(pytestconfig):
    """The cases that tests cite, each with one of its tests: of the whole suite, whatever part of it runs now."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "tests.support.case_listing"]
    command += ["-p", "no:cacheprovider"]
    run = subprocess.run(command, cwd=pytestconfig.rootpath, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr
    return dict(re.findall(r"^case (\S+) (.+)$", run.stdout, re.MULTILINE))


def test_each_case_has_one_row(catalogue):
    assert [case for case, rows in Counter(catalogue.ids).items() if rows > 1] == []


@pytest.mark.parametrize("cell", ["rule", "example", "evidence", "status"])
def test_each_case_of_the_catalogue_has_every_cell(pytestconfig, cell):
    text = (pytestconfig.rootpath / "docs" / "http-api.md").read_text().partition("\n## Open cases\n")[0]
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if re.match(r"\| [RSLG]\d\d \|", line)]
    column = ["case", "rule", "example", "evidence", "status"].index(cell)
    allowed = r"(documented|captured|reported|AWS's code|inferred|guessed)(;.*)?" if cell == "status" else r".+"
    assert [row for row in rows if len(row) != 5 or not re.fullmatch(allowed, row[column])] == []


def test_every_number_up_to_the_last_one_is_a_case(catalogue):
    numbers = {kind: sorted(int(case[1:]) for case in catalogue.ids if case[0] == kind) for kind in "RSLG"}
    assert {kind: list(range(1, len(found) + 1)) for kind, found in numbers.items()} == numbers


@pytest.mark.slow
def test_every_case_has_a_test_or_is_open(catalogue, cited):
    assert sorted(set(catalogue.ids) - set(cited) - set(catalogue.open)) == []


@pytest.mark.slow
def test_a_case_that_is_open_has_no_test(catalogue, cited):
    assert {case: cited[case] for case in catalogue.open if case in cited} == {}


def test_only_cases_are_called_open(catalogue):
    assert sorted(set(catalogue.open) - set(catalogue.ids)) == []


@pytest.mark.slow
def test_tests_cite_no_case_that_the_catalogue_does_not_have(catalogue, cited):
    assert {case: test for case, test in cited.items() if case not in catalogue.ids} == {}


def test_a_switch_that_the_catalogue_names_is_one_of_the_gateway(pytestconfig):
    named = re.findall(r"GATEWAY_[A-Z0-9_]+", (pytestconfig.rootpath / "docs" / "http-api.md").read_text())
    settings = (pytestconfig.rootpath / "dualmode" / "gateway" / "settings.py").read_text()
    assert [name for name in named if f'"{name}"' not in settings] == []


def test_a_catalogue_is_read_by_its_rows():
    text = "| R01 | a rule |\n| G02 | another |\n\n## Open cases\n\n| cases | why |\n| R01 G02 | not yet |\n"
    read = catalogue_in(text)
    assert (read.ids, read.open) == (["R01", "G02"], {"R01": "not yet", "G02": "not yet"})
