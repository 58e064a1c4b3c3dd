"""EnvironmentPool with real processes: what a client of Lambda sees, what the log says, what happens to the process."""

import json
import os
import re
import signal
import sys
import threading
import time

import pytest

from dualmode.gateway.lambda_.platform_log import Report
from tests.support.gateways import (
    FUNCTIONS,
    TRACE,
    Log,
    environment,
    environments,
    error,
    function,
    invocation,
    result,
    run,
)
from tests.support.processes import lives
from tests.support.waiting import until

EXIT = "RequestId: {id} Error: Runtime exited"


@pytest.mark.case("L01")
def test_the_process_runs_where_its_gateway_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with environment(function(environ={"HOME": "/tmp/home"})) as made:
        seen = result(made, "environment")

    assert seen["cwd"] == str(tmp_path)
    assert seen["HOME"] == "/tmp/home"
    assert re.match(r"^127\.0\.0\.1:\d+$", seen["AWS_LAMBDA_RUNTIME_API"])
    assert re.match(r"^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$", seen["AWS_LAMBDA_LOG_STREAM_NAME"])


@pytest.mark.case("L02")
def test_an_exception_at_import_is_the_outcome():
    log = Log()
    with environment(function(environ={"PROBE_INIT": "raise"}), log) as made:
        seen = error(made, "return", 1)

    assert seen.pop("stackTrace")[0].startswith("  File ")
    assert seen == {"errorMessage": "x", "errorType": "Exception", "requestId": ""}
    reports = [line for line in log.lines if line.startswith("INIT_REPORT")]
    assert [re.sub(r"[\d.]+ ms", "0 ms", line) for line in reports] == [
        "INIT_REPORT Init Duration: 0 ms\tPhase: init\tStatus: error\tError Type: Runtime.Unknown",
        "INIT_REPORT Init Duration: 0 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.Unknown",
    ]


@pytest.mark.case("L03")
@pytest.mark.parametrize(
    ("order", "reason"),
    [
        pytest.param(("exit", 0), " without providing a reason", id="0"),
        pytest.param(("exit", 7), " with error: exit status 7", id="7"),
        pytest.param(("kill", 9), " with error: signal: killed", id="killed"),
        pytest.param(("kill", 11), " with error: signal: segmentation fault", id="segmentation-fault"),
    ],
)
def test_a_process_that_ends_is_the_outcome_and_the_next_request_gets_another(order, reason):
    log = Log()
    with environment(log=log) as made:
        first = result(made)
        asked = invocation(*order)
        made.run(asked)
        outcome = asked.wait(0)
        after = result(made)

    assert (outcome.status, json.loads(outcome.payload)) == (
        "crash",
        {"errorType": "Runtime.ExitError", "errorMessage": EXIT.format(id=asked.id) + reason},
    )
    assert (after["calls"], after["pid"] != first["pid"]) == (1, True)
    assert EXIT.format(id=asked.id) + reason in log.lines


def test_a_function_that_needs_more_memory_than_it_has_is_killed_and_the_next_request_gets_another():
    log = Log()
    with environment(function(memory_size=96), log) as made:
        first = result(made)
        asked = invocation("fill", None)
        made.run(asked)
        outcome = asked.wait(0)
        after = result(made)

    killed = " with error: signal: killed"
    assert (outcome.status, json.loads(outcome.payload)) == (
        "crash",
        {"errorType": "Runtime.OutOfMemory", "errorMessage": EXIT.format(id=asked.id) + killed},
    )
    (report,) = [line for line in log.lines if line.startswith(f"REPORT RequestId: {asked.id}")]
    assert report.split("\t")[3:] == [
        *("Memory Size: 96 MB", "Max Memory Used: 96 MB", "Status: error", "Error Type: Runtime.OutOfMemory"),
    ]
    assert (after["calls"], after["pid"] != first["pid"]) == (1, True)


