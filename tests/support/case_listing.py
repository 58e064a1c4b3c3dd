"""A pytest plugin that prints each case cited by what was collected: `case R04 tests/test_x.py::test_y`."""

import pytest


def pytest_collection_finish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    for item in session.items:
        for mark in item.iter_markers("case"):
            for case in mark.args:
                reporter.write_line(f"case {case} {item.nodeid}")
