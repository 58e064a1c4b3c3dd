"""`release`, `rollback`, `restart` and `versions`: which version of the function gets the requests."""

import contextlib
import json
import signal
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from operations.health import PATTERN, Health, Limits, Watch, objection, percentile
from operations.log_events import LogReader
from tests.operations.conftest import NAME

GROUP = f"/aws/lambda/{NAME}"
BROKEN = {"FLASK_APP": "nothing:app"}


@contextmanager
def traffic(live):
    """Requests, one after another, for as long as the context lasts."""
    ended = threading.Event()

    def send():
        while not ended.wait(0.01):
            with contextlib.suppress(urllib.error.HTTPError):
                urllib.request.urlopen(f"{live.address}/hello", timeout=60).read()

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.fixture(autouse=True)
def _first_version_serves(live):
    live.serve("1")
    yield
    live.serve("1")


def test_a_version_that_does_well_gets_all_requests(live, in_sandbox):
    new = live.publish(COLOUR="green")
    with traffic(live):
        # the limits are wide: here only failures are to count, on a machine that may be busy
        done = in_sandbox("release", "--percent", "50", "--minutes", "0.2", "--every", "3", "--slower", "1000")
    assert (done.status, done.out) == (0, f"live serves version {new}; version 1 gets no more requests.\n")
    assert live.shares == (new, {})
    assert done.err.startswith(f"live serves version 1 to 50 % and version {new} to 50 %, for 0.2 minutes;")
    assert done.err.endswith("agrees, run: pulumi config set liveVersion 0 && pulumi config set canaryPercent 0\n")


def test_a_version_that_fails_is_taken_back(live, in_sandbox):
    new = live.publish(**BROKEN)
    with traffic(live):
        done = in_sandbox("release", "--percent", "50", "--minutes", "5", "--every", "1")
    assert (done.status, done.out) == (1, "")
    assert live.shares == ("1", {})
    assert f"operations: Version {new} was taken back: " in done.err
    assert "requests failed (100.0 %, before 0.0 %). live serves version 1.\n" in done.err
    assert "run: pulumi config set liveVersion 1 && pulumi config set canaryPercent 0\n" in done.err


def test_a_version_that_got_no_request_is_taken_back(live, in_sandbox):
    new = live.publish(COLOUR="unseen")
    done = in_sandbox("release", "--minutes", "0", "--json")
    assert done.status == 1
    assert live.shares == ("1", {})
    assert done.document["versions"][new] == {"requests": 0, "failures": 0}
    assert (done.document["released"], done.document["live"]) == (False, "1")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_release_that_is_interrupted_puts_live_back_and_says_so(live, program, number):
    new = live.publish(COLOUR=number.name)
    with program("release", "--percent", "25") as process:
        assert process.stderr.readline().startswith("live serves version 1 to 75 %")
        assert live.shares == ("1", {new: 0.25})
        process.send_signal(number)
        assert process.stderr.read() == "operations: Interrupted; live serves version 1, as before.\n"
        assert process.wait(60) == 130
    assert live.shares == ("1", {})


def test_a_release_that_is_interrupted_leaves_what_somebody_else_did_alone(live, program):
    others, _ = live.publish(COLOUR="somebody else's"), live.publish(COLOUR="ours")
    with program("release") as process:
        process.stderr.readline()
        live.serve(others)
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == f"operations: Interrupted; live serves version {others}.\n"


def test_where_live_serves_the_newest_there_is_nothing_to_release(live, in_sandbox):
    new = live.publish(COLOUR="newest")
    live.serve(new)
    done = in_sandbox("release")
    assert (done.status, done.out) == (1, "")
    assert f"live already serves the newest version, {new}, so there is nothing to release" in done.err