@pytest.mark.case("L04")
def test_a_function_that_takes_too_long_is_replaced(tmp_path):
    log = Log()
    kept = tmp_path / "kept"
    kept.touch()
    with environment(function(timeout=1.0), log) as made:
        first = result(made)
        asked = invocation("sleep", 60)
        began = time.monotonic()
        made.run(asked)
        elapsed = time.monotonic() - began
        outcome = asked.wait(0)
        after = result(made)

    assert 1 <= elapsed < 20
    assert (outcome.status, json.loads(outcome.payload)) == (
        "timeout",
        {
            "errorType": "Sandbox.Timedout",
            "errorMessage": f"RequestId: {asked.id} Error: Task timed out after 1.00 seconds",
        },
    )
    assert (after["calls"], after["pid"] != first["pid"], kept.exists()) == (1, True, True)
    assert not lives(first["pid"])
    position = next(index for index, line in enumerate(log.lines) if "Task timed out" in line)
    assert re.match(
        rf"^\d{{4}}-\d\d-\d\dT[\d:.]+Z {asked.id} Task timed out after \d+\.\d\d seconds$", log.lines[position]
    )
    assert log.lines[position + 1 : position + 3] == ["", f"END RequestId: {asked.id}"]
    assert re.match(
        rf"^REPORT RequestId: {asked.id}\tDuration: 1000\.00 ms\tBilled Duration: 1000 ms\t"
        r"Memory Size: 512 MB\tMax Memory Used: \d+ MB\tStatus: timeout$",
        log.lines[position + 3],
    )


@pytest.mark.case("L05")
def test_an_environment_is_ended_without_a_word(tmp_path):
    farewell = tmp_path / "farewell"
    with environment(function(environ={"PROBE_FAREWELL": str(farewell)})) as made:
        pid = result(made)["pid"]

    assert not lives(pid)
    assert not farewell.exists()


@pytest.mark.case("L06")
@pytest.mark.parametrize(
    ("runtime", "payload"),
    [
        pytest.param("AWS_Lambda_Image", b'"\\u00e9\\u00e9"', id="image"),
        pytest.param("AWS_Lambda_python3.12", '"éé"'.encode(), id="managed"),
    ],
)
def test_an_images_text_is_escaped(runtime, payload):
    with environment(function(environ={"AWS_EXECUTION_ENV": runtime})) as made:
        assert run(made, "repeat", ["é", 2]).payload == payload


@pytest.mark.case("L07")
def test_the_log_of_a_request_has_lambda_s_lines():
    log = Log()
    with environment(log=log) as made:
        cold, warm = invocation("print", "one\ntwo"), invocation("print", "one\ntwo")
        made.run(cold)
        made.run(warm)

    assert re.fullmatch(
        rf"START RequestId: {cold.id} Version: \$LATEST\n"
        "one\ntwo\n"
        rf"END RequestId: {cold.id}\n"
        rf"REPORT RequestId: {cold.id}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 512 MB\t"
        r"Max Memory Used: \d+ MB\tInit Duration: \d+\.\d\d ms\t\n"
        rf"START RequestId: {warm.id} Version: \$LATEST\n"
        "one\ntwo\n"
        rf"END RequestId: {warm.id}\n"
        rf"REPORT RequestId: {warm.id}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 512 MB\t"
        r"Max Memory Used: \d+ MB\t\n",
        log.text,
    )


def test_the_figures_of_a_report_agree():
    log = Log()
    with environment(function(environ={"PROBE_INIT": "sleep 0.3"}), log) as made:
        run(made, "allocate", 50_000_000)
        run(made, "sleep", 0.2)

    cold, warm = (line.split("\t") for line in log.lines if line.startswith("REPORT"))
    figures = {name: float(value.split()[0]) for name, value in (part.split(": ") for part in cold[1:] if part)}
    assert figures["Init Duration"] >= 300
    assert 0 <= figures["Billed Duration"] - figures["Duration"] - figures["Init Duration"] <= 1.01  # they are rounded
    assert 50 < figures["Max Memory Used"] < 200
    duration, billed = (float(part.split(": ")[1].split()[0]) for part in warm[1:3])
    assert 200 <= duration <= billed <= duration + 1.01


@pytest.mark.parametrize(
    ("duration", "init", "billed"), [(693.92, None, 694), (694.0, None, 694), (1233.96, 463.512, 1698), (0.2, 0.3, 1)]
)
def test_each_begun_millisecond_is_billed_and_the_start_too(duration, init, billed):
    assert Report(duration=duration, memory_size=128, memory_used=84, init=init).billed == billed


