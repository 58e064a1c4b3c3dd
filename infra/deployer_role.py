"""The role with which GitHub Actions deploys: trusted by OpenID Connect for one repository, so no key is stored."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pulumi
import pulumi_aws as aws

from infra.domain_names import ZONE_ID
from infra.naming import NAME
from infra.rules import Rule, check, checked_by, refuse

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
"""What the action aws-actions/configure-aws-credentials asks GitHub to issue its token for."""

POLICY_FOLDER = Path(__file__).parents[1] / "docs"
POLICIES = sorted(POLICY_FOLDER.glob("deployer-policy*.json"))
"""The deployer's policies: docs/deployer-policy.md says what each is for."""
FOR_A_DOMAIN = "deployer-policy-domain"
"""The one that names a hosted zone."""

REPOSITORY = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+|[A-Za-z0-9-]+@[0-9]+/[A-Za-z0-9._-]+@[0-9]+")
"""A repository as a token's subject names it; with ids if it was made, renamed or moved after July 15, 2026.

Source: "OpenID Connect reference", GitHub's documentation.
"""
ENVIRONMENT = re.compile(r"[^\s*?:/]{1,255}")
BRANCH = re.compile(r"[^\s*?:]{1,255}")
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
KEY_ARN = re.compile(r"arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")


def matches(
    pattern: re.Pattern[str], why: str, remedy: str, *, required: bool = False
) -> Mapping[str, tuple[Rule, ...]]:
    """Returns the metadata of a text that has this form; it may be empty unless it is required."""

    def rule(key: str, given: str) -> None:
        if (given or required) and not pattern.fullmatch(given):
            refuse(key, given, why, remedy)

    return checked_by(rule)


def check_deployment(key: str, given: str) -> None:
    """A deployment's name, or the beginning of several names with a star behind it."""
    name = given.removesuffix("*").rstrip("-_") if given.endswith(("-*", "_*")) else given
    if not NAME.fullmatch(name):
        refuse(
            key,
            given,
            "it is the name of a deployment, or the beginning of several names with -* behind it",
            "set one such as shop-prod or shop-pr-*",
        )


@dataclass(frozen=True, kw_only=True)
class DeployerRoleSettings:
    """Whom the role trusts, and what it may deploy."""

    repository: str = field(
        metadata=matches(
            REPOSITORY,
            "a token names a repository as OWNER/NAME, or as OWNER@ID/NAME@ID",
            "set what `gh api repos/OWNER/NAME/actions/oidc/customization/sub` has as sub_claim_prefix, without repo:",
            required=True,
        )
    )
    environment: str = field(
        default="",
        metadata=matches(ENVIRONMENT, "it is the exact name of one environment", "set one such as production"),
    )
    branch: str = field(
        default="", metadata=matches(BRANCH, "it is the exact name of one branch", "set one such as main")
    )
    deployment: str = field(metadata=checked_by(check_deployment))
    domain_zone: str = field(
        default="", metadata=matches(ZONE_ID, "that is not the id of a hosted zone", "set one such as Z0123456789ABC")
    )
    domain_zone_name: str = ""
    state_bucket: str = field(
        default="",
        metadata=matches(BUCKET, "that is not the name of a bucket", "set one such as shop-state"),
    )
    state_key_arn: str = field(
        default="",
        metadata=matches(
            KEY_ARN, "that is not the ARN of a key", "set one such as arn:aws:kms:eu-west-1:123456789012:key/ID"
        ),
    )
    create_provider: bool = True

    def __post_init__(self) -> None:
        """Checks the settings.

        Raises:
            ConfigError: the role would trust nobody, or more than one environment or branch.
        """
        check(self)
        if bool(self.environment) == bool(self.branch):
            rule = "a role trusts one environment or one branch of the repository"
            refuse("environment", self.environment, rule, "set environment or branch, and not both")
        if bool(self.domain_zone) != bool(self.domain_zone_name):
            rule = "the policy for a domain names its hosted zone by id and by name"
            refuse("domainZone", self.domain_zone, rule, "set domainZone and domainZoneName, or neither")

    @property
    def subject(self) -> str:
        """The only subject that the role trusts.

        A job without an environment that runs for a pull request has another one, `repo:...:pull_request`.

        Source: "OpenID Connect reference", GitHub's documentation.
        """
        part = f"environment:{self.environment}" if self.environment else f"ref:refs/heads/{self.branch}"
        return f"repo:{self.repository}:{part}"


