"""SECURITY.md lists every socket that is opened on a user's machine; what really listens is compared with it."""

import os
import re
import threading
from pathlib import Path

import pytest

from tests.support.gateways import gateway
from tests.support.listening import listening
from tests.support.processes import descendants
from tests.support.program import ROOT
from tests.support.pulumi_command import needs_pulumi
from tests.support.sandboxes import ask, serving, with_venvs

LISTED = re.findall(r"^\| ([^|]*?) \| (?:TCP|UDP|Unix)", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)


@pytest.fixture
def state(tmp_path):
    return with_venvs(tmp_path)


def variables_of(pid):
    entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return dict(entry.decode().partition("=")[::2] for entry in entries if entry)


def names_of_functions(pids):
    """The name in the list of each port that a function's processes tell of, by the port."""
    names = {}
    for pid in pids:
        variables = variables_of(pid)
        if variables.get("EVENTS_PORT", "0") != "0":
            names[int(variables["EVENTS_PORT"])] = "a function's events port"
        if "AWS_LAMBDA_RUNTIME_API" in variables:
            names[int(variables["AWS_LAMBDA_RUNTIME_API"].rpartition(":")[2])] = "a function's Runtime API"
    return names


class Watch:
    """Collects whatever a process and its descendants listen on, for as long as it runs."""

    def __init__(self, pid):
        self.seen = set()
        self._pid = pid
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _look(self):
        while not self._end.wait(0.02):
            self.seen |= set(listening(descendants(self._pid)))


@pytest.mark.parametrize(
    "pulumi", [pytest.param(False, id="mocks"), pytest.param(True, marks=needs_pulumi, id="engine")]
)
def test_the_sandbox_opens_the_sockets_that_are_listed_and_no_others(state, pulumi):
    more = {"PATH": os.environ["PATH"]} if pulumi else {}
    with serving(state, "--page-port", "18601", **more) as (process, address, printed), Watch(process.pid) as watch:
        assert ask(address, "/hello") == (200, {"message": "Hello from Flask!"})
        exported = dict(line.strip()[7:].split("=", 1) for line in printed if line.startswith("  export "))
        pids = descendants(process.pid)
        found = listening(pids)
        (page,) = (line.split()[-1] for line in printed if "picture" in line)
        names = {
            int(page.rpartition(":")[2].rstrip("/")): "page of the sandbox",
            int(address.rpartition(":")[2]): "HTTP port of the sandbox",
            int(exported["AWS_ENDPOINT_URL"].rpartition(":")[2]): "AWS of the sandbox",
            int(exported["DUALMODE_RESOLVER"].rpartition(":")[2]): "DNS of the sandbox",
            **names_of_functions(pids),
        }
        if pulumi:
            for entry in exported["PULUMI_DEBUG_PROVIDERS"].split(","):
                package, _, port = entry.partition(":")
                names[int(port)] = "provider of dynamic resources" if package == "pulumi-python" else "provider"
        unnamed = {port for _, port in found} - set(names)
        (http_port,) = unnamed  # of the one function, which chose it itself
        names[http_port] = "a function's HTTP port"
        assert variables_of(found["127.0.0.1", http_port])["PORT"] == "0"
    assert {names[port] for _, port in found} == {
        "HTTP port of the sandbox",
        "page of the sandbox",
        "AWS of the sandbox",
        "DNS of the sandbox",
        "a function's HTTP port",
        "a function's events port",
        "a function's Runtime API",
        *(["provider", "provider of dynamic resources"] if pulumi else []),
    }
    assert set(names.values()) | {"MiniStack"} <= set(LISTED)
    assert {address for address, _ in watch.seen} == {"127.0.0.1"}


def test_gateway_mode_opens_the_sockets_that_are_listed_and_no_others(tmp_path):
    with gateway(tmp_path, GATEWAY_WORKERS="2") as made:
        status, _, _ = made.post("return", 1)
        assert status == 200
        pids = descendants(made.process.pid)
        found = listening(pids)
        apis = names_of_functions(pids)
    assert {address for address, _ in found} == {"127.0.0.1"}
    assert {port for _, port in found} == {made.port, made.events_port, *apis}
    assert {"HTTP port of gateway mode", "events port of gateway mode", "Runtime API of gateway mode"} <= set(LISTED)


def test_the_list_names_each_socket_once():
    assert len(set(LISTED)) == len(LISTED) == 16
