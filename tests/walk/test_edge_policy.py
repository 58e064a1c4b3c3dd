import pytest

from walk.policy import Act, evaluate

ALIAS = "arn:aws:lambda:us-east-1:000000000000:function:shop:live"
REQUEST = "arn:aws:execute-api:us-east-1:000000000000:abcd1234/$default/$default"
INVOKE = Act(
    service="apigateway.amazonaws.com",
    action="lambda:InvokeFunction",
    resource=ALIAS,
    context={"aws:SourceArn": REQUEST, "aws:SourceAccount": "000000000000"},
)


def statement(**different):
    return {
        "Sid": "gateway",
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": ALIAS,
        **different,
    }


def source(pattern, operator="ArnLike"):
    return {operator: {"AWS:SourceArn": pattern}}


def verdict(*statements):
    return evaluate({"Version": "2012-10-17", "Statement": list(statements)}, INVOKE)


def test_the_statement_that_allows_is_named():
    assert verdict(statement(Sid="other", Action="lambda:GetFunction"), statement()).statement == "gateway"


@pytest.mark.parametrize(
    "different",
    [
        {},
        {"Action": ["lambda:GetFunction", "lambda:invokefunction"]},
        {"Action": "lambda:*"},
        {"Principal": "*"},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"Service": ["events.amazonaws.com", "apigateway.amazonaws.com"]}},
        {"Resource": "arn:aws:lambda:us-east-1:000000000000:function:shop:*"},
        {"Condition": source("arn:aws:execute-api:us-east-1:000000000000:abcd1234/*/*")},
        {"Condition": source("arn:aws:execute-api:*:*:abcd1234/$default/*")},
        {"Condition": source("arn:aws:execute-api:us-east-1:000000000000:abcd123?/*")},
        {"Condition": source(["arn:aws:s3:::x", REQUEST])},
        {"Condition": source(REQUEST, "StringEquals")},
        {"Condition": source("*abcd1234*", "StringLike")},
        {"Condition": {"StringEquals": {"aws:sourceaccount": "000000000000"}}},
        {"Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}},
        {"Condition": {"StringNotEquals": {"aws:SourceAccount": "111111111111"}}},
    ],
    ids=str,
)
def test_a_call_is_allowed_by_each_way_to_spell_its_statement(different):
    assert verdict(statement(**different)).allowed


@pytest.mark.parametrize(
    ("different", "reason"),
    [
        ({"Resource": ALIAS.removesuffix(":live")}, "is about"),
        ({"Action": "lambda:InvokeFunctionUrl"}, "is about"),
        ({"Principal": {"Service": "events.amazonaws.com"}}, "is for"),
        ({"Principal": {"AWS": "arn:aws:iam::000000000000:root"}}, "is for"),
        ({"NotAction": "lambda:InvokeFunction", "Action": None}, "is about"),
        ({"Condition": source("arn:aws:execute-api:us-east-1:000000000000:other123/*/*")}, "needs AWS:SourceArn"),
        # three parts: terraform-aws-apigateway-v2#41
        ({"Condition": source("arn:aws:execute-api:us-east-1:000000000000:abcd1234/*/*/*")}, "needs AWS:SourceArn"),
        # a star stays within its part of an ARN
        ({"Condition": source("arn:aws:*:abcd1234/$default/$default")}, "needs AWS:SourceArn"),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "111111111111"}}}, "needs aws:SourceAccount"),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, "the call doesn't have"),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, "is not evaluated here"),
        ({"Condition": {"StringNotEquals": {"aws:SourceAccount": "000000000000"}}}, "needs aws:SourceAccount"),
    ],
    ids=str,
)
def test_a_statement_about_something_else_does_not_allow_a_call(different, reason):
    found = verdict({key: value for key, value in statement(**different).items() if value is not None})
    assert not found.allowed
    assert reason in found.reason


def test_a_denial_wins_over_what_allows():
    found = verdict(statement(), statement(Sid="no", Effect="Deny", Principal="*", Action="*", Resource="*"))
    assert (found.allowed, found.statement) == (False, "no")


def test_no_policy_allows_nothing():
    assert not evaluate(None, INVOKE).allowed
    assert not evaluate('{"Statement": []}', INVOKE).allowed


def test_every_condition_has_to_hold():
    both = {"ArnLike": {"aws:SourceArn": REQUEST}, "StringEquals": {"aws:SourceAccount": "111111111111"}}
    assert not verdict(statement(Condition=both)).allowed


def test_a_trust_policy_has_no_resource():
    policy = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    assert evaluate({"Statement": policy}, Act(service="lambda.amazonaws.com", action="sts:AssumeRole")).allowed
    assert not evaluate({"Statement": policy}, Act(service="ec2.amazonaws.com", action="sts:AssumeRole")).allowed


@pytest.mark.parametrize("policy", ["[]", '"x"', '{"Statement": ["x"]}'])
def test_what_is_no_policy_allows_nothing(policy):
    assert not evaluate(policy, INVOKE).allowed
