"""The user's own account, plugins and files are out of reach for all that the sandbox runs."""

import contextlib
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

import boto3
import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox import variables
from sandbox.errors import SandboxError
from sandbox.provider.provider import Provider
from sandbox.pulumi_drivers import callers, deployment
from sandbox.pulumi_drivers.project_contexts import ProjectContexts
from sandbox.pulumi_drivers.servicer import Servicer, serving
from tests.support.planted import is_planted, plant
from tests.support.provided import IMAGE, ContentBuilder, write_program
from tests.support.pulumi_command import needs_pulumi
from tests.support.tasks import task

DRIVERS = ["mocks", pytest.param("engine", marks=needs_pulumi)]

CURIOUS = """
    import json, os, pathlib, subprocess
    import boto3
    import pulumi

    pathlib.Path("environ.json").write_text(json.dumps(dict(os.environ)))
    pathlib.Path("child.json").write_text(json.dumps(subprocess.check_output(["env", "-0"], text=True)))
    sts = boto3.client("sts")
    pathlib.Path("key").write_text(sts._request_signer._credentials.access_key)
    pulumi.export("account", sts.get_caller_identity()["Account"])
    pulumi.export("buckets", len(boto3.client("s3").list_buckets()["Buckets"]))
"""
# A resource of another package and its provider, as they are in a state.
FOREIGN = [
    {
        "urn": "urn:pulumi:dev::small::pulumi:providers:random::default",
        "custom": True,
        "id": "6f1ae9a0-2f3c-4b0e-9d2b-0d1a3a1b1c1d",
        "type": "pulumi:providers:random",
    },
    {
        "urn": "urn:pulumi:dev::small::random:index/randomId:RandomId::old",
        "custom": True,
        "id": "1",
        "type": "random:index/randomId:RandomId",
        "provider": "urn:pulumi:dev::small::pulumi:providers:random::default::6f1ae9a0-2f3c-4b0e-9d2b-0d1a3a1b1c1d",
    },
]
CALL = """
import grpc, sys
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc
with grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}") as channel:
    try:
        provider_pb2_grpc.ResourceProviderStub(channel).GetPluginInfo(empty_pb2.Empty(), timeout=20)
        print("OK")
    except grpc.RpcError as error:
        print(error.code().name)
"""


@pytest.fixture(scope="module")
def state(ministack):
    return ministack.state


@pytest.fixture
def planted(monkeypatch, tmp_path, ministack, account):
    """This very process, started from a shell that has somebody's credentials in it."""
    planted, listener = plant(tmp_path)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with listener:
        for name, value in planted.variables.items():
            monkeypatch.setenv(name, value)
        yield planted


