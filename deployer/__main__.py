"""The role with which GitHub Actions deploys, made once by an administrator: docs/github-actions.md."""

import sys
from pathlib import Path

import pulumi

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from infra.deployer_role import DeployerRole, DeployerRoleSettings
from infra.settings import load_alone

role = DeployerRole("deployer", load_alone(DeployerRoleSettings))
pulumi.export("role_arn", role.role_arn)
