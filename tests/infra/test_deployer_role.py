"""The role with which GitHub Actions deploys: whom it trusts, what it may do, and what it may not change."""

import fnmatch
import json

import pytest
from ministack.core.iam_evaluator import EvalContext, evaluate_trust_policy

from infra.deployer_role import ISSUER, DeployerRoleSettings
from infra.rules import ConfigError
from sandbox import settings
from sandbox.provider.provider import Provider
from sandbox.pulumi_drivers import mocks_driver
from tests.support.provided import ROOT, ContentBuilder
from tests.support.pulumi_command import needs_pulumi

GIVEN = {"repository": "octo-org@123456/shop@456789", "environment": "production", "deployment": "shop-prod"}
DOMAIN = {"domainZone": "Z0123456789ABC", "domainZoneName": "example.com"}
STATE = {"stateBucket": "shop-state", "stateKeyArn": "arn:aws:kms:us-east-1:000000000000:key/1-2"}
SUBJECT = "repo:octo-org@123456/shop@456789:environment:production"


def listed(value):
    return value if isinstance(value, list) else [value]


@pytest.fixture
def deploy(ministack, account):
    """Runs the small program with these settings; gives the role, its trust, and its policies' statements."""

    def deploy(**chosen):
        project = settings.load_project(ROOT / "deployer")
        config = settings.load(project, "dev", {"aws:region": "us-east-1", **GIVEN, **chosen})
        provider = Provider(account, ContentBuilder(), project.folder)
        outputs, _ = mocks_driver.deploy(project, config, provider, ministack.program_variables, lambda _: None)
        iam = account.client("iam")
        (role,) = iam.list_roles()["Roles"]
        assert outputs == {"role_arn": role["Arn"]}
        attached = iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
        documents = []
        for policy in attached:
            version = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
            found = iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)
            documents.append(found["PolicyVersion"]["Document"])
        (own,) = iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
        documents.append(iam.get_role_policy(RoleName=role["RoleName"], PolicyName=own)["PolicyDocument"])
        return role, [statement for document in documents for statement in document["Statement"]]

    return deploy


def trusts(role, **claims):
    """Whether AWS would give the role for a token with these claims."""
    provider = f"arn:aws:iam::000000000000:oidc-provider/{ISSUER}"
    token = {"aud": "sts.amazonaws.com", "sub": SUBJECT, **claims}
    context = EvalContext(
        principal_arn=provider,
        principal_type="WebIdentityUser",
        principal_account="000000000000",
        action="sts:AssumeRoleWithWebIdentity",
        resource_arn=role["Arn"],
        region="us-east-1",
        service_context={f"{ISSUER}:{name}": value for name, value in token.items()},
    )
    return evaluate_trust_policy(json.dumps(role["AssumeRolePolicyDocument"]), provider, context)


def test_the_role_is_for_one_environment_of_one_repository_and_for_nothing_else(deploy):
    role, _ = deploy()
    assert trusts(role)
    for subject in (
        "repo:octo-org@123456/shop@456789:pull_request",
        "repo:octo-org@123456/shop@456789:ref:refs/heads/main",
        "repo:octo-org@123456/shop@456789:environment:preview",
        "repo:octo-org@123456/shop@456789:environment:production2",
        "repo:octo-org/shop:environment:production",
        "repo:octo-org@123456/other@1:environment:production",
        "repo:stranger@1/shop@456789:environment:production",
        "repo:octo-org@123456/shop@456789:environment:*",
    ):
        assert not trusts(role, sub=subject), subject
    assert not trusts(role, aud="https://github.com/octo-org")


def test_a_role_can_trust_a_branch_where_there_are_no_environments(deploy):
    role, _ = deploy(repository="octo-org/shop", environment="", branch="main")
    assert trusts(role, sub="repo:octo-org/shop:ref:refs/heads/main")
    assert not trusts(role, sub="repo:octo-org/shop:ref:refs/heads/other")
    assert not trusts(role, sub="repo:octo-org/shop:pull_request")


