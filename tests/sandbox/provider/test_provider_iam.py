"""Managed policies and providers of OpenID Connect, as IAM keeps them."""

import json

import pytest

from sandbox.provider.refusals import InvalidInputsError, ResourceRefusedError

POLICY, OIDC = "aws:iam/policy:Policy", "aws:iam/openIdConnectProvider:OpenIdConnectProvider"


def document(action):
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_policy_that_changes_often_keeps_five_versions_and_its_newest_is_used(provider, account):
    iam = account.client("iam")
    made = provider.create(POLICY, "often", {"name": "often", "policy": document("s3:GetObject")})
    for number in range(6):
        inputs = {"name": "often", "policy": document(f"s3:Get{number}")}
        provider.update(POLICY, "often", made.identity, made.outputs, inputs)
    versions = iam.list_policy_versions(PolicyArn=made.identity)["Versions"]
    assert [version["VersionId"] for version in versions] == ["v3", "v4", "v5", "v6", "v7"]
    assert [version["VersionId"] for version in versions if version["IsDefaultVersion"]] == ["v7"]
    provider.delete(POLICY, "often", made.identity, made.outputs)
    assert iam.list_policies(Scope="Local")["Policies"] == []


def test_a_policy_that_iam_calls_malformed_is_refused(provider):
    with pytest.raises(InvalidInputsError, match="MalformedPolicyDocument: the policy has no Statement"):
        provider.check(POLICY, "bad", {"name": "bad", "policy": "{}"})


def test_a_provider_of_tokens_must_be_reached_by_https(provider):
    inputs = {"url": "http://token.sandbox.test", "clientIdLists": ["sts.amazonaws.com"]}
    with pytest.raises(InvalidInputsError, match="url: ValidationError: Invalid Open ID Connect Provider URL"):
        provider.check(OIDC, "bad", inputs)


def test_an_account_has_one_provider_for_an_address(provider):
    inputs = {"url": "https://token.sandbox.test", "clientIdLists": ["sts.amazonaws.com"]}
    made = provider.create(OIDC, "first", inputs)
    with pytest.raises(ResourceRefusedError, match="EntityAlreadyExists"):
        provider.create(OIDC, "second", inputs)
    provider.delete(OIDC, "first", made.identity, made.outputs)
