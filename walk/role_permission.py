"""Whether a role's own policies let it do something."""

from typing import Any

from walk.account import Account
from walk.policy import Act, Verdict, evaluate
from walk.queries import every, read


def role_verdict(account: Account, role_arn: str, action: str, resource: str) -> Verdict:
    """Decide by all policies of a role, its own and those attached: a deny in one of them wins."""
    name = role_arn.rpartition("/")[2]
    if read(account.client("iam"), "get_role", absent="NoSuchEntity", RoleName=name) is None:
        return Verdict(allowed=False, reason="the role does not exist")
    act = Act(service="", action=action, resource=resource)
    return evaluate({"Statement": role_statements(account, name)}, act)


def role_statements(account: Account, role: str) -> list[Any]:
    """Every statement of every policy document of a role."""
    return [statement for document in role_policies(account, role) for statement in statements_of(document)]


def role_policies(account: Account, role: str) -> list[Any]:
    """Every policy document of a role, its own and those attached."""
    iam = account.client("iam")
    documents = own_policies(account, role)
    for attached in every(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=role):
        arn = attached["PolicyArn"]
        policy = read(iam, "get_policy", absent="NoSuchEntity", PolicyArn=arn)
        if policy is not None:
            version = read(
                iam,
                "get_policy_version",
                absent="NoSuchEntity",
                PolicyArn=arn,
                VersionId=policy["Policy"]["DefaultVersionId"],
            )
            documents.append(version["PolicyVersion"]["Document"])
    return documents


def own_policies(account: Account, role: str) -> list[Any]:
    """The documents of a role's own policies, without those attached."""
    iam = account.client("iam")
    found = (
        read(iam, "get_role_policy", absent="NoSuchEntity", RoleName=role, PolicyName=name)
        for name in every(iam, "list_role_policies", "PolicyNames", RoleName=role)
    )
    return [policy["PolicyDocument"] for policy in found if policy is not None]  # one may go while they are read


def statements_of(document: Any) -> list[Any]:
    """The statements of a policy's document, which may have one without a list."""
    statements = document.get("Statement") or []
    return statements if isinstance(statements, list) else [statements]
