import io
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3
import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError

from sandbox.errors import SandboxError
from sandbox.ministack import MiniStack
from tests.support.listening import listening
from tests.support.processes import lives
from tests.support.provided import TRUST
from tests.support.waiting import until
from walk.account import Account

ROOT = Path(__file__).parents[2]

# Starts MiniStack, makes a role, says its process and waits to be killed.
KILLED = """
import sys, time
from pathlib import Path
from walk.account import Account
from sandbox.ministack import MiniStack
with MiniStack(Path(sys.argv[1])) as ministack:
    iam = Account(ministack.endpoint_url, ministack.region, ministack.credentials).client("iam")
    iam.create_role(RoleName="kept", AssumeRolePolicyDocument=sys.argv[2])
    print((ministack.state / "ministack.pid").read_text(), end="", flush=True)
    time.sleep(60)
"""


def roles(ministack):
    iam = Account(ministack.endpoint_url, ministack.region, ministack.credentials).client("iam")
    return [role["RoleName"] for role in iam.list_roles()["Roles"]]


def process_of(state):
    return int((state / "ministack.pid").read_text())


def is_served(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def killed_sandbox(state):
    """Leaves a MiniStack behind whose sandbox was killed; gives its process."""
    sandbox = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(state), TRUST], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    pid = int(sandbox.stdout.readline())
    sandbox.kill()
    sandbox.wait()
    sandbox.stdout.close()
    return pid


def test_its_environment_leads_other_programs_to_it(tmp_path, monkeypatch):
    with MiniStack(tmp_path) as ministack:
        for name, value in ministack.variables.items():
            monkeypatch.setenv(name, value)
        assert boto3.Session().client("sts").get_caller_identity()["Account"] == "000000000000"


def test_its_state_is_its_owner_s_alone(tmp_path):
    with MiniStack(tmp_path / "state") as ministack:
        assert ministack.state.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="there is no /proc")
def test_it_listens_on_no_port_and_its_guard_on_loopback_only(tmp_path):
    with MiniStack(tmp_path) as ministack:
        assert roles(ministack) == []
        assert listening({process_of(tmp_path)}) == {}
        assert ("127.0.0.1", ministack.port) in listening({os.getpid()})
        socket_file = tmp_path / "ministack.sock"
        assert stat.filemode(socket_file.stat().st_mode) == "srw-------"
    assert not socket_file.exists()


def test_its_state_may_lie_deeper_than_a_socket_s_path_may_be_long(tmp_path):
    with MiniStack(tmp_path / ("long" * 30) / "state") as ministack:
        assert roles(ministack) == []


def test_a_path_that_is_too_long_where_there_is_no_proc_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("sandbox.ministack._DESCRIPTORS", tmp_path / "proc")
    state = tmp_path / ("long" * 30)
    with pytest.raises(SandboxError) as caught, MiniStack(state):
        pass
    assert str(caught.value) == (
        f"The path {state}/ministack.sock is too long for a socket, whose limit is 103 bytes: "
        "give --state a folder with a shorter path."
    )


def test_its_credentials_are_others_at_each_start(tmp_path):
    with MiniStack(tmp_path) as ministack:
        first = ministack.credentials
    with MiniStack(tmp_path) as ministack:
        assert not {first.access_key, first.secret_key} & {*ministack.credentials}
        with pytest.raises(ClientError) as refused:
            Account(ministack.endpoint_url, ministack.region, first).client("iam").list_roles()
    assert refused.value.response["Error"]["Code"] == "InvalidClientTokenId"


