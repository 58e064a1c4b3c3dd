"""Says how many tests marked slow a run leaves out, so that nobody takes a quick run for all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import pytest

MARKER = "slow"
_COUNT = "slow_tests_left_out"


class SlowTests:
    """A plugin for pytest, also where pytest-xdist runs the tests: then each worker counts, and all have the same."""

    def __init__(self) -> None:
        self.left_out = 0

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self.left_out += sum(1 for item in items if item.get_closest_marker(MARKER))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[_COUNT] = self.left_out

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.left_out = max(self.left_out, getattr(node, "workeroutput", {}).get(_COUNT, 0))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.left_out:
            terminalreporter.write_line(f"{self.left_out} tests marked slow are left out: make check runs them")


def slow_but(quick: Collection[str], cases: Iterable[str]) -> list[Any]:
    """Return cases for `parametrize`, of which only those that `quick` names run without the slow tests."""
    cases = list(cases)
    assert set(quick) <= set(cases), f"{set(quick) - set(cases)} is not one of the cases"
    return [case if case in quick else pytest.param(case, marks=pytest.mark.slow) for case in cases]