def test_the_log_in_json_has_lambdas_objects():
    log = Log()
    described = function(name="shop", version="7", memory_size=256)
    with environment(described, log, level="DEBUG") as made:
        good, bad = invocation("return", "four"), invocation("raise", "no")
        made.run(good)
        made.run(bad)

    assert all(re.match(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", entry["time"]) for entry in platform(log))
    cold = {"initializationType": "on-demand", "phase": "init"}
    arn = "arn:aws:lambda:us-east-1:123456789012:function:shop"
    assert [(entry["type"], without_figures(entry["record"])) for entry in platform(log)] == [
        ("platform.initStart", {**cold, "functionName": "shop", "functionVersion": "7"}),
        ("platform.initRuntimeDone", {**cold, "status": "success"}),
        ("platform.initReport", {**cold, "status": "success", "metrics": {"durationMs"}}),
        ("platform.start", {"requestId": good.id, "functionArn": arn, "version": "7"}),
        (
            "platform.runtimeDone",
            {"requestId": good.id, "status": "success", "metrics": {"durationMs", "producedBytes"}},
        ),
        (
            "platform.report",
            {
                "requestId": good.id,
                "metrics": {
                    "durationMs",
                    "billedDurationMs",
                    "memorySizeMB",
                    "maxMemoryUsedMB",
                    "initDurationMs",
                },
                "status": "success",
            },
        ),
        ("platform.start", {"requestId": bad.id, "functionArn": arn, "version": "7"}),
        (
            "platform.runtimeDone",
            {
                "requestId": bad.id,
                "status": "error",
                "errorType": "Runtime.Unknown",
                "metrics": {"durationMs", "producedBytes"},
            },
        ),
        (
            "platform.report",
            {
                "requestId": bad.id,
                "metrics": {"durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB"},
                "status": "error",
                "errorType": "Runtime.Unknown",
            },
        ),
    ]
    done = next(entry for entry in platform(log) if entry["type"] == "platform.runtimeDone")
    assert done["record"]["metrics"]["producedBytes"] == len('"four"')


@pytest.mark.parametrize(
    ("level", "kinds"),
    [
        ("INFO", ["platform.start", "platform.report", "platform.start", "platform.runtimeDone", "platform.report"]),
        ("WARN", ["platform.runtimeDone", "platform.report"]),
    ],
)
def test_the_system_log_has_a_level(level, kinds):
    log = Log()
    with environment(log=log, level=level) as made:
        run(made, "return", 1)
        run(made, "raise", "no")

    assert [entry["type"] for entry in platform(log)] == kinds


def platform(log):
    """Lambda's own objects among what the function has printed."""
    return [json.loads(line) for line in log.lines if line.startswith('{"time"')]


def without_figures(record):
    return {**record, "metrics": set(record["metrics"])} if "metrics" in record else record


def test_a_crash_at_start_is_tried_again_within_the_request(tmp_path):
    log = Log()
    with environment(function(environ={"PROBE_INIT": f"once {tmp_path / 'marker'}"}), log) as made:
        assert result(made)["calls"] == 1

    assert [line.partition("\t")[2] for line in log.lines if line.startswith("INIT_REPORT")] == [
        "Phase: init\tStatus: error\tError Type: Runtime.ExitError"
    ]
    assert "Init Duration" not in log.lines[-1]


def test_a_function_that_cannot_start_fails_each_request_and_recovers(tmp_path):
    environ = {"PROBE_INIT": "exit 3"}
    described = function(environ=environ)
    with environment(described) as made:
        asked = invocation("return", 1)
        made.run(asked)
        described.variables["PROBE_INIT"] = ""
        recovered = result(made)

    assert json.loads(asked.wait(0).payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {asked.id} Error: Runtime exited with error: exit status 3",
    }
    assert recovered["calls"] == 1


def test_a_start_that_takes_too_long_has_the_functions_timeout_the_second_time():
    log = Log()
    described = function(environ={"PROBE_INIT": "sleep 0.5"}, init_timeout=0.2)
    with environment(described, log) as made:
        assert result(made)["calls"] == 1

    assert re.sub(r"[\d.]+ ms", "0 ms", log.lines[0]) == "INIT_REPORT Init Duration: 0 ms\tPhase: init\tStatus: timeout"
    duration = float(log.lines[-1].split("\t")[1].split()[1])
    assert duration >= 500  # the second start counts


def test_a_start_that_never_ends_times_out_like_a_request():
    described = function(environ={"PROBE_INIT": "sleep 60"}, init_timeout=0.2, timeout=0.5)
    with environment(described) as made:
        began = time.monotonic()
        seen = error(made, "return", 1)

    assert seen["errorType"] == "Sandbox.Timedout"
    assert time.monotonic() - began < 30


def test_a_bootstrap_that_is_not_there_is_said():
    with environment(function(("/nowhere/bootstrap",))) as made:
        asked = invocation("return", 1)
        made.run(asked)

    assert json.loads(asked.wait(0).payload) == {
        "errorType": "Runtime.InvalidEntrypoint",
        "errorMessage": f"RequestId: {asked.id} Error: /nowhere/bootstrap: No such file or directory",
    }


@pytest.mark.case("S34")
def test_a_result_that_is_too_large_fails_and_the_next_request_is_served():
    length = 6_291_557 - 2  # a JSON string has two quotes
    with environment() as made:
        fits = run(made, "repeat", ["x", length - 1])
        seen = error(made, "repeat", ["x", length])
        after = result(made)

    assert len(fits.payload) == 6_291_556
    assert seen == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    }
    assert after["calls"] == 1  # awslambdaric gives up when its result is refused


def test_a_process_that_ends_after_its_answer_has_answered():
    log = Log()
    with environment(function((sys.executable, str(FUNCTIONS / "one_shot.py"))), log) as made:
        asked = [invocation(), invocation()]
        for one in asked:
            made.run(one)

    pids = [int(one.wait(0).payload) for one in asked]
    assert pids[0] != pids[1]
    assert [line for line in log.lines if "exited" in line] == [
        f"RequestId: {one.id} Error: Runtime exited with error: exit status 5" for one in asked
    ]


def test_an_exception_keeps_the_process():
    with environment() as made:
        first = result(made)
        seen = error(made, "raise", "boom")
        after = result(made)

    assert (seen["errorType"], seen["errorMessage"]) == ("ValueError", "boom")
    assert (after["pid"], after["calls"]) == (first["pid"], 3)


def test_what_a_function_knows_of_its_invocation():
    described = function(timeout=20.0, name="shop", version="7", memory_size=256)
    described.variables.update(
        AWS_LAMBDA_FUNCTION_NAME="shop", AWS_LAMBDA_FUNCTION_VERSION="7", AWS_LAMBDA_FUNCTION_MEMORY_SIZE="256"
    )
    with environment(described) as made:
        asked = invocation("context", qualifier="live", client_context='{"custom": {"a": 1}}')
        made.run(asked)
        seen = json.loads(asked.wait(0).payload)
        unqualified = result(made, "context")

    assert 10_000 < seen.pop("remaining") <= 20_000
    assert seen == {
        "arn": "arn:aws:lambda:us-east-1:123456789012:function:shop:live",
        "request_id": asked.id,
        "client_context": {"a": 1},
        "trace_id": TRACE,
        "name": "shop",
        "version": "7",
        "memory": "256",
    }
    assert unqualified["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:shop"


def test_an_invocation_can_have_its_log():
    with environment() as made:
        run(made, "print", "before")
        asked = invocation("print", "wanted", tail=True)
        made.run(asked)
        long = invocation("print", "x" * 10_000, tail=True)
        made.run(long)

    lines = asked.log.decode().splitlines()
    assert lines[:3] == [f"START RequestId: {asked.id} Version: $LATEST", "wanted", f"END RequestId: {asked.id}"]
    assert lines[3].startswith(f"REPORT RequestId: {asked.id}\tDuration: ")
    assert len(lines) == 4
    assert len(long.log) == 4096
    assert long.log.decode().splitlines()[-1].startswith(f"REPORT RequestId: {long.id}\t")


def test_what_is_printed_while_starting_comes_first_and_a_line_without_its_end_is_ended():
    log = Log()
    with environment(function(environ={"PROBE_INIT": "print"}), log) as made:
        run(made, "write", "no newline")

    assert [line.partition(":")[0] for line in log.lines] == [
        "while it starts",
        "START RequestId",
        "no newline",
        "END RequestId",
        "REPORT RequestId",
    ]


def test_a_traceback_is_readable():
    log = Log()
    with environment(log=log) as made:
        run(made, "raise", "boom")

    assert log.text.split("\n")[1:3] == ["[ERROR] ValueError: boom", "Traceback (most recent call last):"]


def test_a_process_that_died_while_idle_is_replaced_without_an_error():
    with environment() as made:
        pid = result(made)["pid"]
        os.kill(pid, signal.SIGKILL)
        until(lambda: not lives(pid))

        assert result(made)["calls"] == 1


def test_children_of_a_function_end_with_it():
    with environment() as made:
        child = result(made, "spawn", 60)
        assert lives(child)

    until(lambda: not lives(child))


def test_an_end_is_noticed_though_a_child_holds_the_output():
    with environment() as made:
        child = result(made, "spawn", 60)
        began = time.monotonic()
        seen = error(made, "exit", 1)

    assert seen["errorType"] == "Runtime.ExitError"
    assert time.monotonic() - began < 30
    until(lambda: not lives(child))


def test_environments_are_started_only_as_many_as_there_are_requests():
    with environments(limit=3) as pool:
        pids = {serving(pool) for _ in range(20)}

    assert len(pids) == 1


def test_a_burst_is_served_by_as_many_environments_as_allowed_each_request_by_one():
    with environments(limit=3) as pool:
        asked = [invocation("environment") for _ in range(20)]
        threads = [threading.Thread(target=pool.submit, args=(one,)) for one in asked]
        for thread in threads:
            thread.start()
        pids = [json.loads(one.wait(30).payload)["pid"] for one in asked]
        for thread in threads:
            thread.join()

    assert len(set(pids)) == 3


def test_requests_run_side_by_side_in_different_environments(tmp_path):
    with environments(limit=2) as pool:
        assert len(busy_at_once(pool, tmp_path, 2)) == 2


def test_requests_that_wait_are_served_in_the_order_in_which_they_came():
    with environments(limit=1) as pool:
        first = invocation("sleep", 0.3)
        waiting = [invocation() for _ in range(5)]
        for one in [first, *waiting]:
            pool.submit(one)
        calls = [json.loads(one.wait(10).payload)["calls"] for one in waiting]

    assert calls == [2, 3, 4, 5, 6]


def test_a_stopped_pool_leaves_no_process(tmp_path):
    with environments(limit=2) as pool:
        pids = {serving(pool)}
        pool.submit(invocation("hold", [str(tmp_path / "busy"), str(tmp_path / "never")]))
        pids.add(serving(pool))
        until((tmp_path / "busy").exists)

        pool.stop()

        until(lambda: not any(lives(pid) for pid in pids))
    assert len(pids) == 2


def test_a_request_that_waits_can_be_taken_back(tmp_path):
    go_on = tmp_path / "go on"
    with environments(limit=1) as pool:
        running, waiting = invocation("hold", [str(tmp_path / "begun"), str(go_on)]), invocation()
        pool.submit(running)
        pool.submit(waiting)
        until(lambda: not pool.withdraw(running))

        assert pool.withdraw(waiting)
        assert not pool.withdraw(waiting)
        go_on.touch()
        assert not running.wait(60).failed
        assert waiting.wait(0.1) is None


def test_a_warm_environment_is_preferred_to_a_dead_one(tmp_path):
    with environments(limit=2) as pool:
        pids = busy_at_once(pool, tmp_path, 2)
        dying = invocation("exit", 1)
        pool.submit(dying)
        dying.wait(60)
        time.sleep(0.1)  # until it is idle, and the one that became free last

        assert serving(pool) in pids


def busy_at_once(pool, folder, count):
    """The processes of so many requests, of which none ends before all have begun."""
    go_on = folder / "go on"
    begun = [folder / f"begun {number}" for number in range(count)]
    asked = [invocation("hold", [str(file), str(go_on)]) for file in begun]
    for one in asked:
        pool.submit(one)
    until(lambda: all(file.exists() for file in begun))
    go_on.touch()
    return {json.loads(one.wait(60).payload) for one in asked}


def serving(pool):
    """The process that serves the next request."""
    asked = invocation("environment")
    pool.submit(asked)
    return json.loads(asked.wait(60).payload)["pid"]
