import asyncio
import json
import os
import shutil
import signal
import subprocess
import threading
from concurrent import futures
from textwrap import dedent

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.automation._server import LanguageServer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from sandbox import settings
from sandbox.errors import SandboxError, SettingsError
from sandbox.provider.provider import Provider
from sandbox.pulumi_drivers import engine_driver, mocks_driver, program
from sandbox.pulumi_drivers.servicer import Servicer
from tests.support.provided import (
    IMAGE,
    MISSPELT,
    ROOT,
    SCHEMA,
    ContentBuilder,
    copy_program,
    make_zone,
    push_image,
    write_program,
)
from tests.support.pulumi_command import needs_pulumi
from walk.account import Account

pytestmark = needs_pulumi

ROLE = dedent("""\
    import json
    import pulumi
    import pulumi_aws as aws

    config = pulumi.Config()
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = aws.iam.Role(
        "web",
        assume_role_policy=json.dumps(trust),
        description=config.require("description"),
        path=config.require("path"),
    )
    pulumi.export("role_name", role.name)
    pulumi.export("token", pulumi.Output.secret("hunter2"))
""")
CONFIG = """
    config:
      description: {type: string, default: one}
      path: {type: string, default: /}
      token: {type: string, secret: true}
"""


@pytest.fixture(scope="module")
def whole_account(ministack):
    return Account(ministack.endpoint_url, ministack.region, ministack.credentials)


@pytest.fixture
def account(ministack, whole_account):
    """The account, emptied."""
    ministack.reset()
    return whole_account


def engines(ministack, account, state):
    """Makes the engine of a program, with its state in a folder."""

    def engine(folder, **chosen):
        project = settings.load_project(folder)
        provider = Provider(account, ContentBuilder(), folder)
        config = settings.load(project, "dev", chosen)
        servicer = Servicer(provider, account.region)
        return engine_driver.Engine(project, config, provider, servicer, state, ministack.program_variables)

    return engine


@pytest.fixture
def engine(ministack, account, tmp_path):
    return engines(ministack, account, tmp_path / "state")


@pytest.fixture(scope="module")
def settled(ministack, whole_account, tmp_path_factory):
    """A stack that is deployed already, for what is to be seen of it; its state and program are in folders beside."""
    ministack.reset()
    folder = tmp_path_factory.mktemp("settled")
    write_program(folder / "program", ROLE, CONFIG)
    engine = engines(ministack, whole_account, folder / "state")(folder / "program", token="hunter3")
    engine.up()
    engine.folder = folder
    return engine


@pytest.fixture
def small(tmp_path):
    return write_program(tmp_path / "small", ROLE, CONFIG)


def test_a_preview_makes_nothing_and_an_up_of_the_real_program_makes_the_tree_that_mocks_make(
    engine, account, ministack
):
    make_zone(account)
    chosen = {"imageUri": push_image(account), "domainName": "app.sandbox.test", "environment": {"TOKEN": "hunter2"}}
    first = engine(ROOT, **chosen)
    planned = first.preview()
    assert account.client("lambda").list_functions()["Functions"] == []
    lines = []
    assert (planned, first.up(lines.append)) == ({"create": len(first.resources())}, planned)
    made = tree(first.resources())
    assert "created  aws:lambda:Function function-function" in lines
    assert "hunter2" not in repr(first.resources())
    assert first.destroy() == {"delete": planned["create"]}

    project = settings.load_project(ROOT)
    config = settings.load(project, "dev", chosen)
    dns = ministack.program_variables
    _, resources = mocks_driver.deploy(project, config, Provider(account, ContentBuilder(), ROOT), dns, lambda _: None)
    assert tree(resources) == made


def test_an_image_component_is_built_once_for_each_content_and_what_uses_it_follows(engine, tmp_path):
    folder = write_program(tmp_path / "image", IMAGE)
    (folder / "app").mkdir()
    (folder / "app" / "app.txt").write_text("one")
    small = engine(folder)
    assert small.up() == {"create": 5}
    assert small.up() == {"same": 5}
    by_name = {resource.name: resource for resource in small.resources()}
    assert by_name["latest"].urn in by_name["after"].dependencies
    (folder / "app" / "app.txt").write_text("two")
    assert small.preview() == {"same": 3, "update": 2}
    before = small.resources()[0].outputs["image_uri"]
    assert small.up() == {"same": 3, "update": 2}
    assert small.resources()[0].outputs["image_uri"] != before


def test_an_input_that_can_not_be_changed_replaces_the_resource(engine, account, small):
    engine(small, token="t").up()
    (old,) = roles(account)
    assert engine(small, token="t", path="/app/").up() == {"replace": 1, "same": 1}
    (new,) = roles(account)
    assert (new != old, roles(account)[new]["Path"]) == (True, "/app/")


def test_secrets_are_in_no_file_of_the_state(settled):
    texts = [path.read_text(errors="replace") for path in (settled.folder / "state").rglob("*") if path.is_file()]
    assert any("role_name" in text for text in texts)
    assert not any("hunter" in text for text in texts)
    assert settled.resources()[0].outputs["token"] == "[secret]"


