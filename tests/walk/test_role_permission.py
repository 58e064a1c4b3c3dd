"""Whether a role may do something, by all of its policies."""

import json

import pytest

from walk.role_permission import role_verdict

ROLE = "arn:aws:iam::000000000000:role/web"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:mail"


def document(effect="Allow", action="sqs:SendMessage", resource=QUEUE):
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


@pytest.fixture
def iam(ministack, account):
    ministack.reset()
    trust = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
    client = account.client("iam")
    client.create_role(RoleName="web", AssumeRolePolicyDocument=json.dumps(trust))
    return client


def attach(iam, text):
    arn = iam.create_policy(PolicyName="own", PolicyDocument=text)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="web", PolicyArn=arn)


def may(account):
    return role_verdict(account, ROLE, "sqs:SendMessage", QUEUE).allowed


def test_an_inline_or_an_attached_policy_allows_and_any_denies(iam, account):
    assert not may(account)
    iam.put_role_policy(RoleName="web", PolicyName="send", PolicyDocument=document())
    assert may(account)
    attach(iam, document("Deny", "sqs:*", "*"))
    assert not may(account)


def test_an_attached_policy_is_enough(iam, account):
    attach(iam, document())
    assert may(account)


@pytest.mark.parametrize("other", [{"action": "sqs:ReceiveMessage"}, {"resource": f"{QUEUE}-failed"}])
def test_another_action_or_resource_is_not_allowed(iam, account, other):
    iam.put_role_policy(RoleName="web", PolicyName="send", PolicyDocument=document(**other))
    assert not may(account)


def test_a_role_that_does_not_exist_may_do_nothing(iam, account):
    verdict = role_verdict(account, f"{ROLE}-gone", "sqs:SendMessage", QUEUE)
    assert (verdict.allowed, verdict.reason) == (False, "the role does not exist")
