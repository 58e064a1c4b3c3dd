"""The log level and the disk of a function in the sandbox, as its application sees them: on, and off again."""

import json

import pytest

from sandbox.runner import process_disk
from tests.support import stacks
from tests.support.program import ROOT
from tests.support.pulumi_command import needs_pulumi

pytestmark = needs_pulumi
SAID = ("said at DEBUG", "said at INFO", "said at WARN", "said at ERROR")


class Stack(stacks.Stack):
    """A stack whose function is looked at from within."""

    def seen(self, **chosen):
        """What the application logs with these settings, the metrics of Lambda's reports, and the size of /tmp."""
        for earlier in self.state.glob("logs/*.log"):
            earlier.unlink()
        with self.running(**chosen) as sandbox:
            status, storage = stacks.ask(sandbox, "/storage")
            logged, _ = stacks.ask(sandbox, "/log")
            assert (status, logged) == (200, 200)
        text = "".join(path.read_text() for path in self.state.glob("logs/*.log"))
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        said = {line.get("message") for line in lines}
        reports = [line["record"]["metrics"] for line in lines if line.get("type") == "platform.report"]
        return [line for line in SAID if line in said], reports, storage


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    stack = Stack(tmp_path_factory.mktemp("talkative"), ROOT / "tests" / "support" / "talkative")
    return {
        "off": stack.seen(),
        "ERROR": stack.seen(logLevel="ERROR", ephemeralStorage=600),
        "DEBUG": stack.seen(logLevel="DEBUG", ephemeralStorage=700),
        "off again": stack.seen(),
    }


def test_log_lines_below_the_level_are_dropped(lived):
    assert [lived[name][0] for name in ("off", "ERROR", "DEBUG", "off again")] == [
        list(SAID[1:]),
        ["said at ERROR"],
        list(SAID),
        list(SAID[1:]),
    ]


def test_the_report_of_each_request_stays_at_every_level_and_tells_the_cold_start(lived):
    """It is what the dashboard's cold starts are made of: infra/dashboard.py, `COLD_START`."""
    # The last one of each start is written after its answer, and may be missing when the sandbox stops.
    assert [reports[0].get("initDurationMs", 0) > 0 for _, reports, _ in lived.values()] == [True] * 4
    assert all("initDurationMs" not in report for _, reports, _ in lived.values() for report in reports[1:])


def test_tmp_has_the_size_that_was_set(lived):
    if not process_disk._has_own_disk():
        pytest.skip("the kernel gives this user no mount namespace")
    assert [storage for _, _, storage in lived.values()] == ["512", "600", "700", "512"]