def test_nothing_is_written_beside_the_program(settled):
    written = {path.name for path in (settled.folder / "program").iterdir()} - {"__pycache__"}
    assert written == {"Pulumi.yaml", "__main__.py"}


def test_a_preview_refuses_a_misspelt_nested_key(engine, account, tmp_path):
    folder = copy_program(tmp_path, "infra/container_function.py", *MISSPELT)
    with pytest.raises(
        SandboxError, match=r"loggingConfig\.log_gruop: is not an input of this type: check its spelling"
    ):
        engine(folder, imageUri=push_image(account)).preview()


def test_a_refusal_is_the_providers_own_sentence_and_does_not_tell_a_secret(engine, tmp_path):
    source = ROLE.replace('path=config.require("path")', 'path=pulumi.Output.secret("hunter2")')
    with pytest.raises(SandboxError) as caught:
        engine(write_program(tmp_path / "told", source, CONFIG), token="t").up()
    assert str(caught.value).startswith(
        "aws:iam/role:Role 'web': ValidationException: path: Value '[secret]' at 'path' failed to satisfy constraint: "
    )


def test_a_mistake_in_the_program_is_one_sentence_with_its_line(engine, tmp_path):
    folder = write_program(tmp_path / "mistaken", "import pulumi\n\nundefined\n")
    with pytest.raises(SandboxError) as caught:
        engine(folder).up()
    assert str(caught.value) == "__main__.py, line 3: NameError: name 'undefined' is not defined"


def test_a_program_that_refuses_its_settings_says_so(engine):
    with pytest.raises(SettingsError) as caught:
        engine(ROOT, timeout=99).preview()
    assert str(caught.value) == "timeout is 99, but API Gateway gives up after 30 s: set 29 or less."


def test_another_region_than_the_accounts_is_refused(engine, small):
    with pytest.raises(SandboxError, match="eu-west-1, but the sandbox's account is used only in us-east-1"):
        engine(small, **{"token": "t", "aws:region": "eu-west-1"}).up()


def test_what_was_cut_off_while_it_was_made_is_made_again(engine, account, small, tmp_path):
    deployed = engine(small, token="t")
    deployed.up()
    (name,) = roles(account)
    cut_off(tmp_path / "state", "aws:iam/role:Role")
    assert list(roles(account)) == [name]
    assert deployed.up() == {"create": 1, "same": 1}
    assert len(roles(account)) == 1
    assert deployed.up() == {"same": 2}


def test_a_state_that_was_cut_off_is_gone_on_from_the_one_before_it_and_what_was_being_made_then_is_made_once(
    engine, account, small, tmp_path
):
    deployed = engine(small, token="t")
    deployed.up()
    cut_off(tmp_path / "state", "aws:iam/role:Role")
    file = checkpoint_in(tmp_path / "state")
    shutil.copy(file, f"{file}.bak")
    file.write_text(file.read_text()[:1000])
    lines = []
    assert deployed.up(lines.append) == {"create": 1, "same": 1}
    assert lines[0] == "The stack's state was cut off while it was written: going on from the one before it"
    assert (len(roles(account)), deployed.up()) == (1, {"same": 2})
    for cut in (file, file.with_name("dev.json.bak")):
        cut.write_text("")
    with pytest.raises(
        SandboxError, match=r"dev\.json\.bak, were cut off while they were written: begin anew with anoth"
    ):
        deployed.up()


def test_the_first_state_of_a_stack_may_be_cut_off(engine, small, tmp_path):
    file = tmp_path / "state/pulumi/backend/.pulumi/stacks/small/dev.json"
    file.parent.mkdir(parents=True)
    file.write_text("")
    assert engine(small, token="t").up() == {"create": 2}
    assert checkpoint_in(tmp_path / "state") == file


def test_the_command_writes_nothing_that_a_kill_can_cut_off_and_goes_on_where_an_earlier_one_did(settled):
    backend = settled.folder / "state/pulumi/backend"
    assert list(backend.rglob("*.attrs")) == []
    file = checkpoint_in(settled.folder / "state")
    file.with_name("dev.json.attrs").write_text("")  # "failed to load checkpoint: EOF"
    assert settled.up() == {"same": 2}


def test_a_command_that_is_at_work_is_not_disturbed_and_the_lock_of_a_killed_one_is_taken_away(settled):
    lock = write_lock(settled.folder / "state", pid=os.getpid())
    with pytest.raises(SandboxError) as caught:
        settled.up()
    assert (
        str(caught.value)
        == f"Another pulumi command (process {os.getpid()}) is working on stack dev: wait until it ends."
    )
    assert lock.exists()
    write_lock(settled.folder / "state", pid=999_999_999)
    assert settled.up() == {"same": 2}
    assert not lock.exists()