def test_it_runs_no_function_of_anybody(tmp_path):
    canary = tmp_path / "ran"
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", f"def handler(event, context):\n    open({str(canary)!r}, 'w').close()\n")
    with MiniStack(tmp_path / "state") as ministack:
        account = Account(ministack.endpoint_url, ministack.region, ministack.credentials)
        role = account.client("iam").create_role(RoleName="web", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        functions = account.client("lambda")
        functions.create_function(
            FunctionName="web",
            Role=role,
            Runtime="python3.12",
            Handler="index.handler",
            Code={"ZipFile": code.getvalue()},
        )
        answer = functions.invoke(FunctionName="web")
        assert answer["FunctionError"] == "Unhandled"
        assert "Docker" in json.load(answer["Payload"])["errorMessage"]
    assert not canary.exists()


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc")
def test_it_is_told_of_no_docker_so_that_it_finds_none(tmp_path):
    with MiniStack(tmp_path) as ministack:
        assert roles(ministack) == []
        told = Path(f"/proc/{process_of(tmp_path)}/environ").read_text().split("\0")
    # Without the variable, docker's own library takes the daemon's usual socket.
    assert [line for line in told if line.startswith("DOCKER")] == ["DOCKER_HOST=unix:///dev/null/none"]


def test_services_that_nothing_here_needs_are_not_there(tmp_path):
    with MiniStack(tmp_path) as ministack:
        account = Account(ministack.endpoint_url, ministack.region, ministack.credentials)
        with pytest.raises(ClientError):
            account.client("codebuild").list_projects()


def test_its_account_and_port_are_the_same_at_the_next_start(tmp_path):
    with MiniStack(tmp_path) as ministack:
        port, fresh = ministack.port, ministack.forgetful
        Account(ministack.endpoint_url, "us-east-1", ministack.credentials).client("iam").create_role(
            RoleName="kept", AssumeRolePolicyDocument=TRUST
        )
    assert not is_served(port)
    with MiniStack(tmp_path) as ministack:
        assert (ministack.port, roles(ministack), fresh, ministack.forgetful) == (port, ["kept"], True, False)


def test_it_stops_when_what_ran_in_it_fails(tmp_path):
    with pytest.raises(FileNotFoundError), MiniStack(tmp_path) as ministack:
        (tmp_path / f"nothing-of-{(pid := process_of(tmp_path))}").read_text()
    assert (lives(pid), is_served(ministack.port)) == (False, False)


def test_a_taken_port_is_one_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SandboxError) as caught, MiniStack(tmp_path, port=port):
            pass
    assert str(caught.value) == (
        f"Port {port} on 127.0.0.1 is in use: stop the program that uses it, or choose another port."
    )


def test_a_second_sandbox_in_the_same_folder_is_refused(tmp_path):
    with MiniStack(tmp_path):
        with pytest.raises(SandboxError) as caught, MiniStack(tmp_path):
            pass
        assert str(caught.value) == (
            f"Another sandbox (process {os.getpid()}) uses {tmp_path}: stop it, or give this one a folder "
            "and a port of its own, such as --state .sandbox-2 --port 8001."
        )


def test_after_its_sandbox_was_killed_the_next_one_ends_it_and_has_its_account(tmp_path):
    pid = killed_sandbox(tmp_path)
    assert lives(pid)
    with MiniStack(tmp_path) as ministack:
        assert (roles(ministack), ministack.forgetful, lives(pid)) == (["kept"], False, False)


def test_after_it_was_killed_itself_the_account_is_known_to_be_another(tmp_path):
    with MiniStack(tmp_path):
        pid = process_of(tmp_path)
        os.kill(pid, signal.SIGKILL)
        until(lambda: not lives(pid))
    with MiniStack(tmp_path) as ministack:
        assert ministack.forgetful


def test_variables_of_the_user_that_it_would_read_too_do_not_reach_it(tmp_path, monkeypatch):
    monkeypatch.setenv("SERVICES", "s3")
    monkeypatch.setenv("BIND_HOST", "0.0.0.0")
    with MiniStack(tmp_path) as ministack:
        assert roles(ministack) == []


def test_a_reset_empties_the_account(tmp_path):
    with MiniStack(tmp_path) as ministack:
        Account(ministack.endpoint_url, "us-east-1", ministack.credentials).client("iam").create_role(
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
    account = Account("http://127.0.0.1:9", "us-east-1", ReadOnlyCredentials("key", "secret", None))
    assert account.client("lambda") is account.client("lambda")


def test_an_account_elsewhere_is_never_sent_the_user_s_own_credentials():
    with pytest.raises(ValueError, match="has no credentials"):
        Account("http://127.0.0.1:9", "us-east-1")