class DeployerRole(pulumi.ComponentResource):
    """A role that workflows of one environment or branch of a repository assume, with the deployer's policies.

    An account has one provider for GitHub's tokens: set `create_provider` for its first role alone.

    In another Pulumi program (docs/github-actions.md has the one that comes with this repository):

        import pulumi
        from infra.deployer_role import DeployerRole, DeployerRoleSettings

        settings = DeployerRoleSettings(repository="octo-org/shop", environment="production", deployment="shop")
        role = DeployerRole("deployer", settings)
        pulumi.export("role_arn", role.role_arn)
    """

    role_arn: pulumi.Output[str]

    def __init__(self, name: str, settings: DeployerRoleSettings, opts: pulumi.ResourceOptions | None = None) -> None:
        if not POLICIES:
            raise pulumi.RunError(f"{POLICY_FOLDER} has no deployer-policy*.json: copy docs/ beside infra/ as well.")
        super().__init__("dualmode:index:DeployerRole", name, None, opts)
        below = pulumi.ResourceOptions(parent=self)
        caller, region = aws.get_caller_identity(), aws.get_region()
        partition, account = caller.arn.split(":")[1], caller.account_id
        provider_arn: pulumi.Input[str] = f"arn:{partition}:iam::{account}:oidc-provider/{ISSUER}"
        if settings.create_provider:
            provider = aws.iam.OpenIdConnectProvider(
                f"{name}-github", url=f"https://{ISSUER}", client_id_lists=[AUDIENCE], opts=below
            )
            provider_arn = provider.arn
        trusted = pulumi.Output.json_dumps(trust_policy(provider_arn, settings.subject))
        # The name must not begin as those of the roles that the deployer's policies let it change.
        role = aws.iam.Role(f"{name}-role", assume_role_policy=trusted, opts=below)
        values = {
            "ACCOUNT": account,
            "REGION": region.region,
            "NAME": settings.deployment,
            "ZONE": settings.domain_zone,
            "DOMAIN": settings.domain_zone_name,
        }
        for file in POLICIES:
            if file.stem != FOR_A_DOMAIN or settings.domain_zone:
                filled = filled_in(file.read_text(), values, partition)
                policy = aws.iam.Policy(f"{name}-{file.stem}", policy=filled, opts=below)
                aws.iam.RolePolicyAttachment(f"{name}-{file.stem}", role=role.name, policy_arn=policy.arn, opts=below)
        own = own_statements(settings, f"arn:{partition}:logs:{region.region}:{account}", partition)
        aws.iam.RolePolicy(
            f"{name}-own",
            role=role.name,
            policy=json.dumps({"Version": "2012-10-17", "Statement": own}),
            opts=below,
        )
        self.role_arn = role.arn
        self.register_outputs({"role_arn": role.arn})


def trust_policy(provider_arn: pulumi.Input[str], subject: str) -> dict[str, object]:
    """Returns the policy that lets one subject of GitHub's assume the role, compared as it is: no wildcard."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": provider_arn},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subject}},
            }
        ],
    }


def filled_in(policy: str, values: Mapping[str, str], partition: str) -> str:
    """Returns a policy of the deployer with its placeholders filled in, without white space."""
    text = json.dumps(json.loads(policy), separators=(",", ":"))
    # In ARNs alone: an action may have a placeholder's letters in it.
    arns = re.compile(r'"arn:[^"]*"')
    placeholders = re.compile("|".join(values))
    filled = arns.sub(lambda arn: placeholders.sub(lambda found: values[found[0]], arn[0]), text)
    return filled.replace('"arn:aws:', f'"arn:{partition}:')


def own_statements(settings: DeployerRoleSettings, logs: str, partition: str) -> list[dict[str, object]]:
    """Returns what a workflow needs beside a deployment: the log that `make smoke` reads, and Pulumi's state."""
    log = f"{logs}:log-group:/aws/lambda/{settings.deployment}:*"
    statements: list[dict[str, object]] = [{"Effect": "Allow", "Action": "logs:FilterLogEvents", "Resource": log}]
    if settings.state_bucket:
        bucket = f"arn:{partition}:s3:::{settings.state_bucket}"
        objects = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        statements.append({"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket})
        statements.append({"Effect": "Allow", "Action": objects, "Resource": f"{bucket}/*"})
    if settings.state_key_arn:
        uses = ["kms:Decrypt", "kms:Encrypt"]
        statements.append({"Effect": "Allow", "Action": uses, "Resource": settings.state_key_arn})
    return statements