@pytest.mark.usefixtures("interruptible")
def test_after_ctrl_c_what_had_begun_is_in_the_state_and_the_next_up_goes_on(engine, account, tmp_path):
    source = ROLE + dedent("""\
        for number in range(30):
            after = pulumi.ResourceOptions(depends_on=[role])
            role = aws.iam.Role(f"role{number}", assume_role_policy=json.dumps(trust), opts=after)
    """)
    deployed = engine(write_program(tmp_path / "long", source, CONFIG), token="t")
    pressed = threading.Event()

    def press_ctrl_c(_line):
        if not pressed.is_set():
            pressed.set()
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        deployed.up(press_ctrl_c)
    made = len(roles(account))
    assert 0 < made < 31
    assert sum(resource.type == "aws:iam/role:Role" for resource in deployed.resources()) == made
    assert deployed.up() == {"create": 31 - made, "same": made + 1}


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """Runs the command alone on a stack's settings; gives its values, or nothing where it refuses them."""
    folder = write_program(tmp_path_factory.mktemp("command") / "read", "", SCHEMA)
    environment = {
        "PATH": os.environ["PATH"],
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": folder.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
    }

    def pulumi(*arguments):
        command = ["pulumi", "--non-interactive", *arguments]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)

    def values(stack):
        (folder / "Pulumi.dev.yaml").write_text(f"config: {stack}\n")
        if "validating stack config" in pulumi("preview", "--stack", "dev").stderr:
            return None
        read = json.loads(pulumi("config", "--json", "--stack", "dev").stdout)
        return {key: entry["value"] for key, entry in read.items()}

    assert pulumi("stack", "init", "dev").returncode == 0
    values.folder = folder
    return values


@pytest.mark.parametrize(
    "stack",
    [
        "{memorySize: 1024.0, keep: 'true', domainName: 12, zones: [on], environment: {A: no}}",
        "{memorySize: big}",
        "{memorySize: 0.5}",
        "{keep: yes}",
        "{environment: [a]}",
        "{zones: [1]}",
    ],
)
def test_the_command_takes_and_reads_the_same_settings_as_the_sandbox(command, stack):
    theirs = command(stack)
    try:
        ours = settings.load(settings.load_project(command.folder), "dev").values
    except SettingsError:
        ours = None
    assert ours == theirs


def tree(resources):
    return {(resource.urn, resource.parent_urn) for resource in resources}


def roles(account):
    return {role["RoleName"]: role for role in account.client("iam").list_roles()["Roles"]}


def checkpoint_in(state):
    (file,) = (state / "pulumi/backend/.pulumi/stacks").rglob("dev.json")
    return file


def cut_off(state, pulumi_type):
    """Turns a resource in the state into one whose creation was under way when the engine was killed."""
    file = checkpoint_in(state)
    content = json.loads(file.read_text())
    latest = content["checkpoint"]["latest"]
    (resource,) = [entry for entry in latest["resources"] if entry["type"] == pulumi_type]
    latest["resources"].remove(resource)
    pending = {key: value for key, value in resource.items() if key not in ("id", "outputs")}
    latest["pending_operations"] = [{"resource": pending, "type": "creating"}]
    file.write_text(json.dumps(content))


def write_lock(state, pid):
    lock = state / "pulumi/backend/.pulumi/locks/organization/small/dev/0.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    owner = {"pid": pid, "username": "me", "hostname": "here", "timestamp": "2026-01-01T00:00:00Z"}
    lock.write_text(json.dumps(owner))
    return lock


class Listening(engine_pb2_grpc.EngineServicer):
    """The part of an engine that takes a program's messages."""

    def Log(self, _request, _context):  # noqa: N802  the protocol's name
        return empty_pb2.Empty()


def listening(port):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    engine_pb2_grpc.add_EngineServicer_to_server(Listening(), server)
    return server, server.add_insecure_port(f"127.0.0.1:{port}")


def test_an_engine_is_reached_at_the_port_of_an_earlier_one_that_is_gone():
    def reached(port):  # as a program's settings do it
        return engine_pb2_grpc.EngineStub(grpc.insecure_channel(f"127.0.0.1:{port}", options=_GRPC_CHANNEL_OPTIONS))

    message = engine_pb2.LogRequest(severity=engine_pb2.DEBUG, message="here")
    first, port = listening(0)
    first.start()
    earlier = reached(port)
    earlier.Log(message)
    first.stop(None).wait()
    with pytest.raises(grpc.RpcError):
        earlier.Log(message)
    second, _ = listening(port)
    second.start()
    try:
        reached(port).Log(message)
    finally:
        second.stop(None).wait()


def test_a_program_whose_engine_was_killed_is_closed_whatever_of_its_calls_has_no_answer():
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(LanguageServer(lambda: None)._exception_handler)  # it stops the loop

    def has_no_answer():
        raise grpc.RpcError

    async def waits():
        try:
            await asyncio.sleep(3600)
        finally:
            loop.call_soon(has_no_answer)
            await asyncio.sleep(0.01)

    waiting = loop.create_task(waits())
    loop.run_until_complete(asyncio.sleep(0))
    program.close(loop)
    assert (waiting.done(), loop.is_closed()) == (True, True)
