"""What the settings for secrets, data and permissions create and secure, seen in the account."""

import json
import re

import pytest
import yaml

from infra.function_role import network_policy
from infra.grants import Grant, stand_ins
from infra.policies import PolicySettings
from infra.secrets import arns_of, read_statements
from infra.table import Key, item_statements, keys_of
from tests.support.program import ROOT, Program

ACCOUNT = "000000000000"
CALLER = f"arn:aws:iam::{ACCOUNT}:root"


def statements(deployed, name):
    return json.loads(deployed.one("RolePolicy", name).inputs["policy"])["Statement"]


def variables(deployed):
    client = deployed.account.client("lambda")
    found = client.get_function_configuration(FunctionName="dualmode-dev")["Environment"]["Variables"]
    return {name: value for name, value in found.items() if name != "DUALMODE_API_ID"}


@pytest.fixture(scope="module")
def everything(ministack, tmp_path_factory):
    """The program's work with secrets, session key, table and policies, in an account that no other test empties."""
    return Program(ministack, tmp_path_factory.mktemp("everything")).deploy(
        secrets={"TOKEN": "/shop/token", "DATABASE_URL": "shop/database"},
        sessionKey=True,
        table="customer,created:N",
        protect=True,
        policy='[{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop/*"}]',
        policyArns=["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
    )


def test_the_function_is_told_where_its_secrets_and_its_table_are_and_no_value(everything):
    assert variables(everything) == {
        "DUALMODE_SECRET_TOKEN": "ssm:/shop/token",
        "DUALMODE_SECRET_DATABASE_URL": "secretsmanager:shop/database",
        "DUALMODE_SECRET_SECRET_KEY": "ssm:/dualmode/dualmode-dev/SECRET_KEY",
        "TABLE_NAME": "dualmode-dev",
    }


def test_the_function_may_read_exactly_its_secrets(everything):
    assert statements(everything, "function-secrets") == [
        {
            "Effect": "Allow",
            "Action": "ssm:GetParameters",
            "Resource": [f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/shop/token"],
        },
        {
            "Effect": "Allow",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": [f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:shop/database-??????"],
        },
        {"Effect": "Allow", "Action": "secretsmanager:BatchGetSecretValue", "Resource": "*"},
    ]


def test_the_session_key_is_random_encrypted_and_read_by_the_function_alone(everything):
    parameter = everything.one("Parameter")
    assert parameter.inputs["value"] == "[secret]"
    assert (parameter.inputs["type"], parameter.inputs["name"]) == (
        "SecureString",
        "/dualmode/dualmode-dev/SECRET_KEY",
    )
    value = everything.account.client("ssm").get_parameter(Name=parameter.inputs["name"], WithDecryption=True)
    assert len(bytes.fromhex(value["Parameter"]["Value"])) == 32
    assert statements(everything, "function-session-key") == [
        {
            "Effect": "Allow",
            "Action": "ssm:GetParameters",
            "Resource": [f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/dualmode/dualmode-dev/SECRET_KEY"],
        }
    ]


def test_the_table_has_its_key_is_paid_by_the_request_protected_and_can_be_restored(everything):
    client = everything.account.client("dynamodb")
    table = client.describe_table(TableName="dualmode-dev")["Table"]
    backups = client.describe_continuous_backups(TableName="dualmode-dev")["ContinuousBackupsDescription"]
    assert table["KeySchema"] == [
        {"AttributeName": "customer", "KeyType": "HASH"},
        {"AttributeName": "created", "KeyType": "RANGE"},
    ]
    assert sorted((each["AttributeName"], each["AttributeType"]) for each in table["AttributeDefinitions"]) == [
        ("created", "N"),
        ("customer", "S"),
    ]
    assert (table["BillingModeSummary"]["BillingMode"], table["DeletionProtectionEnabled"]) == ("PAY_PER_REQUEST", True)
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_the_function_may_do_seven_things_with_the_items_of_its_table(everything):
    arn = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/dualmode-dev"
    (statement,) = statements(everything, "function-table")
    assert statement == {
        "Effect": "Allow",
        "Action": [
            "dynamodb:BatchWriteItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:Scan",
            "dynamodb:UpdateItem",
        ],
        "Resource": [arn, f"{arn}/index/*"],
    }
    assert item_statements(arn) == [statement]


def test_the_function_has_the_permissions_that_were_asked_for(everything):
    assert statements(everything, "function-policy") == [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop/*"}
    ]
    role = everything.one("Role").outputs["name"]
    attached = everything.account.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]


def test_the_function_waits_for_its_permissions(everything):
    assert {"RolePolicy", "RolePolicyAttachment", "Table", "Parameter"} <= everything.made_after(
        everything.one("Function")
    )


def test_nothing_of_it_is_there_while_it_is_off(without_domain):
    off = ("Parameter", "Table", "RolePolicyAttachment", "Secrets", "SessionKey")
    assert {short: without_domain.count(short) for short in off} == dict.fromkeys(off, 0)
    assert without_domain.count("RolePolicy") == 1
    assert "vpcConfig" not in without_domain.one("Function").inputs


def test_in_a_vpc_only_lambda_makes_interfaces_only_there_and_the_functions_code_makes_none():
    group = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/shop-dev"
    ec2 = "arn:aws:ec2:eu-west-1:123456789012"
    interfaces = f"{ec2}:network-interface/*"
    assert network_policy(group, ["subnet-1", "subnet-2"], ["sg-1"])["Statement"] == [
        {
            "Effect": "Allow",
            "Action": "ec2:CreateNetworkInterface",
            "Resource": [interfaces, f"{ec2}:subnet/subnet-1", f"{ec2}:subnet/subnet-2", f"{ec2}:security-group/sg-1"],
        },
        {"Effect": "Allow", "Action": "ec2:DeleteNetworkInterface", "Resource": interfaces},
        {"Effect": "Allow", "Action": "ec2:AssignPrivateIpAddresses", "Resource": interfaces},
        {"Effect": "Allow", "Action": "ec2:UnassignPrivateIpAddresses", "Resource": interfaces},
        {"Effect": "Allow", "Action": "ec2:DescribeNetworkInterfaces", "Resource": "*"},
        {"Effect": "Allow", "Action": "ec2:DescribeSubnets", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": [
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:AssignPrivateIpAddresses",
                "ec2:UnassignPrivateIpAddresses",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSubnets",
            ],
            "Resource": "*",
            "Condition": {
                "ArnEquals": {
                    "lambda:SourceFunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:shop-dev",
                }
            },
        },
    ]


SECRETS_MANAGER = "arn:aws:secretsmanager:us-east-1:000000000000:secret"


@pytest.mark.parametrize(
    ("place", "arn"),
    [
        ("ssm:/shop/token", "arn:aws:ssm:us-east-1:000000000000:parameter/shop/token"),
        ("ssm:token", "arn:aws:ssm:us-east-1:000000000000:parameter/token"),
        ("ssm:/shop/token:3", "arn:aws:ssm:us-east-1:000000000000:parameter/shop/token"),
        ("arn:aws:ssm:us-east-1:1:parameter/token:3", "arn:aws:ssm:us-east-1:1:parameter/token"),
        ("secretsmanager:shop/token", f"{SECRETS_MANAGER}:shop/token-??????"),
        (f"{SECRETS_MANAGER}:shop/token-AbCdEf", f"{SECRETS_MANAGER}:shop/token-AbCdEf"),
        (f"{SECRETS_MANAGER}:shop/token", f"{SECRETS_MANAGER}:shop/token-??????"),
    ],
)
def test_the_place_of_a_secret_tells_its_arn(place, arn):
    assert arns_of([place], CALLER, ACCOUNT, "us-east-1") == [arn]


def test_in_china_the_arns_are_of_that_partition():
    caller = "arn:aws-cn:sts::000000000000:assumed-role/deployer/me"
    assert arns_of(["ssm:/a"], caller, ACCOUNT, "cn-north-1") == [f"arn:aws-cn:ssm:cn-north-1:{ACCOUNT}:parameter/a"]


def test_parameters_alone_need_no_permission_in_secrets_manager():
    assert read_statements(["arn:aws:ssm:r:1:parameter/a"]) == [
        {"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": ["arn:aws:ssm:r:1:parameter/a"]}
    ]


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        ("id", [Key("id", "S")]),
        ("customer,created:N", [Key("customer", "S"), Key("created", "N")]),
        (" a:B , b:S ", [Key("a", "B"), Key("b", "S")]),
    ],
)
def test_the_key_of_a_table_is_one_attribute_or_two_with_their_types(given, keys):
    assert keys_of(given) == keys


ALLOW = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}


@pytest.mark.parametrize(
    "policy", [ALLOW, [ALLOW], {"Statement": ALLOW}, {"Version": "2012-10-17", "Statement": [ALLOW]}]
)
def test_a_policy_is_taken_whole_or_by_its_statements(policy):
    assert PolicySettings(policy=json.dumps(policy)).grant.statements == [ALLOW]


def test_the_build_imports_the_application_with_stand_ins_for_what_only_the_function_has():
    grants = [
        Grant(name="one", stand_ins={"TOKEN": "text"}),
        Grant(name="two"),
        Grant(name="three", stand_ins={"T": "u"}),
    ]
    assert stand_ins(grants) == {"TOKEN": "text", "T": "u"}


def test_the_build_gets_the_stand_ins(everything):
    assert everything.one("Image", "image-build").inputs["args"]["CHECK_ENVIRONMENT"] == "[secret]"


def test_the_policy_in_the_page_about_data_is_one():
    (example,) = re.findall(r"```yaml\n(dualmode:policy: .*?)```", (ROOT / "docs/data.md").read_text(), re.DOTALL)
    policy = yaml.safe_load(example)["dualmode:policy"]
    assert len(example.splitlines()) <= 5
    assert [statement["Resource"] for statement in PolicySettings(policy=policy).grant.statements] == [
        "arn:aws:s3:::shop-uploads/*"
    ]