@pytest.fixture
def on_path(monkeypatch, tmp_path):
    """Puts a program first on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def add(name, script):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
        if not os.environ["PATH"].startswith(f"{folder}:"):
            monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    return add


@pytest.fixture
def deploy(ministack, state, monkeypatch):
    """Deploys a program by one of the drivers, from scratch."""
    shutil.rmtree(state / "pulumi", ignore_errors=True)

    def deploy(driver, project, builder=None):
        monkeypatch.setattr(deployment, "pulumi_driver", lambda: driver)
        deployment.prepare(ministack)
        return deployment.deploy(task(project, ministack, images=builder))

    return deploy


def own_variables(environment):
    return {name: value for name, value in environment.items() if name.startswith("AWS_")}


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_program_has_the_sandboxs_account_and_nothing_of_the_users(driver, deploy, planted, ministack, tmp_path):
    before = dict(os.environ)
    program = write_program(tmp_path / "curious", CURIOUS)
    boto3.setup_default_session(aws_access_key_id="AKIAKEPT", aws_secret_access_key="kept")
    kept = boto3.DEFAULT_SESSION
    deployed = deploy(driver, program)
    assert boto3.DEFAULT_SESSION is kept
    assert (program / "key").read_text() == ministack.variables["AWS_ACCESS_KEY_ID"]
    assert (deployed.outputs["account"], deployed.outputs["buckets"]) == ("000000000000", 0)
    seen = json.loads((program / "environ.json").read_text())
    assert own_variables(seen) == {
        **ministack.variables,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    child = dict(line.split("=", 1) for line in json.loads((program / "child.json").read_text()).split("\0") if line)
    assert own_variables(child) == own_variables(seen)
    for environment in (seen, child):
        assert [name for name, value in environment.items() if is_planted(name, value, planted)] == []
    assert planted.heard == []
    assert dict(os.environ) == before


def test_the_users_variables_are_back_after_a_program_that_fails(deploy, planted, tmp_path):
    before = dict(os.environ)
    with pytest.raises(SandboxError):
        deploy("mocks", write_program(tmp_path / "broken", "import os\nos.environ['LEFT'] = '1'\nundefined\n"))
    assert dict(os.environ) == before


@needs_pulumi
def test_the_pulumi_command_has_nothing_of_the_users(deploy, planted, on_path, tmp_path):
    record = tmp_path / "engine"
    on_path("pulumi", f'env -0 >> {record}\nexec {shutil.which("pulumi")} "$@"')
    deploy("engine", write_program(tmp_path / "program", "import pulumi\n"))
    seen = [line.split("=", 1) for line in record.read_text().split("\0") if line]
    assert len(seen) > 50
    assert [name for name, value in seen if is_planted(name, value, planted)] == []
    assert planted.heard == []


@pytest.mark.parametrize(
    ("source", "what"),
    [
        (
            'pulumi.CustomResource("random:index/randomId:RandomId", "token", {"byteLength": 4})',
            "random:index/randomId:RandomId 'token'",
        ),
        ('pulumi.ProviderResource("random", "mine", {})', "pulumi:providers:random 'mine'"),
        (
            'pulumi.ComponentResource("random:index:Both", "both", {}, None, True)',
            "random:index:Both 'both'",
        ),
        ('pulumi.runtime.invoke("random:index:get", {})', "random:index:get"),
        (
            'pulumi.CustomResource("random:index/randomId:RandomId", "old", {}, pulumi.ResourceOptions(id="1"))',
            "random:index/randomId:RandomId 'old'",
        ),
    ],
    ids=["resource", "provider", "remote component", "function", "existing resource"],
)
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_package_that_nobody_here_stands_in_for_is_refused_before_its_plugin_starts(
    driver, source, what, deploy, on_path, tmp_path
):
    started = tmp_path / "started"
    on_path("pulumi-resource-random", f"env > {started}\nexit 1")
    with pytest.raises(SandboxError) as refused:
        deploy(driver, write_program(tmp_path / "foreign", f"import pulumi\n{source}\n"))
    assert str(refused.value) == (
        f"{what}: the sandbox starts no plugin and has providers for aws, awsx and docker-build only, not for random."
    )
    assert not started.exists()


@needs_pulumi
def test_another_terminals_pulumi_starts_no_plugin_either(deploy, ministack, on_path, tmp_path):
    started = tmp_path / "started"
    on_path("pulumi-resource-random", f"env > {started}\nexit 1")
    program = write_program(tmp_path / "program", "import pulumi\n")
    deploy("engine", program)
    with deployment.serving_others(task(program, ministack)) as lines:
        environment = {**os.environ, **ministack.variables, **lines}

        def pulumi(*arguments, **more):
            command = ["pulumi", "--non-interactive", *arguments, "--stack", "dev"]
            return subprocess.run(
                command, cwd=program, env=environment, capture_output=True, text=True, timeout=60, **more
            )

        content = json.loads(pulumi("stack", "export").stdout)
        content["deployment"]["resources"] += FOREIGN
        assert pulumi("stack", "import", input=json.dumps(content)).returncode == 0
        destroyed = pulumi("destroy", "--yes", "--skip-preview")
    assert "no resource plugin 'pulumi-resource-random'" in destroyed.stdout + destroyed.stderr
    assert not started.exists()


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_build_context_outside_the_project_is_refused(driver, deploy, tmp_path):
    builder = ContentBuilder()
    (tmp_path / "outside").mkdir()
    program = write_program(tmp_path / "program", IMAGE)
    (program / "app").symlink_to("../outside")
    with pytest.raises(SandboxError) as refused:
        deploy(driver, program, builder)
    assert (
        f"The build context {program}/app is outside the project's folder {program}, "
        "but the sandbox builds only what is in that folder: move it there."
    ) in str(refused.value)
    assert builder.builds == []


@pytest.mark.parametrize(
    ("context", "dockerfile", "said"),
    [
        ("..", "Dockerfile", "The build context "),
        ("/", "Dockerfile", "The build context "),
        (".", "../Dockerfile", "The Dockerfile "),
        (".", "linked", "The Dockerfile "),
    ],
)
def test_nothing_outside_the_project_is_read_for_a_build(tmp_path, context, dockerfile, said):
    project = tmp_path / "project"
    project.mkdir()
    (project / "linked").symlink_to("/etc/hostname")
    builder = ContentBuilder()
    with pytest.raises(SandboxError, match=f"^{said}.* is outside the project's folder "):
        ProjectContexts(builder, project).build(
            context=project / context, dockerfile=project / dockerfile, args={}, platform="linux/amd64"
        )
    assert builder.builds == []


@pytest.fixture
def servicer(account, tmp_path):
    return Servicer(Provider(account, ContentBuilder(), tmp_path), account.region)


def call(port):
    command = [sys.executable, "-c", CALL, str(port)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def test_the_provider_answers_the_command_that_was_started_for_it_and_no_other_process(servicer):
    # The client is a child of the command, as the engine's own are.
    script = f"read port; \"$0\" -c '{CALL}' $port; exit"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with (
        subprocess.Popen(["sh", "-c", script, sys.executable], **pipes) as command,
        serving(servicer, callers.started_by(lambda: command.pid)) as port,
    ):
        stranger = call(port)
        answer, _ = command.communicate(f"{port}\n", timeout=60)
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel, pytest.raises(grpc.RpcError) as refused:
            provider_pb2_grpc.ResourceProviderStub(channel).Cancel(empty_pb2.Empty(), timeout=20)
    assert (stranger, answer) == ("PERMISSION_DENIED", "OK\n")
    assert (refused.value.code(), refused.value.details()) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "This is the provider of a running sandbox: only the pulumi command of that sandbox may call it.",
    )


@needs_pulumi
def test_while_the_engine_is_at_work_no_other_process_is_answered(deploy, on_path, tmp_path):
    record = tmp_path / "port"
    on_path("pulumi", f'printenv PULUMI_DEBUG_PROVIDERS > {record}\nexec {shutil.which("pulumi")} "$@"')
    source = f"""
        import pathlib, subprocess, sys
        import pulumi
        import pulumi_aws as aws

        def ask(_arn):
            port = pathlib.Path({str(record)!r}).read_text().rpartition(":")[2].strip()
            return subprocess.check_output([sys.executable, "-c", {CALL!r}, port], text=True)

        pulumi.export("stranger", aws.cloudwatch.LogGroup("made", name="made").arn.apply(ask))
    """
    deployed = deploy("engine", write_program(tmp_path / "asking", source))
    assert (deployed.outputs["stranger"], deployed.changes["create"]) == ("PERMISSION_DENIED\n", 2)


def test_while_no_command_runs_the_provider_answers_nobody(servicer):
    with serving(servicer, callers.started_by(lambda: None)) as port:
        assert call(port) == "PERMISSION_DENIED"


def test_a_process_that_is_not_pulumi_is_refused_though_it_has_its_variables(ministack, tmp_path):
    with deployment.serving_others(task(write_program(tmp_path / "program", ""), ministack)) as lines:
        port = lines["PULUMI_DEBUG_PROVIDERS"].rpartition(":")[2]
        pulumi = tmp_path / "pulumi"
        shutil.copy(Path(sys.executable).resolve(), pulumi)
        own = {"PYTHONHOME": sys.base_prefix, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        run = ["-c", CALL, port]
        answers = [
            subprocess.run([program, *run], env=environment, capture_output=True, text=True, timeout=60).stdout
            for program, environment in (
                (sys.executable, {**os.environ, **lines}),
                (pulumi, {**os.environ, **own}),
                (pulumi, {**os.environ, **own, **lines}),
            )
        ]
    assert answers == ["PERMISSION_DENIED\n", "PERMISSION_DENIED\n", "OK\n"]


class RefusedError(Exception):
    pass


class Context:
    def __init__(self, peer):
        self.peer = lambda: peer

    def abort(self, code, sentence):
        raise RefusedError(code)


def connected_from_a_port_of_its_own(there):
    """A connection from a port that the kernel gives to nobody who doesn't ask for it."""
    for port in range(20000 + os.getpid() % 5000, 30000):
        with contextlib.suppress(OSError):
            return socket.create_connection(there, source_address=("127.0.0.1", port))
    pytest.fail("every port from 20000 to 30000 is taken")