def test_a_release_beside_provisioned_concurrency_is_refused_before_anything_is_changed(live, in_sandbox):
    live.publish(COLOUR="provisioned")
    alias = {"FunctionName": NAME, "Qualifier": "live"}
    live.functions.put_provisioned_concurrency_config(**alias, ProvisionedConcurrentExecutions=3)
    try:
        done = in_sandbox("release", "--minutes", "0")
    finally:
        live.functions.delete_provisioned_concurrency_config(**alias)
    assert (done.status, done.out, live.shares) == (1, "", ("1", {}))
    assert done.err == (
        "operations: live has provisioned concurrency (3), and then AWS lets it lead to one version only: run `pulumi "
        "config set provisionedConcurrency 0` and `pulumi up`, release, then set it to 3 again.\n"
    )


@pytest.mark.parametrize("words", [["--percent", "0"], ["--percent", "100"], ["--minutes", "-1"], ["--minutes", "x"]])
def test_a_number_out_of_range_is_wrong_usage(live, in_sandbox, words):
    done = in_sandbox("release", *words)
    assert (done.status, live.shares) == (2, ("1", {}))


def test_the_version_before_is_served_again(live, in_sandbox):
    before, new = live.publish(COLOUR="kept"), live.publish(COLOUR="regretted")
    live.serve(new)
    done = in_sandbox("rollback")
    assert (done.status, done.out) == (0, f"live serves version {before}; before, it served version {new}.\n")
    assert f"run: pulumi config set liveVersion {before} && pulumi config set canaryPercent 0\n" in done.err
    assert live.shares == (before, {})


def test_a_rollback_after_a_restart_skips_the_copy_of_what_was_served(live, in_sandbox):
    good, bad = live.publish(COLOUR="good"), live.publish(COLOUR="bad")
    live.serve(bad)
    assert in_sandbox("restart").status == 0
    assert in_sandbox("restart").status == 0
    done = in_sandbox("rollback")
    assert (done.status, live.shares) == (0, (good, {}))


def test_a_named_version_is_served_and_the_newest_needs_no_pin(live, in_sandbox):
    new = live.publish(COLOUR="named")
    done = in_sandbox("rollback", "--version", new, "--json")
    assert done.document == {
        "before": "1",
        "live": new,
        "settings": ["pulumi config set liveVersion 0", "pulumi config set canaryPercent 0"],
    }
    assert live.shares == (new, {})


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        ([], 1, "There is no version before 1, which live serves: name another with --version;"),
        (["--version", "1"], 1, "live already serves version 1: name another version with --version"),
        (["--version", "999"], 1, "There is no version 999: the published ones are "),
        (["--version", "one"], 2, "--version takes the number of a published version, not 'one'."),
    ],
)
def test_a_rollback_to_nowhere_is_refused(live, in_sandbox, words, status, sentence):
    done = in_sandbox("rollback", *words)
    assert (done.status, done.out, live.shares) == (status, "", ("1", {}))
    assert done.err.startswith(f"operations: {sentence}")


def test_a_version_whose_image_is_gone_gets_no_request(live, in_sandbox):
    uri = live.functions.get_function(FunctionName=NAME)["Code"]["ImageUri"]
    gone = f"{uri.partition('@')[0]}@sha256:{'0' * 64}"
    live.functions.update_function_code(FunctionName=NAME, ImageUri=gone)
    try:
        version = live.publish()
    finally:
        live.functions.update_function_code(FunctionName=NAME, ImageUri=uri)
    for done in (in_sandbox("rollback", "--version", version), in_sandbox("release")):
        assert (done.status, done.out, live.shares) == (1, "", ("1", {}))
        assert f"Version {version} can't run, since ECR no longer has its image {gone}: choose another" in done.err


def test_a_restart_serves_a_copy_and_leaves_the_function_as_it_was(live, in_sandbox):
    live.serve(live.publish())
    before = live.functions.get_function_configuration(FunctionName=NAME)
    done = in_sandbox("restart")
    served, _ = live.shares
    after = live.functions.get_function_configuration(FunctionName=NAME)
    assert done.status == 0
    assert f"live serves version {served}, a copy of {int(served) - 1}: every environment starts anew.\n" == done.out
    assert before["Description"] == after["Description"]
    copy = live.functions.get_function_configuration(FunctionName=NAME, Qualifier=served)
    assert copy["Environment"] == before["Environment"]
    assert copy["Description"].startswith(f"copy of {int(served) - 1}, restarted 20")


