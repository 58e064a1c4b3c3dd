import concurrent.futures
import os
import queue
import shutil
import signal
import subprocess
import sys

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox import long_command
from sandbox.errors import SandboxError, SettingsError
from sandbox.ministack import MiniStack
from sandbox.provider.provider import Provider
from sandbox.pulumi_drivers import deployment
from sandbox.pulumi_drivers.engine_driver import stack_file
from sandbox.pulumi_drivers.servicer import Servicer, serving
from tests.support.provided import (
    MISSPELT,
    ROOT,
    ContentBuilder,
    copy_program,
    make_zone,
    push_image,
    write_program,
)
from tests.support.pulumi_command import needs_pulumi
from tests.support.slow_tests import slow_but
from tests.support.tasks import task

HELD = "import pulumi\nimport pulumi_aws as aws\naws.cloudwatch.LogGroup('held', name='held')\n"
ABSENT = f"000000000000.dkr.ecr.us-east-1.amazonaws.com/ready@sha256:{'0' * 64}"


@pytest.fixture(scope="module")
def state(ministack):
    return ministack.state


@pytest.fixture
def without_pulumi(monkeypatch, tmp_path):
    """A PATH on which there is no pulumi command."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


@pytest.fixture
def deploy(ministack, account, state):
    """Prepares the account and deploys a program to it; `before` changes the account in between."""

    def deploy(project=ROOT, before=lambda account: {}, **settings):
        deployment.prepare(ministack)
        lines = []
        deploy.lines, deploy.account = lines, account
        return deployment.deploy(task(project, ministack, lines.append, **{**(before(account) or {}), **settings}))

    return deploy


def ready(account):
    """Gives the account what the real program needs: the zone, and an image that is built already."""
    if not account.client("route53").list_hosted_zones()["HostedZones"]:
        make_zone(account)
    return {"imageUri": push_image(account), "domainName": "app.sandbox.test"}


def refused(deploy, *arguments, **settings):
    with pytest.raises(SandboxError) as caught:
        deploy(*arguments, **settings)
    return str(caught.value)


MISTAKES = {
    "role": (
        "infra/container_function.py",
        "role=role.arn",
        'role="arn:aws:iam::000000000000:role/nobody"',
        "aws:lambda/function:Function 'function-function': InvalidParameterValueException: "
        "the role arn:aws:iam::000000000000:role/nobody doesn't exist",
    ),
    "trust": (
        "infra/function_role.py",
        '"Service": "lambda.amazonaws.com"',
        '"Service": "ec2.amazonaws.com"',
        "can't be assumed by lambda.amazonaws.com: statement 1 is for",
    ),
    "certificate": (
        "infra/zone.py",
        "return validation.certificate_arn",
        "return certificate.arn",
        "Take the ARN from CertificateValidation, which waits until it is",
    ),
    "integration": (
        "infra/api_route.py",
        'pulumi.Output.concat("integrations/", integration.id)',
        '"integrations/nowhere"',
        "has no integration 'nowhere'",
    ),
    "timeout": (
        "infra/api_route.py",
        "INTEGRATION_TIMEOUT = 30_000",
        "INTEGRATION_TIMEOUT = 40_000",
        "Value '40000' at 'timeoutInMillis' failed to satisfy constraint: "
        "Member must have value less than or equal to 30000",
    ),
    "alias": (
        "infra/api_route.py",
        "qualifier=alias.name",
        'qualifier="next"',
        "aws:lambda/permission:Permission 'api-permission': ResourceNotFoundException: Function not found: ",
    ),
    "key": (
        "infra/container_function.py",
        *MISSPELT,
        "aws:lambda/function:Function 'function-function': ValidationException: "
        "loggingConfig.log_gruop: is not an input of this type: check its spelling",
    ),
    "proof": (
        "infra/zone.py",
        "records=[option.resource_record_value]",
        'records=["elsewhere.example.com"]',
        "the record _acme-challenge.app.sandbox.test doesn't have the value",
    ),
}


@pytest.mark.usefixtures("without_pulumi")
class TestWithoutThePulumiCommand:
    def test_mocks_deploy_the_real_program_and_say_so(self, deploy):
        deployed = deploy(before=ready)
        assert (deployed.pulumi_driver, deploy.lines[0]) == (
            "mocks",
            "Deploying from scratch with Pulumi's mocks: there is no pulumi command on the PATH",
        )
        assert deployed.outputs["url"] == "https://app.sandbox.test"
        assert deployed.changes == {"create": len(deployed.resources)}
        assert (
            deploy.account.client("lambda").get_alias(FunctionName="dualmode-dev", Name="live")["FunctionVersion"]
            == "1"
        )

    def test_a_second_deployment_starts_from_an_empty_account(self, deploy, tmp_path):
        program = write_program(tmp_path / "held", HELD)
        assert deploy(program).changes == deploy(program).changes == {"create": 2}

    def test_there_is_nobody_to_preview_or_destroy(self, deploy, ministack, tmp_path):
        program = write_program(tmp_path / "held", HELD)
        deploy(program)
        with pytest.raises(SandboxError) as caught:
            deployment.preview(task(program, ministack))
        assert str(caught.value) == (
            "There is no pulumi command on the PATH, and --preview and --destroy need it: install it."
        )

    @pytest.mark.parametrize(
        ("settings", "sentence"),
        [
            (
                {"imageUri": ABSENT},
                "aws:lambda/function:Function 'function-function' at imageUri: InvalidParameterValueException: "
                f"Source image {ABSENT} does not exist in ECR",
            ),
            (
                {"hostedZone": "test"},
                "aws:route53/getZone:getZone: NoSuchHostedZone: no matching Route 53 hosted zone found for 'test'",
            ),
        ],
    )
    def test_a_setting_that_aws_refuses_is_refused(self, deploy, settings, sentence):
        assert refused(deploy, before=ready, **settings) == sentence

    @pytest.mark.parametrize("mistake", slow_but(["role", "timeout"], MISTAKES))
    def test_a_program_that_aws_refuses_is_refused(self, deploy, tmp_path, mistake):
        file, old, new, sentence = MISTAKES[mistake]
        folder = copy_program(tmp_path, file, old, new)
        assert sentence in refused(deploy, folder, before=ready)

    def test_what_is_in_the_account_already_is_refused_by_its_name(self, deploy):
        def taken(account):
            account.client("logs").create_log_group(logGroupName="/aws/lambda/dualmode-dev")
            return ready(account)

        assert refused(deploy, before=taken).startswith(
            "aws:cloudwatch/logGroup:LogGroup 'function-logs': ResourceAlreadyExistsException: "
        )

    def test_a_zone_that_somebody_removed_is_refused(self, deploy):
        def removed(account):
            chosen = ready(account)
            (zone,) = account.client("route53").list_hosted_zones()["HostedZones"]
            account.client("route53").delete_hosted_zone(Id=zone["Id"])
            return chosen

        assert "no matching Route 53 hosted zone found for 'sandbox.test'" in refused(deploy, before=removed)

    def test_settings_that_contradict_each_other_are_refused_before_anything_is_made(self, deploy):
        with pytest.raises(SettingsError):
            deploy(before=ready, hostedZone="example.com")
        assert deploy.account.client("iam").list_roles()["Roles"] == []

    def test_another_region_than_the_accounts_is_refused(self, deploy):
        assert refused(deploy, **{"aws:region": "eu-west-1"}) == (
            "aws:region is eu-west-1, but the sandbox's account is used only in us-east-1."
        )

    def test_a_setting_of_another_type_is_refused(self, deploy):
        assert refused(deploy, memorySize="big") == (
            "Stack 'dev' with configuration key 'memorySize' must be of type 'integer', but is 'big'."
        )


@needs_pulumi
def test_the_engine_deploys_goes_on_from_there_and_removes(deploy, ministack, tmp_path):
    program = write_program(tmp_path / "held", HELD)
    planned = []
    held = task(program, ministack, planned.append)
    shutil.rmtree(ministack.state / "pulumi", ignore_errors=True)  # what other tests left
    deployment.prepare(ministack)
    assert deployment.preview(held) == {"create": 2}
    assert planned == ["would create aws:cloudwatch:LogGroup held"]
    first = deploy(program)
    assert (first.pulumi_driver, first.changes, deploy.lines) == (
        "engine",
        {"create": 2},
        ["Deploying with the pulumi command's engine", "created  aws:cloudwatch:LogGroup held"],
    )
    assert [resource.name for resource in first.resources] == ["small-dev", "held"]
    assert deploy(program).changes == {"same": 2}
    assert deployment.preview(held) == {"same": 2}
    assert deployment.destroy(held) == {"delete": 2}


def test_a_pulumi_command_that_can_not_be_used_is_one_sentence(deploy, monkeypatch, tmp_path):
    command = tmp_path / "bin" / "pulumi"
    command.parent.mkdir()
    command.write_text("#!/bin/sh\necho 2.0.0\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    sentence = refused(deploy, write_program(tmp_path / "held", HELD))
    assert sentence.startswith("The pulumi command on the PATH can't be used: ")
    assert sentence.endswith(" Update it, or remove it from the PATH.")


@needs_pulumi
def test_after_mocks_the_engine_starts_from_an_empty_account_too(deploy, monkeypatch, tmp_path):
    program = write_program(tmp_path / "held", HELD)
    with monkeypatch.context() as patched:
        patched.setenv("PATH", str(tmp_path / "bin"))
        assert deploy(program).pulumi_driver == "mocks"
    assert deploy(program).changes == {"create": 2}


@needs_pulumi
def test_without_its_own_state_the_engine_starts_from_an_empty_account(deploy, state, tmp_path):
    program = write_program(tmp_path / "held", HELD)
    deploy(program)
    shutil.rmtree(state / "pulumi")
    assert deploy(program).changes == {"create": 2}


@needs_pulumi
def test_in_another_region_the_engine_starts_from_an_empty_account(tmp_path):
    program = write_program(tmp_path / "held", HELD)
    changes = []
    for region in ("eu-central-1", "eu-central-1", "us-east-1"):
        with MiniStack(tmp_path / "state", region=region) as ministack:
            deployment.prepare(ministack)
            deployed = deployment.deploy(task(program, ministack, **{"aws:region": region}))
            changes.append(dict(deployed.changes))
    assert changes == [{"create": 2}, {"same": 2}, {"create": 2}]


@needs_pulumi
def test_an_account_that_forgot_everything_is_filled_again(tmp_path):
    program = write_program(tmp_path / "held", HELD)
    state = tmp_path / "state"
    changes = []
    for _ in range(2):
        with MiniStack(state) as ministack:
            deployment.prepare(ministack)
            deployed = deployment.deploy(task(program, ministack))
            changes.append(dict(deployed.changes))
        shutil.rmtree(state / "aws")
    assert changes == [{"create": 2}, {"create": 1, "same": 1}]


@needs_pulumi
def test_a_pulumi_command_in_another_terminal_reaches_the_stack(deploy, ministack, tmp_path):
    program = write_program(tmp_path / "held", HELD)
    deploy(program)
    with deployment.serving_others(task(program, ministack)) as variables:
        environment = {**os.environ, **ministack.variables, **variables, "PULUMI_HOME": str(tmp_path / "home")}

        def pulumi(*arguments):
            command = ["pulumi", "--non-interactive", *arguments, "--stack", "dev"]
            return subprocess.run(
                command, cwd=program, env=environment, capture_output=True, text=True, check=True
            ).stdout

        assert "aws:cloudwatch/logGroup:LogGroup" in pulumi("stack", "export")
        pulumi("destroy", "--yes", "--skip-preview")
    assert deploy.account.client("logs").describe_log_groups()["logGroups"] == []


@needs_pulumi
def test_another_terminals_pulumi_takes_the_settings_that_were_deployed(deploy, ministack, state, tmp_path):
    program = write_program(tmp_path / "held", HELD, "config:\n  size: {type: integer, default: 1}\n")
    deploy(program, size=7)
    command = ["pulumi", "--non-interactive", "config", "get", "small:size", "--stack", "dev"]
    with deployment.serving_others(task(program, ministack)) as variables:
        shown = subprocess.run(
            [*command, "--config-file", stack_file(state, "dev")],
            cwd=program,
            env={**os.environ, **ministack.variables, **variables, "PULUMI_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            check=True,
        )
    assert shown.stdout == "7\n"
    assert not (program / "Pulumi.dev.yaml").exists()


def test_a_cancelled_deployment_ends_the_command_that_it_waits_for(account, tmp_path):
    told = queue.Queue()
    servicer = Servicer(Provider(account, ContentBuilder(), tmp_path), account.region)
    with serving(servicer, lambda: [os.getpid()]) as port, concurrent.futures.ThreadPoolExecutor() as threads:
        running = threads.submit(
            long_command.run, ["sh", "-c", "echo begun; exec sleep 20"], variables={}, told=told.put
        )
        assert told.get(timeout=10) == "begun"
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            provider_pb2_grpc.ResourceProviderStub(channel).Cancel(empty_pb2.Empty(), timeout=10)
        assert running.result() == (-signal.SIGTERM, ["begun"])


def test_a_program_in_another_process_reaches_the_account_by_its_variables(ministack):
    script = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    environment = {**os.environ, **ministack.variables}
    answer = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout == "000000000000\n"