def test_another_process_does_not_inherit_a_closed_connections_permission():
    door = callers.OnlyFrom(lambda: [os.getpid()])
    handler = grpc.unary_unary_rpc_method_handler(lambda request, context: "answered")
    checked = door.intercept_service(lambda details: handler, None).unary_unary
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = server.getsockname()
        door.listening_on(there[1])
        with connected_from_a_port_of_its_own(there) as ours:
            accepted, here = server.accept()
            peer = f"ipv4:{here[0]}:{here[1]}"
            assert checked(None, Context(peer)) == "answered"
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # its port is free at once
        accepted.close()
        script = (
            "import socket, sys\ns = socket.socket()\ns.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
            f"s.bind({here!r})\ns.connect({there!r})\nprint('connected', flush=True)\nsys.stdin.read()\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout.readline() == "connected\n"
            taken, _ = server.accept()
            with taken, pytest.raises(RefusedError):
                checked(None, Context(peer))
            other.stdin.close()


def test_other_threads_always_have_the_users_variables_at_hand(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/user/1000/docker.sock")
    monkeypatch.setenv("AWS_PROFILE", "work")
    with variables.in_place(variables.reaching({"AWS_REGION": "us-east-1"})):
        assert ("DOCKER_HOST" in os.environ, "AWS_PROFILE" in os.environ) == (False, False)
        assert variables.building()["DOCKER_HOST"] == "unix:///run/user/1000/docker.sock"
        assert "AWS_PROFILE" not in variables.building()
    assert os.environ["AWS_PROFILE"] == "work"
