"""The environment of a pull request: the commands of .github/workflows/preview.yml, with the sandbox as their AWS."""

import os
import shutil
import subprocess
import sys

import pytest
import yaml

from sandbox.pulumi_drivers import deployment
from tests.support.provided import ROOT, copy_program
from tests.support.pulumi_command import needs_pulumi
from tests.support.tasks import task

pytestmark = needs_pulumi
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "preview.yml").read_text())
JOBS = WORKFLOW["jobs"]
# What the workflow's variables are for pull request 12; those without an expression are taken as they are there.
VARIABLES = {name: value for name, value in WORKFLOW["env"].items() if "${{" not in value}
VARIABLES |= {"PULL_REQUEST": "12", "STACK": "pr-12", "NAME": "shop-pr-12", "AWS_REGION": "us-east-1"}


def commands(job):
    """What a job's steps run, by their names; `pulumi install` makes an environment that the tests have already."""
    found = {step["name"]: step["run"] for step in JOBS[job]["steps"] if "run" in step}
    assert found.pop("Install", "pulumi install") == "pulumi install"
    return found


def check_out(folder):
    folder.mkdir()
    copy_program(folder)
    shutil.copy(ROOT / "Pulumi.preview.yaml", folder)
    for part in ("dualmode", "scripts"):
        shutil.copytree(ROOT / part, folder / part)


@pytest.fixture
def runner(account, ministack, tmp_path):
    """Runs the steps of a job as GitHub does, each job in a new checkout; gives the outputs of its steps."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name, script in (
        ("pulumi-language-python", f'exec "{sys.executable}" -m tests.support.language_host "$@"'),
        ("gh", f'for word; do echo "$word"; done > {tmp_path}/comment'),
    ):
        (bin_folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (bin_folder / name).chmod(0o755)
    key = account.client("kms").create_key()["KeyMetadata"]["Arn"]
    checkout = tmp_path / "checkout"
    check_out(checkout)
    with deployment.serving_others(task(checkout, ministack)) as lines:
        lines = {**lines, "PULUMI_IGNORE_AMBIENT_PLUGINS": "false", "PULUMI_BACKEND_URL": tmp_path.as_uri()}
        environment = {**os.environ, **ministack.program_variables, **lines, **VARIABLES, "PYTHONPATH": str(ROOT)}
        del environment["PULUMI_CONFIG_PASSPHRASE"]  # the key in KMS encrypts the stack's secrets
        environment["SECRETS_PROVIDER"] = f"awskms:///{key}"
        environment["PATH"] = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"

        def run(job, **more):
            shutil.rmtree(checkout)
            check_out(checkout)
            output = checkout / "output"
            for name, script in commands(job).items():
                ran = subprocess.run(
                    ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
                    cwd=checkout,
                    env={**environment, "GITHUB_OUTPUT": str(output), **more},
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    timeout=300,
                )
                assert ran.returncode == 0, f"{name}:\n{ran.stdout}{ran.stderr}"
            text = output.read_text() if output.exists() else ""
            return dict(line.split("=", 1) for line in text.splitlines())

        run.pulumi = lambda *arguments: (
            subprocess.run(
                ["pulumi", *arguments],
                cwd=checkout,
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        yield run


def test_a_pull_request_gets_an_environment_with_an_address_and_none_is_left_when_it_is_closed(
    runner, account, tmp_path
):
    outputs = runner("deploy")
    assert runner("deploy") == outputs  # the next push
    (api,) = account.client("apigatewayv2").get_apis()["Items"]
    (function,) = account.client("lambda").list_functions()["Functions"]
    assert (api["Name"], function["FunctionName"]) == ("shop-pr-12", "shop-pr-12")
    assert outputs == {"url": api["ApiEndpoint"]}
    runner("comment", URL=outputs["url"])
    said = (tmp_path / "comment").read_text().splitlines()
    assert said == [
        *("pr", "comment", "12", "--edit-last", "--create-if-none", "--body"),
        f"This pull request runs at {api['ApiEndpoint']}",
    ]
    runner("destroy")
    assert account.client("apigatewayv2").get_apis()["Items"] == []
    assert account.client("lambda").list_functions()["Functions"] == []
    assert account.client("ecr").describe_repositories()["repositories"] == []
    assert account.client("iam").list_roles()["Roles"] == []
    assert account.client("logs").describe_log_groups()["logGroups"] == []
    assert runner.pulumi("stack", "ls", "--all", "--json").strip() == "[]"