def test_a_restart_that_is_interrupted_leaves_the_function_as_it_was_and_says_what_is_served(live, program):
    live.serve(live.publish())
    before = live.functions.get_function_configuration(FunctionName=NAME)["Description"]
    with program("restart") as process:
        assert process.stderr.readline().startswith("Publishing a copy of version ")
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        assert process.wait(60) == 130
    assert said.startswith(f"operations: Interrupted; live serves version {live.shares[0]}.")
    assert live.functions.get_function_configuration(FunctionName=NAME)["Description"] == before


def test_a_restart_never_releases_what_live_does_not_serve(live, in_sandbox):
    live.publish(COLOUR="not yet")
    done = in_sandbox("restart")
    assert (done.status, live.shares) == (1, ("1", {}))
    assert "The newest version differs from version 1, which live serves (Environment)" in done.err


def test_versions_are_listed_newest_first_with_their_shares(live, in_sandbox):
    new = live.publish(COLOUR="listed")
    live.functions.update_alias(
        FunctionName=NAME, Name="live", FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {new: 0.1}}
    )
    rows = in_sandbox("versions", "--json").document
    assert [row["version"] for row in rows] == sorted((row["version"] for row in rows), reverse=True)
    assert {row["version"]: row["share"] for row in rows if row["share"]} == {int(new): 0.1, 1: 0.9}
    uri = live.functions.get_function(FunctionName=NAME, Qualifier="1")["Code"]["ImageUri"]
    assert {row["image"] for row in rows if row["share"]} == {uri.partition("@")[2]}
    table = in_sandbox("versions").out.splitlines()
    assert table[0].split("  ")[0] == "VERSION"
    assert table[1].split()[:1] + table[1].split()[-2:] == [new, "10", "%"]


def test_a_500_of_the_application_is_a_failure_though_the_function_did_not_fail(live):
    logs, stream = live.sandbox.account.client("logs"), "2026/11/21/[99]ab"
    now = int(time.time() * 1000)

    def request(number, status):
        line = {"logger": "dualmode.access", "requestId": number, "status": status, "durationMs": 9}
        report = {"requestId": number, "status": "success", "metrics": {"durationMs": 10.5}}
        return [json.dumps(line), json.dumps({"type": "platform.report", "record": report})]

    lines = [*request("a", 500), *request("b", 499), *request("c", 200)]
    logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    logs.put_log_events(
        logGroupName=GROUP, logStreamName=stream, logEvents=[{"timestamp": now, "message": line} for line in lines]
    )
    watch = Watch(LogReader(logs, GROUP, since=now, pattern=PATTERN))
    watch.look()
    assert watch.of("99") == Health(requests=3, failures=1, durations=(10.5, 10.5, 10.5))
    assert watch.of("98") == Health()


FINE = Limits(failing=1, slower=2)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (Health(), Health(), ""),
        (Health(requests=100, failures=1), Health(requests=100, failures=2), ""),
        (
            Health(requests=100, failures=1),
            Health(requests=100, failures=3),
            "3 of its 100 requests failed (3.0 %, before 1.0 %)",
        ),
        (Health(requests=9, failures=9), Health(requests=9, failures=9), ""),
        (Health(durations=[100.0] * 20), Health(durations=[200.0] * 20), ""),
        (
            Health(durations=[100.0] * 20),
            Health(durations=[201.0] * 20),
            "its 95th percentile is 201 ms, before 100 ms",
        ),
        (Health(durations=[1.0] * 20), Health(durations=[50.0] * 20), ""),
        (Health(durations=[100.0] * 20), Health(durations=[999.0] * 19), ""),
    ],
)
def test_a_version_is_judged_by_the_one_before(old, new, reason):
    assert objection(old, new, FINE) == reason


def test_percentiles_are_by_nearest_rank():
    values = [15.0, 20.0, 35.0, 40.0, 50.0]  # the example of Wikipedia, "Percentile", nearest-rank method
    assert [percentile(values, percent) for percent in (5, 30, 40, 50, 100)] == [15.0, 20.0, 20.0, 35.0, 50.0]
