"""Secrets, session key, table, VPC and permissions under the real engine: turned on, changed and turned off again."""

import contextlib
import hashlib
import json
import os
import subprocess

import pytest

from sandbox.errors import SandboxError
from sandbox.lifecycle import operate
from sandbox.pulumi_drivers import deployment
from tests.support import stacks
from tests.support.program import ROOT
from tests.support.pulumi_command import needs_pulumi

pytestmark = needs_pulumi

NAME = "dualmode-dev"
KEY = f"/dualmode/{NAME}/SECRET_KEY"
PLANTED, ROTATED = "planted-hunter2-first", "planted-hunter2-second"
POLICY = json.dumps({"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"})
READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


class Stack(stacks.Stack):
    """A stack whose sandboxes give what this test asks for."""

    @contextlib.contextmanager
    def running(self, **chosen):
        with super().running(**chosen) as sandbox:
            yield Running(sandbox)

    def files_with(self, *values):
        """The files of the sandbox that have one of these, without those of its account, which has to have them."""
        files = [path for path in self.state.rglob("*") if path.is_file() and "aws" not in path.parts]
        assert {"pulumi", "logs", "images"} <= {path.relative_to(self.state).parts[0] for path in files}
        return [path for path in files if any(value.encode() in path.read_bytes() for value in values)]


class Running:
    """A running sandbox: requests to the function, and what is in the account."""

    def __init__(self, sandbox):
        self.sandbox, self.client = sandbox, sandbox.account.client

    def ask(self, target, method="GET", body=b""):
        return stacks.ask(self.sandbox, target, method, body)

    def hash(self, name):
        return self.ask(f"/hash/{name}")[1]

    def exported(self, folder):
        """The state as a plain `pulumi` command in another terminal gives it."""
        environment = {**os.environ, **self.sandbox.variables, "PULUMI_HOME": str(folder.parent / "home")}
        command = ["pulumi", "--non-interactive", "stack", "export", "--stack", "dev"]
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=120
        ).stdout

    def configuration(self):
        return self.client("lambda").get_function_configuration(FunctionName=NAME)

    def account(self):
        """Everything that the settings can add to an account."""
        iam, configuration = self.client("iam"), self.configuration()
        (role,) = iam.list_roles()["Roles"]
        names = {"RoleName": role["RoleName"]}
        return {
            "parameters": [each["Name"] for each in self.client("ssm").describe_parameters()["Parameters"]],
            "tables": self.client("dynamodb").list_tables()["TableNames"],
            # Without the random end of a name: a refused `destroy` removes what isn't protected.
            "policies": [name.rpartition("-")[0] for name in sorted(iam.list_role_policies(**names)["PolicyNames"])],
            "attached": iam.list_attached_role_policies(**names)["AttachedPolicies"],
            "vpc": configuration.get("VpcConfig", {}).get("SubnetIds") or [],
            "variables": sorted(configuration["Environment"]["Variables"]),
        }


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    return Stack(tmp_path_factory.mktemp("vault"), ROOT / "tests" / "support" / "vault")


@pytest.fixture(scope="module")
def lived(stack):
    """The account before, while and after everything was on, and the values that must not be found anywhere."""
    seen = {}
    with stack.running() as here:
        here.client("ssm").put_parameter(Name="/shop/token", Type="SecureString", Value=PLANTED)
        here.client("secretsmanager").create_secret(Name="shop/other", SecretString=PLANTED)
        network = here.client("ec2").describe_subnets()["Subnets"][0]
        (group,) = here.client("ec2").describe_security_groups(
            Filters=[
                {"Name": "vpc-id", "Values": [network["VpcId"]]},
                {"Name": "group-name", "Values": ["default"]},
            ]
        )["SecurityGroups"]
        seen["before"] = here.account()
        seen["hashes before"] = (here.hash("TOKEN"), here.hash("SECRET_KEY"))
        seen["buckets before"] = (here.ask("/buckets")[0], here.sandbox.roles.new_remedies())
    on = {
        "secrets": {"TOKEN": "/shop/token", "OTHER": "shop/other"},
        "sessionKey": True,
        "table": "id",
        "policy": POLICY,
        "policyArns": [READ_ONLY],
        "vpcSubnets": [network["SubnetId"]],
        "vpcSecurityGroups": [group["GroupId"]],
    }
    seen["previewed"] = operate(deployment.preview, stack.order(**on))
    with stack.running(**on) as here:
        seen["on"] = here.account()
        seen["hashes on"] = (here.hash("TOKEN"), here.hash("OTHER"))
        seen["key"] = here.client("ssm").get_parameter(Name=KEY, WithDecryption=True)["Parameter"]["Value"]
        seen["key hashes"] = [here.hash("SECRET_KEY")]
        seen["items"] = [here.ask("/items/a"), here.ask("/items/a", "PUT", b"apple"), here.ask("/items/a")]
        seen["buckets"] = here.ask("/buckets")
        seen["configuration"] = json.dumps(here.configuration(), default=str)
        seen["state"] = here.exported(stack.folder)
        seen["files on"] = stack.files_with(PLANTED, seen["key"])
        here.client("ssm").put_parameter(Name="/shop/token", Type="SecureString", Value=ROTATED, Overwrite=True)
        seen["hash warm"] = here.hash("TOKEN")
    begun = len(stack.lines)
    with stack.running(**on) as here:
        seen["unchanged"], seen["unchanged lines"] = here.sandbox.deployment.changes, stack.lines[begun:]
        seen["hash cold"] = here.hash("TOKEN")
    with stack.running(**on, memorySize=1024, protect=True) as here:
        seen["key hashes"].append(here.hash("SECRET_KEY"))
        seen["items"].append(here.ask("/items/a"))
        seen["protected"] = here.client("dynamodb").describe_table(TableName=NAME)["Table"]["DeletionProtectionEnabled"]
    with pytest.raises(SandboxError) as refused:
        operate(deployment.destroy, stack.order(**on))
    seen["refused"] = str(refused.value)
    with stack.running(**on) as here:
        seen["key hashes"].append(here.hash("SECRET_KEY"))
        missing = {**on, "secrets": {"TOKEN": "/shop/gone"}}
    with stack.running(**missing) as here:
        seen["missing"] = here.ask("/hash/TOKEN")
        seen["missing log"] = "".join(path.read_text() for path in stack.state.glob("logs/*.log"))
    begun = len(stack.lines)
    operate(deployment.preview, stack.order())
    seen["said before"] = stack.lines[begun:]
    begun = len(stack.lines)
    with stack.running() as here:
        seen["said when off"] = stack.lines[begun:]
        seen["after"] = here.account()
        seen["hashes after"] = (here.hash("TOKEN"), here.hash("SECRET_KEY"))
    return seen


