"""The program's resources as Terraform has them, and what is told of a policy checker's answer."""

import re
import tomllib

import pytest

from audit import policies
from audit.terraform_plan import plan, terraform_type
from sandbox.pulumi_drivers.resources import Resource


def resource(kind, name, **inputs):
    return Resource(type=kind, name=name, urn=f"urn:{name}", parent_urn="", inputs=inputs)


@pytest.mark.parametrize(
    ("pulumi_type", "in_terraform"),
    [
        ("aws:lambda/function:Function", "aws_lambda_function"),
        ("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", "aws_lambda_function_event_invoke_config"),
        ("aws:apigatewayv2/domainName:DomainName", "aws_apigatewayv2_domain_name"),
        ("aws:cloudwatch/logGroup:LogGroup", "aws_cloudwatch_log_group"),
        ("aws:cloudwatch/eventRule:EventRule", "aws_cloudwatch_event_rule"),
        ("aws:dynamodb/table:Table", "aws_dynamodb_table"),
        ("aws:cloudfront/distribution:Distribution", "aws_cloudfront_distribution"),
    ],
)
def test_a_type_has_its_name_in_terraform(pulumi_type, in_terraform):
    assert terraform_type(pulumi_type) == in_terraform


def test_a_deployment_is_a_plan_that_creates_its_resources():
    made = [
        resource("dualmode:index:ContainerFunction", "function"),
        resource(
            "aws:lambda/function:Function",
            "function-function",
            memorySize=512,
            environment={"variables": {"fooBar": "x"}},
            architectures=["x86_64"],
            tags={"costCentre": "1"},
        ),
    ]
    after = {
        "memory_size": 512,
        "environment": [{"variables": {"fooBar": "x"}}],
        "architectures": ["x86_64"],
        "tags": {"costCentre": "1"},
    }
    function = {
        "address": "aws_lambda_function.function-function",
        "mode": "managed",
        "type": "aws_lambda_function",
        "name": "function-function",
        "provider_name": "hashicorp/aws",
        "change": {"actions": ["create"], "before": None, "after": after},
    }
    rendered = plan(made)
    assert rendered["resource_changes"] == [function]
    assert rendered["planned_values"] == {"root_module": {"resources": [{**function, "values": after}]}}


FAILED = {"check_id": "CKV_AWS_1", "check_name": "Be good", "resource": "aws_lambda_function.b"}
REPORTS = [{"results": {"failed_checks": [FAILED, {**FAILED, "resource": "aws_lambda_function.a"}]}}]


def test_a_finding_that_is_not_argued_is_told_with_its_places():
    assert list(policies.findings(REPORTS, {})) == [
        '"CKV_AWS_1 aws_lambda_function" (Be good) fails for aws_lambda_function.a, aws_lambda_function.b: fix it, or '
        "argue in one line of audit/checkov.toml."
    ]


def test_a_finding_that_is_argued_is_not_told_and_an_argument_that_nothing_needs_is():
    argued = {"CKV_AWS_1 aws_lambda_function": "since", "CKV_AWS_1 aws_sqs_queue": "since"}
    assert list(policies.findings(REPORTS, argued)) == [
        '"CKV_AWS_1 aws_sqs_queue" in audit/checkov.toml fails nowhere any more: remove it.'
    ]


def test_each_argument_is_one_line_for_one_check_and_one_type():
    argued = tomllib.loads(policies.ARGUED.read_text())
    assert len(argued) > 20
    assert [key for key in argued if not re.fullmatch(r"CKV2?_AWS_\d+ aws_[a-z0-9_]+", key)] == []
    assert [key for key, reason in argued.items() if not reason.strip() or "\n" in reason] == []
