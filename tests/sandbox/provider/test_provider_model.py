import pytest

from sandbox.provider.inputs import UNKNOWN
from sandbox.provider.service_model import violations
from walk.account import Account


@pytest.fixture(scope="module")
def account():
    return Account(None, "us-east-1")  # nothing is sent: the model is the library's own


@pytest.mark.parametrize(
    ("service", "operation", "request_", "sentence"),
    [
        (
            "apigatewayv2",
            "CreateIntegration",
            {"ApiId": "a", "IntegrationType": "AWS_PROXY", "TimeoutInMillis": 40000},
            "Value '40000' at 'timeoutInMillis' failed to satisfy constraint: "
            "Member must have value less than or equal to 30000",
        ),
        (
            "apigatewayv2",
            "CreateIntegration",
            {"ApiId": "a", "IntegrationType": "LAMBDA"},
            "Value 'LAMBDA' at 'integrationType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [AWS, HTTP, MOCK, HTTP_PROXY, AWS_PROXY]",
        ),
        (
            "ecr",
            "CreateRepository",
            {"repositoryName": "Upper"},
            "Value 'Upper' at 'repositoryName' failed to satisfy constraint: Member must satisfy regular expression "
            r"pattern: [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*",
        ),
        (
            "iam",
            "CreateRole",
            {"RoleName": "r" * 65, "AssumeRolePolicyDocument": "{}"},
            f"Value '{'r' * 65}' at 'roleName' failed to satisfy constraint: "
            "Member must have length less than or equal to 64",
        ),
        (
            "lambda",
            "CreateFunction",
            {"FunctionName": "f", "Role": UNKNOWN, "Code": {}, "LoggingConfig": {"LogFormat": "XML"}},
            "Value 'XML' at 'loggingConfig.logFormat' failed to satisfy constraint: "
            "Member must satisfy enum value set: [JSON, Text]",
        ),
        ("iam", "CreateRole", {"RoleName": "r"}, "Member must not be null"),
        (
            "lambda",
            "CreateAlias",
            {"FunctionName": "f", "Name": "7", "FunctionVersion": "1"},
            "Value '7' at 'name' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
        ),
    ],
)
def test_what_botocore_lets_through_is_refused_in_awss_own_words(account, service, operation, request_, sentence):
    assert [text for _, text in violations(account.client(service), operation, request_)] == [sentence]


def test_a_request_within_the_limits_breaks_nothing(account):
    request = {"FunctionName": "web", "Role": "arn:aws:iam::123456789012:role/web", "Code": {}, "Timeout": 29}
    assert violations(account.client("lambda"), "CreateFunction", request) == []


def test_a_value_that_is_not_known_yet_breaks_no_rule(account):
    request = {"RoleName": UNKNOWN, "AssumeRolePolicyDocument": UNKNOWN, "Path": UNKNOWN}
    assert violations(account.client("iam"), "CreateRole", request) == []
