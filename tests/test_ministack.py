import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest

from sandbox.account import Account
from sandbox.errors import SandboxError
from sandbox.ministack import MiniStack
from tests.provided import TRUST

ROOT = Path(__file__).parents[1]

# Starts MiniStack, makes a role, says the ports and waits to be killed.
KILLED = """
import sys, time
from pathlib import Path
from sandbox.account import Account
from sandbox.ministack import MiniStack
with MiniStack(Path(sys.argv[1])) as ministack:
    iam = Account(ministack.endpoint_url, ministack.region).client("iam")
    iam.create_role(RoleName="kept", AssumeRolePolicyDocument=sys.argv[2])
    print(ministack.port, flush=True)
    time.sleep(60)
"""


def roles(ministack):
    iam = Account(ministack.endpoint_url, ministack.region).client("iam")
    return [role["RoleName"] for role in iam.list_roles()["Roles"]]


def answers(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def killed_sandbox(state):
    """Leaves a MiniStack behind whose sandbox was killed; gives its port."""
    sandbox = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(state), TRUST], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    port = int(sandbox.stdout.readline())
    sandbox.kill()
    sandbox.wait()
    sandbox.stdout.close()
    return port


def test_its_environment_leads_other_programs_to_it(tmp_path, monkeypatch):
    with MiniStack(tmp_path) as ministack:
        for name, value in ministack.environment.items():
            monkeypatch.setenv(name, value)
        assert boto3.Session().client("sts").get_caller_identity()["Account"] == "000000000000"


def test_its_state_is_its_owner_s_alone(tmp_path):
    with MiniStack(tmp_path / "state") as ministack:
        assert ministack.state.stat().st_mode & 0o077 == 0


def test_it_listens_on_loopback_only(tmp_path):
    with MiniStack(tmp_path) as ministack:
        sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        listening = [
            fields[1] for fields in sockets if fields[3] == "0A" and fields[1].endswith(f":{ministack.port:04X}")
        ]
        assert listening == [f"0100007F:{ministack.port:04X}"]


def test_its_account_and_port_are_the_same_at_the_next_start(tmp_path):
    with MiniStack(tmp_path) as ministack:
        port, fresh = ministack.port, ministack.forgetful
        Account(ministack.endpoint_url, "us-east-1").client("iam").create_role(
            RoleName="kept", AssumeRolePolicyDocument=TRUST
        )
    assert not answers(port)
    with MiniStack(tmp_path) as ministack:
        assert (ministack.port, roles(ministack), fresh, ministack.forgetful) == (port, ["kept"], True, False)


def test_it_stops_when_what_ran_in_it_fails(tmp_path):
    with pytest.raises(RuntimeError), MiniStack(tmp_path) as ministack:
        raise RuntimeError
    assert not answers(ministack.port)


def test_a_taken_port_is_one_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SandboxError) as caught, MiniStack(tmp_path, port=port):
            pass
    assert str(caught.value) == (
        f"Port {port} on 127.0.0.1 is taken: stop what listens there, or give MiniStack another port."
    )


def test_a_second_sandbox_in_the_same_folder_is_refused(tmp_path):
    with MiniStack(tmp_path):
        with pytest.raises(SandboxError) as caught, MiniStack(tmp_path):
            pass
        assert str(caught.value) == (
            f"Another sandbox (process {os.getpid()}) uses {tmp_path}: stop it, or give this one another state folder."
        )


def test_after_its_sandbox_was_killed_the_next_one_ends_it_and_has_its_account(tmp_path):
    port = killed_sandbox(tmp_path)
    assert answers(port)
    with MiniStack(tmp_path) as ministack:
        assert (roles(ministack), ministack.forgetful) == (["kept"], False)


def test_after_it_was_killed_itself_the_account_is_known_to_be_another(tmp_path):
    with MiniStack(tmp_path) as ministack:
        pid = int((tmp_path / "ministack.pid").read_text())
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 5
        while answers(ministack.port) and time.monotonic() < deadline:
            pass
    with MiniStack(tmp_path) as ministack:
        assert ministack.forgetful


def test_variables_of_the_user_that_it_would_read_too_do_not_reach_it(tmp_path, monkeypatch):
    monkeypatch.setenv("SERVICES", "s3")
    monkeypatch.setenv("BIND_HOST", "0.0.0.0")
    with MiniStack(tmp_path) as ministack:
        assert roles(ministack) == []


def test_a_reset_empties_the_account(tmp_path):
    with MiniStack(tmp_path) as ministack:
        Account(ministack.endpoint_url, "us-east-1").client("iam").create_role(
            RoleName="gone", AssumeRolePolicyDocument=TRUST
        )
        ministack.reset()
        assert roles(ministack) == []


def test_its_account_is_spoken_to_whatever_profile_and_proxy_the_user_has(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with MiniStack(tmp_path) as ministack:
        assert roles(ministack) == []


def test_every_client_of_an_account_is_made_once(tmp_path):
    account = Account("http://127.0.0.1:9", "us-east-1")
    assert account.client("lambda") is account.client("lambda")
