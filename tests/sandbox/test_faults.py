"""Each fault of `--fault`: what the client gets, what the log says, which alarms would go off, until it is cleared."""

import json

import pytest
from botocore.exceptions import ClientError

from dualmode.gateway.http.message import Request
from sandbox.alarms import alarmed
from sandbox.command_line import UsageError, read_options
from sandbox.errors import SandboxError
from sandbox.faults import NAMES
from sandbox.presets import DOMAIN
from tests.support import sandboxes
from tests.support.slow_tests import slow_but

NAME = "dualmode-dev"
ERROR, UNAVAILABLE, FORBIDDEN = (
    (500, {"message": "Internal Server Error"}),
    (503, {"message": "Service Unavailable"}),
    (403, {"message": "Forbidden"}),
)
INIT = {"initializationType": "on-demand", "phase": "init"}
# The answer, where the trace ends, what Lambda's records say of the failure, and the alarms, by the metrics' guides.
FAULTS = {
    "throttling": (UNAVAILABLE, "version", [], ["5xx", "throttles"]),
    "function-error": (ERROR, "function", [("report", "error", "Runtime.Unknown")], ["5xx", "errors"]),
    "timeout": (ERROR, "function", [("report", "timeout", None)], ["5xx", "errors", "slow"]),
    "crash": (ERROR, "function", [("report", "error", "Runtime.ExitError")], ["5xx", "errors"]),
    "out-of-memory": (ERROR, "function", [("report", "error", "Runtime.OutOfMemory")], ["5xx", "errors"]),
    "response-too-large": (
        *(ERROR, "function", [("report", "error", "Function.ResponseSizeTooLarge")]),
        ["5xx", "errors"],
    ),
    "init-error": (
        *(ERROR, "function"),
        [(kind, "error", "Runtime.Unknown") for kind in ("initReport", "initReport", "report")],
        ["5xx", "errors"],
    ),
    "slow-start": (
        *(ERROR, "function", [(kind, "timeout", None) for kind in ("initReport", "initReport", "report")]),
        ["5xx", "errors", "slow"],
    ),
    "deleted-image": (ERROR, "image", [], ["5xx"]),
    "expired-certificate": (FORBIDDEN, "certificate", [], []),
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    state = sandboxes.with_venvs(tmp_path_factory.mktemp("faults") / "state")
    with sandboxes.deployed(state, timeout=2, memorySize=128, alarmEmail="me@example.com") as found:
        yield found


def ask(sandbox):
    return sandbox.edge.answer(Request(method="GET", target="/hello", headers=(("Host", DOMAIN),)))


def records(sandbox, answer):
    """Lambda's own records of failures in the log of an answer: their kinds, statuses and error types."""
    if answer.log is None:
        return []
    answer.log.wait()
    with answer.log.path.open("rb") as file:
        file.seek(answer.log.begin)
        lines = [json.loads(line) for line in file.read().decode().splitlines() if line.startswith('{"time"')]
    found = [(line["type"].removeprefix("platform."), line["record"]) for line in lines if line.get("record")]
    return [
        (kind, record["status"], record.get("errorType"))
        for kind, record in found
        if kind in ("report", "initReport") and record["status"] != "success"
    ]


def test_each_fault_has_its_test():
    assert sorted(FAULTS) == sorted(NAMES)


@pytest.mark.parametrize("name", slow_but(FAULTS.keys() - {"slow-start"}, FAULTS))
def test_a_fault_shows_what_aws_would_show_and_is_gone_when_it_is_cleared(name, sandbox):
    expected, hop, failures, alarms = FAULTS[name]
    sandbox.faults.set(name)
    try:
        answer = ask(sandbox)
    finally:
        sandbox.faults.clear(name)
    refusal = answer.trace.refusal
    seen = (answer.response.status, json.loads(answer.response.body))
    assert (seen, refusal and refusal.hop, records(sandbox, answer)) == (expected, hop, failures)
    assert [each.id for each in alarmed(sandbox.account, answer)] == [f"{NAME}-{each}" for each in alarms]
    again = ask(sandbox)
    assert (again.response.status, sandbox.faults.standing()) == (200, ())


def test_a_deleted_image_is_back_with_its_tags_and_the_account_is_as_before(sandbox):
    ecr, functions = sandbox.account.client("ecr"), sandbox.account.client("lambda")

    def images():
        found = ecr.describe_images(repositoryName=NAME)["imageDetails"]
        return sorted((image["imageDigest"], tuple(image.get("imageTags") or ())) for image in found)

    before = images()
    for name in ("deleted-image", "throttling"):
        sandbox.faults.set(name)
    assert (len(before), images()) == (1, [])
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        functions.invoke(FunctionName=NAME)
    for name in ("deleted-image", "throttling"):
        sandbox.faults.clear(name)
    assert images() == before
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=NAME)


def test_a_fault_that_is_unknown_or_has_no_place_is_refused_with_what_to_do(sandbox):
    with pytest.raises(SandboxError) as unknown:
        sandbox.faults.set("earthquake")
    assert str(unknown.value) == f"There is no fault 'earthquake': use {', '.join(NAMES)}."
    with pytest.raises(UsageError) as both:
        read_options(["--fault", "crash", "--fault", "timeout"], {})
    assert str(both.value) == (
        "The faults crash and timeout are both in the function's process, which can have one at a time: "
        "clear one, or leave it out."
    )
    with pytest.raises(UsageError) as nothing:
        read_options(["--preview", "--fault", "crash"], {})
    assert str(nothing.value) == "--fault breaks what runs, and --preview and --destroy run nothing: leave it out."
    assert read_options(["--fault", "crash", "--fault", "throttling"], {}).faults == ("crash", "throttling")
