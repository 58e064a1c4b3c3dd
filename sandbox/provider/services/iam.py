"""Identity and Access Management: roles, their inline policies and the managed policies that they have.

Source: hashicorp/terraform-provider-aws, internal/service/iam/{role,role_policy,role_policy_attachment}.go.
"""

import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.call import Call, parameters
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.forms import BOOLEAN, JSON, SORTED_TEXTS, TEXT, TEXTS, document
from sandbox.provider.inputs import UNKNOWN
from sandbox.provider.refusals import ResourceRefusedError, or_none
from sandbox.provider.resource_type import ResourceType
from sandbox.provider.tags import Tags
from walk.policy import Act, evaluate

POLICY_ARN = re.compile(r"arn:[a-z-]+:iam::(?:aws|[0-9]{12}):policy/[!-~]+")


class Role(ResourceType):
    """`aws.iam.Role`."""

    pulumi_type = "aws:iam/role:Role"
    service = "iam"
    regional = False
    fields = (
        Field("name", "RoleName", required=True),
        Field("assumeRolePolicy", "AssumeRolePolicyDocument", JSON, required=True),
        Field("path", default="/"),
        "description",
        Field("maxSessionDuration", default=3600),
        Field("permissionsBoundary", answer="PermissionsBoundary.PermissionsBoundaryArn", computed=True),
        Field("forceDetachPolicies", "", BOOLEAN),
        Field("managedPolicyArns", "", SORTED_TEXTS, answer="AttachedPolicies[].PolicyArn"),
        *unsupported("namePrefix", form=TEXT),
        *unsupported("inlinePolicies", form=TEXTS),  # they are resources of their own here
        Output("arn", "Arn"),
        Output("createDate", "CreateDate"),
        Output("uniqueId", "RoleId"),
    )
    tags = Tags("{name}", "Tags", tag="TagRole", untag="UntagRole")
    autonamed = "name"
    replace_on_changes = frozenset({"name", "namePrefix", "path"})
    create_call = Call("CreateRole")
    identity = "{name}"
    identified_by = parameters(RoleName="{id}")
    read_calls = (Call("GetRole", "Role"), Call("ListAttachedRolePolicies"))
    update_calls = (Call("UpdateAssumeRolePolicy", PolicyDocument="{assumeRolePolicy}"), Call("UpdateRole"))
    delete_call = Call("DeleteRole")

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse a trust policy that IAM calls malformed."""
        return policy_mistakes(wanted["assumeRolePolicy"], "assumeRolePolicy", principal=True)

    def finish(self, identity: str, wanted: Values) -> None:
        """Attach the role's managed policies."""
        super().finish(identity, wanted)
        self._attach(identity, wanted["managedPolicyArns"], [])

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Change what has a call of its own besides."""
        super().update(identity, wanted, old)
        boundary = wanted["permissionsBoundary"]
        if boundary:
            self.client.put_role_permissions_boundary(RoleName=identity, PermissionsBoundary=boundary)
        elif old.get("permissionsBoundary"):
            self.client.delete_role_permissions_boundary(RoleName=identity)
        self._attach(identity, wanted["managedPolicyArns"], old.get("managedPolicyArns") or [])

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        """Detach the managed policies first: IAM requires that."""
        attached = self.client.list_attached_role_policies(RoleName=identity)["AttachedPolicies"]
        self._attach(identity, [], [policy["PolicyArn"] for policy in attached])
        super().delete(identity, state)

    def _attach(self, name: str, wanted: list[str] | None, old: list[str]) -> None:
        if wanted is None:
            return
        for arn in sorted(set(old) - set(wanted)):
            self.client.detach_role_policy(RoleName=name, PolicyArn=arn)
        for arn in sorted(set(wanted) - set(old)):
            self.client.attach_role_policy(RoleName=name, PolicyArn=arn)


class RolePolicy(ResourceType):
    """`aws.iam.RolePolicy`."""

    pulumi_type = "aws:iam/rolePolicy:RolePolicy"
    service = "iam"
    regional = False
    fields = (
        Field("name", "PolicyName", required=True),
        Field("policy", "PolicyDocument", JSON, required=True),
        Field("role", "RoleName", required=True),
        *unsupported("namePrefix", form=TEXT),
    )
    autonamed = "name"
    replace_on_changes = frozenset({"name", "namePrefix", "role"})
    create_call = Call("PutRolePolicy")
    identity = "{role}:{name}"
    identified_by = parameters(RoleName="{role}", PolicyName="{name}")
    read_calls = (Call("GetRolePolicy"),)
    update_calls = (Call("PutRolePolicy"),)
    delete_call = Call("DeleteRolePolicy")

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse a policy that IAM calls malformed."""
        return policy_mistakes(wanted["policy"], "policy", principal=False)


