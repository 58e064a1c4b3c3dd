"""Between requests a function is frozen, as on Lambda; and what that and other limits mean for it is said once."""

import http.client
import json
import logging
from pathlib import Path

import pytest

from tests.support.gateways import environment, error, function, gateway, invocation, result, run
from tests.support.processes import lives
from tests.support.waiting import until

NEAR = 6 * 1024 * 1024 - 100_000


def state(pid):
    """A process's state as the kernel names it: T for stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.fixture
def said(caplog):
    """The sentences of advice so far."""
    caplog.set_level(logging.WARNING, "dualmode.gateway.lambda_.advice")
    return lambda: [record.getMessage() for record in caplog.records]


def test_a_function_is_frozen_between_requests_with_all_that_it_started():
    with environment() as made:
        pid = result(made, "environment")["pid"]
        until(lambda: state(pid) == "T")
        child = result(made, "spawn", 60)
        until(lambda: state(child) == "T")
        assert result(made)["pid"] == pid  # and serves the next request all the same
        until(lambda: state(pid) == "T")


def test_a_frozen_function_is_killed_at_once():
    with environment() as made:
        pid = result(made, "environment")["pid"]
        until(lambda: state(pid) == "T")
        made.kill()
        assert not lives(pid)


def test_a_frozen_functions_memory_and_time_are_told_as_before():
    with environment(function(timeout=1.0)) as made:
        result(made, "allocate", 50_000_000)
        assert error(made, "sleep", 30)["errorMessage"].endswith("Task timed out after 1.00 seconds")
        assert result(made, "return", 1) == 1


def test_a_thread_that_goes_on_is_said_once(said):
    with environment() as made:
        run(made, "thread", 60)
        assert said() == [
            "A thread still runs after the response: Lambda freezes it, as the gateway does, until the next request, "
            "which may never come. Finish the work before you respond, or send it to a queue such as SQS."
        ]
        run(made, "thread", 60)
        assert len(said()) == 1


def test_a_thread_that_waits_for_work_is_not_said(said):
    with environment() as made:
        assert result(made, "pool") == result(made, "environment")["pid"]
        assert said() == []


def test_a_response_near_the_limit_is_said_once(said):
    with environment() as made:
        run(made, "repeat", ["x", 5_000_000])
        assert said() == []
        run(made, "repeat", ["x", NEAR])
        run(made, "repeat", ["x", NEAR])
        assert said() == [
            "A response of 5.9 MB, as Lambda counts it (as JSON, binary content in base64), is near the limit of "
            "6 MB: above it, the client gets 500. Let clients fetch large files from S3."
        ]


def test_a_start_that_takes_longer_than_lambda_gives_it_is_said_once(said):
    with environment(function(environ={"PROBE_INIT": "sleep 1"}, init_timeout=0.3)) as made:
        assert result(made, "return", 1) == 1
        assert said() == [
            "The application took longer than 0.3 s to start: Lambda then ends it and starts it again in the "
            "first request's own time. Import less, or load what is large when it is first needed."
        ]


def test_a_request_for_a_websocket_is_said_once_and_served_as_a_plain_one(tmp_path):
    upgrade = (("Host", "h"), ("Connection", "Upgrade"), ("Upgrade", "websocket"))
    with gateway(tmp_path) as made:
        for _ in range(2):
            connection = http.client.HTTPConnection("127.0.0.1", made.port, timeout=30)
            connection.request("GET", "/ws", headers=dict(upgrade))
            assert connection.getresponse().status == 200
            connection.close()
        assert made.log.read_text().count("gateway: A client asks for a WebSocket: an HTTP API has none") == 1


def test_the_gateway_says_advice_once_for_all_its_environments(tmp_path):
    with gateway(tmp_path, GATEWAY_WORKERS="2") as made:
        for _ in range(2):
            made.invoke(invocation("thread", 60).event)
        answers = [json.loads(made.invoke(invocation("pid after", 0.1).event)[2]) for _ in range(2)]
        assert all(answers)
        assert made.log.read_text().count("gateway: A thread still runs after the response") == 1