def test_the_function_has_the_values_of_its_secrets_and_a_session_key(lived):
    assert lived["hashes before"] == ("unset", "unset")
    assert lived["hashes on"] == (sha256(PLANTED), sha256(PLANTED))
    assert lived["key hashes"][0] == sha256(lived["key"])


def test_a_secret_that_changes_is_read_at_the_next_cold_start(lived):
    assert (lived["hash warm"], lived["hash cold"]) == (sha256(PLANTED), sha256(ROTATED))


def test_an_update_without_changes_changes_nothing_although_each_run_makes_another_key(lived):
    assert set(lived["unchanged"]) == {"same"}, lived["unchanged lines"]


def test_the_session_key_is_the_same_for_every_version(lived):
    assert lived["key hashes"] == [sha256(lived["key"])] * 3


def test_the_application_writes_and_reads_items_that_updates_keep(lived):
    assert lived["items"] == [(404, ""), (204, ""), (200, "apple"), (200, "apple")]


def test_the_application_reaches_what_policy_allows_and_without_it_the_statement_is_said(lived):
    status, (remedy,) = lived["buckets before"]
    assert (status, json.loads(remedy.partition("policy: ")[2])) == (500, json.loads(POLICY))
    assert lived["buckets"] == (200, "0")


def test_what_is_protected_is_not_removed(lived):
    assert lived["protected"] is True
    assert "protect" in lived["refused"]


def test_a_secret_that_is_gone_is_one_sentence_in_the_log_and_a_500(lived):
    assert lived["missing"] == (500, '{"message":"Internal Server Error"}')
    sentence = (
        "TOKEN can't be read: there is no parameter /shop/gone in us-east-1: "
        "create it, or correct it in the setting secrets.TOKEN."
    )
    assert sentence in lived["missing log"]
    assert "secrets.py" not in lived["missing log"]


def test_all_of_it_is_in_the_account_while_it_is_on_and_nothing_after_it_is_off(lived):
    attached = [policy["PolicyArn"] for policy in lived["on"]["attached"]]
    assert lived["on"] | {"vpc": len(lived["on"]["vpc"]), "attached": attached} == {
        "parameters": [KEY, "/shop/token"],
        "tables": [NAME],
        "attached": [READ_ONLY],
        "vpc": 1,
        "policies": [
            *("function-network", "function-policy", "function-secrets", "function-session-key", "function-table"),
            "function-write-logs",
        ],
        "variables": [
            "DUALMODE_API_ID",
            "DUALMODE_SECRET_OTHER",
            "DUALMODE_SECRET_SECRET_KEY",
            "DUALMODE_SECRET_TOKEN",
            "TABLE_NAME",
        ],
    }
    assert lived["after"] == lived["before"]
    assert lived["hashes after"] == ("unset", "unset")


def test_what_is_no_longer_set_is_said_with_what_it_removes_before_it_is_removed(lived):
    said = lived["said when off"]
    (sentence,) = [line for line in said if line.startswith("Set at the last start, and not now: ")]
    assert sentence == (
        "Set at the last start, and not now: policy, policyArns, secrets, sessionKey, table, vpcSecurityGroups, "
        "vpcSubnets. --set is not remembered: give it at each start, or write it into the stack's file"
    )
    assert sentence in lived["said before"]
    planned = [line.removeprefix("would delete ") for line in said if line.startswith("would delete ")]
    deleted = [line.removeprefix("deleted  ") for line in said if line.startswith("deleted  ")]
    assert "aws:dynamodb:Table table-table" in planned
    assert sorted(planned) == sorted(deleted)
    assert said.index(f"would delete {planned[-1]}") < said.index(f"deleted  {deleted[0]}")
    assert [line for line in lived["unchanged lines"] if "not now" in line] == []


def test_no_value_of_a_secret_is_in_state_plan_logs_image_or_configuration(lived, stack):
    told = "\n".join([*map(str, stack.lines), lived["configuration"], lived["state"]])
    assert [value for value in (PLANTED, ROTATED, lived["key"]) if value in told] == []
    assert f'"{KEY}"' in lived["state"]
    assert "would create aws:ssm:Parameter session-key-parameter" in stack.lines  # the plan was made
    assert lived["files on"] == stack.files_with(PLANTED, ROTATED, lived["key"]) == []
    account = b"".join(path.read_bytes() for path in (stack.state / "aws").rglob("*") if path.is_file())
    assert all(value.encode() in account for value in (PLANTED, ROTATED))  # so a value that is in a file is found
