"""The policy for whoever runs `pulumi up`: each statement has its source, and `*` only where AWS takes nothing else."""

import json
import re

from tests.support.provided import ROOT

POLICY = json.loads((ROOT / "docs" / "deployer-policy.json").read_text())
DOCUMENT = (ROOT / "docs" / "deployer-policy.md").read_text()

# Source of each: "Actions, resources, and condition keys", Service Authorization Reference, of the service.
TAKE_NO_RESOURCE = {
    "acm:RequestCertificate",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ecr:GetAuthorizationToken",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "route53:ListHostedZones",
    "ssm:DescribeParameters",
}

# What a managed policy may have, without white space. Source: "IAM and AWS STS quotas", IAM User Guide.
MOST_CHARACTERS = 6144


def listed(value):
    return value if isinstance(value, list) else [value]


def test_each_statement_of_the_deployers_policy_has_a_row_with_its_source():
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| (?=\S)", DOCUMENT, re.MULTILINE)
    assert rows == [statement["Sid"] for statement in POLICY["Statement"]]


def test_the_deployers_policy_names_actions_one_by_one_and_resources_wherever_aws_takes_them():
    for statement in POLICY["Statement"]:
        assert statement["Effect"] == "Allow"
        assert [action for action in statement["Action"] if "*" in action] == []
        without = [action for action in statement["Action"] if "*" in listed(statement["Resource"])]
        assert without == [action for action in statement["Action"] if action in TAKE_NO_RESOURCE]


def test_the_command_in_the_document_fills_in_every_placeholder_of_the_deployers_policy():
    command = " ".join(re.findall(r"s/(\w+)/[^/]+/g", DOCUMENT))
    text = json.dumps([statement["Resource"] for statement in POLICY["Statement"]])
    assert sorted(command.split()) == sorted(set(re.findall(r"[A-Z]{4,}", text)))
    elsewhere = json.dumps([{**statement, "Resource": ""} for statement in POLICY["Statement"]])
    assert [word for word in command.split() if word in elsewhere] == []


def test_the_deployers_policy_fits_into_one_managed_policy():
    assert len(json.dumps(POLICY, separators=(",", ":"))) <= MOST_CHARACTERS