def test_the_role_has_the_deployers_policies_for_its_deployment_and_its_own_state(deploy):
    _, statements = deploy(**DOMAIN, **STATE)
    expected = []
    for file in (ROOT / "docs").glob("deployer-policy*.json"):
        text = file.read_text()
        for placeholder, value in (  # as the command in docs/deployer-policy.md does
            ("ACCOUNT", "000000000000"),
            ("REGION", "us-east-1"),
            ("NAME", "shop-prod"),
            ("ZONE", "Z0123456789ABC"),
            ("DOMAIN", "example.com"),
        ):
            text = text.replace(placeholder, value)
        expected += json.loads(text)["Statement"]
    assert sorted(map(json.dumps, statements[:-4])) == sorted(map(json.dumps, expected))
    assert statements[-4:] == [
        {
            "Effect": "Allow",
            "Action": "logs:FilterLogEvents",
            "Resource": "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/shop-prod:*",
        },
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::shop-state"},
        {
            "Effect": "Allow",
            "Action": ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            "Resource": "arn:aws:s3:::shop-state/*",
        },
        {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": STATE["stateKeyArn"]},
    ]


def test_the_role_can_not_change_itself_nor_the_provider_that_it_trusts(deploy):
    role, statements = deploy(deployment="shop-pr-*")
    changing = [
        resource
        for statement in statements
        if any(action.startswith("iam:") for action in listed(statement["Action"]))
        for resource in listed(statement["Resource"])
    ]
    assert changing
    assert [pattern for pattern in changing if fnmatch.fnmatchcase(role["Arn"], pattern)] == []
    assert [pattern for pattern in changing if ":role/" not in pattern] == []


@needs_pulumi
def test_a_second_up_changes_nothing_and_a_destroy_leaves_nothing(stack, account):
    engine = stack(ROOT / "deployer", **GIVEN, **DOMAIN)
    made = engine.up()
    assert engine.up(refresh=True) == {"same": made["create"]}
    assert engine.destroy() == {"delete": made["create"]}
    iam = account.client("iam")
    assert iam.list_roles()["Roles"] == iam.list_policies(Scope="Local")["Policies"] == []
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_a_second_role_takes_the_provider_that_the_account_has(deploy, account):
    role, _ = deploy(createProvider=False)
    assert account.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
    assert trusts(role)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"repository": "shop"},
            "repository is 'shop', but a token names a repository as OWNER/NAME, or as OWNER@ID/NAME@ID: set what "
            "`gh api repos/OWNER/NAME/actions/oidc/customization/sub` has as sub_claim_prefix, without repo:.",
        ),
        ({"repository": "octo-org/*"}, "repository is 'octo-org/*', but a token names a repository as OWNER/NAME"),
        ({"repository": "octo-org@1/shop"}, "repository is 'octo-org@1/shop', but a token names a repository as"),
        (
            {"environment": "*"},
            "environment is '*', but it is the exact name of one environment: set one such as production.",
        ),
        (
            {"environment": "production", "branch": "main"},
            "environment is 'production', but a role trusts one environment or one branch of the repository: set "
            "environment or branch, and not both.",
        ),
        ({"environment": "", "branch": ""}, "environment is '', but a role trusts one environment or one branch"),
        ({"environment": "", "branch": "main*"}, "branch is 'main*', but it is the exact name of one branch"),
        (
            {"deployment": "*"},
            "deployment is '*', but it is the name of a deployment, or the beginning of several names with -* behind "
            "it: set one such as shop-prod or shop-pr-*.",
        ),
        ({"deployment": "shop*"}, "deployment is 'shop*', but it is the name of a deployment"),
        ({"domain_zone": "Z0123456789ABC"}, "domainZone is 'Z0123456789ABC', but the policy for a domain names its"),
        ({"state_bucket": "s3://state"}, "stateBucket is 's3://state', but that is not the name of a bucket: set one"),
    ],
)
def test_a_role_that_would_trust_or_allow_something_else_is_refused(given, sentence):
    with pytest.raises(ConfigError) as refused:
        DeployerRoleSettings(**{**GIVEN, **given})
    assert str(refused.value).startswith(sentence)