class RolePolicyAttachment(ResourceType):
    """`aws.iam.RolePolicyAttachment`."""

    pulumi_type = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    service = "iam"
    regional = False
    fields = (Field("policyArn", required=True), Field("role", "RoleName", required=True))
    replace_on_changes = frozenset({"policyArn", "role"})
    create_call = Call("AttachRolePolicy")
    identity = "{role}/{policyArn}"
    identified_by = parameters(RoleName="{role}", PolicyArn="{policyArn}")
    delete_call = Call("DetachRolePolicy")

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse what isn't the ARN of a policy."""
        arn = wanted["policyArn"]
        if isinstance(arn, str) and not POLICY_ARN.fullmatch(arn):
            return [("policyArn", f"ValidationError: ARN {arn} is not valid")]
        return []

    def check_references(self, wanted: Values, identity: str) -> None:
        """Refuse a policy that the account doesn't have. The emulator doesn't have all of AWS's own."""
        arn = wanted["policyArn"]
        if arn.split(":")[4] != "aws" and or_none(lambda: self.client.get_policy(PolicyArn=arn)) is None:
            raise ResourceRefusedError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable", "policyArn")

    def read(self, identity: str, state: Mapping[str, Any]) -> Any:
        """Return the attachment, if the role has it."""
        role, arn = state["role"], state["policyArn"]
        attached = self.client.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        return {"RoleName": role, "PolicyArn": arn} if any(each["PolicyArn"] == arn for each in attached) else None


def role_allows(iam: Any, role_name: str, action: str, resource: str) -> bool:
    """Say whether a role's policies allow an action; one of AWS's own that the emulator doesn't have does."""
    documents = [
        iam.get_role_policy(RoleName=role_name, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role_name)["PolicyNames"]
    ]
    for attached in iam.list_attached_role_policies(RoleName=role_name)["AttachedPolicies"]:
        policy = or_none(partial(iam.get_policy, PolicyArn=attached["PolicyArn"]))
        if policy is None:
            return True
        version = {"PolicyArn": attached["PolicyArn"], "VersionId": policy["Policy"]["DefaultVersionId"]}
        documents.append(iam.get_policy_version(**version)["PolicyVersion"]["Document"])
    statements = [
        {**statement, "Principal": "*"}  # the role's own: it is nobody else's
        for found in map(document, documents)
        for statement in _statements(json.loads(found))
    ]
    return evaluate({"Statement": statements}, Act(service="", action=action, resource=resource)).allowed


def _statements(policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    statements = policy.get("Statement") or []
    return [statements] if isinstance(statements, dict) else list(statements)


def policy_mistakes(document: object, path: str, *, principal: bool) -> list[tuple[str, str]]:
    """Return what IAM calls a malformed policy: no statement, a bad effect, a missing or forbidden principal."""
    if document is UNKNOWN or not isinstance(document, str):
        return []
    try:
        policy = json.loads(document)
    except ValueError:
        return []  # already reported
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
    found = or_none(lambda: iam.get_role(RoleName=arn.rpartition("/")[2]))
    role: dict[str, Any] = found["Role"] if found else {}
    if role.get("Arn") != arn:
        raise ResourceRefusedError("InvalidParameterValueException", f"the role {arn} doesn't exist")
    return role
