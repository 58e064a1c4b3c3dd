"""Every conformance case has an owner, and what the gateway and the adapter own has tests."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance import ADAPTER, ALL, GATEWAY, IMAGE, OPEN_AT_THE_EDGE

TESTS = Path(__file__).parent
CASE = re.compile(r"[\[-]([RSL]\d\d)(?!\d)")


@pytest.fixture(scope="module")
def collected():
    """The ids of the tests in files that name cases: the adapter's apart from the gateway's."""
    files = [path for path in sorted(TESTS.glob("test_*.py")) if re.search(r'"[RSL]\d\d', path.read_text())]
    command = [sys.executable, "-m", "pytest", "--collect-only", "--quiet", *files]
    listing = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, check=True).stdout
    lines = [line for line in listing.splitlines() if "::" in line]
    return [line for line in lines if "test_adapter" in line], [line for line in lines if "test_adapter" not in line]


def cases(lines):
    return {case for line in lines for case in CASE.findall(line)}


def test_every_case_has_an_owner():
    owned = {*GATEWAY, *ADAPTER, *IMAGE, *OPEN_AT_THE_EDGE}

    assert owned == set(ALL)
    assert not set(OPEN_AT_THE_EDGE) & {*GATEWAY, *ADAPTER, *IMAGE}


def test_every_case_of_the_gateway_has_a_test(collected):
    _, gateway = collected

    assert sorted(set(GATEWAY) - cases(gateway)) == []


def test_every_case_of_the_adapter_has_a_test(collected):
    adapter, _ = collected

    assert sorted(set(ADAPTER) - cases(adapter)) == []


@pytest.mark.parametrize("case", IMAGE)
def test_every_case_of_the_image_has_a_test(case):
    file, _, name = IMAGE[case].partition("::")

    assert f"\ndef {name}(" in (TESTS / file).read_text()
