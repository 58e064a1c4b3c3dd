"""The policy for whoever runs `pulumi up`: each statement has its source, and `*` only where AWS takes nothing else."""

import json
import re

from infra.naming import LONGEST_NAME
from tests.support.provided import ROOT

PARTS = ("", "-domain", "-more", "-capacity")
FILES = tuple(f"deployer-policy{part}.json" for part in PARTS)
POLICIES = {name: json.loads((ROOT / "docs" / name).read_text()) for name in FILES}
STATEMENTS = [statement for policy in POLICIES.values() for statement in policy["Statement"]]
DOCUMENT = (ROOT / "docs" / "deployer-policy.md").read_text()

# Source of each: "Actions, resources, and condition keys", Service Authorization Reference, of the service.
TAKE_NO_RESOURCE = {
    "acm:RequestCertificate",
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ecr:GetAuthorizationToken",
    "lambda:CreateEventSourceMapping",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "route53:ListHostedZones",
    "sns:GetSubscriptionAttributes",
    "sns:Unsubscribe",
    "ssm:DescribeParameters",
}

# What a managed policy may have, without white space. Source: "IAM and AWS STS quotas", IAM User Guide.
MOST_CHARACTERS = 6144


def listed(value):
    return value if isinstance(value, list) else [value]


def test_each_statement_of_the_deployers_policy_has_a_row_with_its_source():
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| (?=\S)", DOCUMENT, re.MULTILINE)
    assert rows == [statement["Sid"] for statement in STATEMENTS]


def test_the_deployers_policy_names_actions_one_by_one_and_resources_wherever_aws_takes_them():
    for statement in STATEMENTS:
        assert statement["Effect"] == "Allow"
        assert [action for action in statement["Action"] if "*" in action] == []
        without = [action for action in statement["Action"] if "*" in listed(statement["Resource"])]
        assert without == [action for action in statement["Action"] if action in TAKE_NO_RESOURCE]


def test_the_command_in_the_document_fills_in_every_placeholder_of_the_deployers_policy():
    command = " ".join(re.findall(r"s/(\w+)/[^/]+/g", DOCUMENT))
    text = json.dumps(STATEMENTS)
    arns = " ".join(re.findall(r'"(arn:[^"]*)"', text))
    assert sorted(command.split()) == sorted(set(re.findall(r"[A-Z]{4,}", arns)))
    elsewhere = re.sub(r'"arn:[^"]*"', "", text)
    assert [word for word in command.split() if word in elsewhere] == []


def test_each_file_of_the_deployers_policy_fits_into_one_managed_policy_for_the_longest_name():
    assert {file.name for file in (ROOT / "docs").glob("deployer-policy*.json")} == set(FILES)
    values = {"ACCOUNT": "1" * 12, "REGION": "ap-southeast-1", "NAME": "n" * LONGEST_NAME, "ZONE": "Z" * 21}
    for policy in POLICIES.values():
        text = json.dumps(policy, separators=(",", ":"))
        for placeholder, value in {**values, "DOMAIN": "d" * 64}.items():
            text = text.replace(placeholder, value)
        assert len(text) <= MOST_CHARACTERS
