# ruff: noqa: D102  what each method means is said once, in kind.py
"""Identity and Access Management: roles and their inline policies.

Source: hashicorp/terraform-provider-aws, internal/service/iam/{role,role_policy}.go.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provider.inputs import UNKNOWN, Inputs
from sandbox.provider.kind import Kind, Values, given, tag_list, tag_map
from sandbox.provider.refusals import ResourceRefusedError, is_missing


class Role(Kind):
    """`aws.iam.Role`."""

    pulumi_type = "aws:iam/role:Role"
    service = "iam"
    operation = "CreateRole"
    spelt = MappingProxyType({"roleName": "name", "assumeRolePolicyDocument": "assumeRolePolicy"})
    replaces = frozenset({"name", "namePrefix", "path"})
    autonamed = "name"

    def request(self, inputs: Inputs) -> Values:
        inputs.unsupported("namePrefix", "inlinePolicies")
        inputs.boolean("forceDetachPolicies", False)
        return {
            "RoleName": inputs.required("name"),
            "AssumeRolePolicyDocument": inputs.json_text("assumeRolePolicy"),
            "Path": inputs.text("path", "/"),
            "Description": inputs.text("description"),
            "MaxSessionDuration": inputs.integer("maxSessionDuration", 3600),
            "PermissionsBoundary": inputs.text("permissionsBoundary"),
            "Tags": tag_list(inputs.names("tags")) or None,
            "managed_policies": inputs.texts("managedPolicyArns"),
        }

    def limits(self, request: Values) -> list[tuple[str, str]]:
        return policy_mistakes(request["AssumeRolePolicyDocument"], "assumeRolePolicy", principal=True)

    def create(self, request: Values) -> str:
        call = {key: value for key, value in request.items() if key != "managed_policies"}
        name = str(self.client.create_role(**given(call))["Role"]["RoleName"])
        for arn in request["managed_policies"] or []:
            self.client.attach_role_policy(RoleName=name, PolicyArn=arn)
        return name

    def locate(self, request: Values) -> str | None:
        return str(request["RoleName"]) if self.read(request["RoleName"], {}) else None

    def read(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        try:
            role = self.client.get_role(RoleName=identity)["Role"]
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        attached = self.client.list_attached_role_policies(RoleName=identity)["AttachedPolicies"]
        tags = tag_map(role.get("Tags"))
        return {
            "arn": role["Arn"],
            "assumeRolePolicy": policy_text(role["AssumeRolePolicyDocument"]),
            "createDate": role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "description": role.get("Description", ""),
            "forceDetachPolicies": bool(state.get("forceDetachPolicies")),
            "inlinePolicies": [],  # they are resources of their own here
            "managedPolicyArns": sorted(policy["PolicyArn"] for policy in attached),
            "maxSessionDuration": role.get("MaxSessionDuration", 3600),
            "name": role["RoleName"],
            "namePrefix": "",
            "path": role["Path"],
            "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
            "tags": tags,
            "tagsAll": tags,
            "uniqueId": role["RoleId"],
        }

    def update(self, identity: str, request: Values, old: Mapping[str, Any]) -> None:
        document = request["AssumeRolePolicyDocument"]
        self.client.update_assume_role_policy(RoleName=identity, PolicyDocument=document)
        self.client.update_role(
            RoleName=identity,
            Description=request["Description"] or "",
            MaxSessionDuration=request["MaxSessionDuration"],
        )
        boundary = request["PermissionsBoundary"]
        if boundary:
            self.client.put_role_permissions_boundary(RoleName=identity, PermissionsBoundary=boundary)
        elif old.get("permissionsBoundary"):
            self.client.delete_role_permissions_boundary(RoleName=identity)
        if request["managed_policies"] is not None:
            before, after = set(old.get("managedPolicyArns") or []), set(request["managed_policies"])
            for arn in sorted(before - after):
                self.client.detach_role_policy(RoleName=identity, PolicyArn=arn)
            for arn in sorted(after - before):
                self.client.attach_role_policy(RoleName=identity, PolicyArn=arn)
        wanted = tag_map(request["Tags"])
        gone = [key for key in old.get("tags") or {} if key not in wanted]
        if gone:
            self.client.untag_role(RoleName=identity, TagKeys=gone)
        if wanted:
            self.client.tag_role(RoleName=identity, Tags=tag_list(wanted))

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        try:
            for policy in self.client.list_attached_role_policies(RoleName=identity)["AttachedPolicies"]:
                self.client.detach_role_policy(RoleName=identity, PolicyArn=policy["PolicyArn"])
            self.client.delete_role(RoleName=identity)
        except ClientError as error:
            if not is_missing(error):
                raise


class RolePolicy(Kind):
    """`aws.iam.RolePolicy`."""

    pulumi_type = "aws:iam/rolePolicy:RolePolicy"
    service = "iam"
    operation = "PutRolePolicy"
    spelt = MappingProxyType({"roleName": "role", "policyName": "name", "policyDocument": "policy"})
    replaces = frozenset({"name", "namePrefix", "role"})
    autonamed = "name"

    def request(self, inputs: Inputs) -> Values:
        inputs.unsupported("namePrefix")
        return {
            "RoleName": inputs.required("role"),
            "PolicyName": inputs.required("name"),
            "PolicyDocument": inputs.json_text("policy"),
        }

    def limits(self, request: Values) -> list[tuple[str, str]]:
        return policy_mistakes(request["PolicyDocument"], "policy", principal=False)

    def create(self, request: Values) -> str:
        self.client.put_role_policy(**request)
        return f"{request['RoleName']}:{request['PolicyName']}"

    def read(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        role, _, name = identity.partition(":")
        try:
            policy = self.client.get_role_policy(RoleName=role, PolicyName=name)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        return {"name": name, "namePrefix": "", "policy": policy_text(policy["PolicyDocument"]), "role": role}

    def update(self, identity: str, request: Values, old: Mapping[str, Any]) -> None:
        self.client.put_role_policy(**request)

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        role, _, name = identity.partition(":")
        try:
            self.client.delete_role_policy(RoleName=role, PolicyName=name)
        except ClientError as error:
            if not is_missing(error):
                raise


def policy_text(document: object) -> str:
    """Return a policy document as text: boto3 decodes it where it can."""
    return document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))


def policy_mistakes(document: object, path: str, *, principal: bool) -> list[tuple[str, str]]:
    """Return what IAM calls a malformed policy: no statement, a bad effect, a principal where none or one belongs."""
    if document is UNKNOWN or not isinstance(document, str):
        return []
    try:
        policy = json.loads(document)
    except ValueError:
        return []  # said already
    mistakes: list[tuple[str, str]] = []
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        return [(path, "MalformedPolicyDocument: the policy has no Statement")]
    for number, statement in enumerate(statements, 1):
        where = f"MalformedPolicyDocument: statement {number}"
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            mistakes.append((path, f"{where} has no Effect, which is Allow or Deny"))
            continue
        if not {"Action", "NotAction"} & statement.keys():
            mistakes.append((path, f"{where} has no Action"))
        if principal and not {"Principal", "NotPrincipal"} & statement.keys():
            mistakes.append((path, f"{where} has no Principal, which a trust policy needs"))
        if not principal and {"Principal", "NotPrincipal"} & statement.keys():
            mistakes.append((path, f"{where} has a Principal, which a role's own policy can't have"))
        if not principal and not {"Resource", "NotResource"} & statement.keys():
            mistakes.append((path, f"{where} has no Resource"))
    return mistakes


def role_of(iam: Any, arn: str) -> dict[str, Any]:
    """Return the role with an ARN.

    Raises:
        ResourceRefusedError: there is none.
    """
    name = arn.rpartition("/")[2]
    try:
        role: dict[str, Any] = iam.get_role(RoleName=name)["Role"]
    except ClientError as error:
        if not is_missing(error):
            raise
        role = {}
    if role.get("Arn") != arn:
        raise ResourceRefusedError("InvalidParameterValueException", f"the role {arn} doesn't exist")
    return role
