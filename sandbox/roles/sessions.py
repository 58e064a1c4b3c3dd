"""Sessions of functions' roles, as Lambda gives them to a function, and whether a role may make a call."""

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from botocore.credentials import ReadOnlyCredentials

from dualmode.gateway.http.message import Request
from sandbox.roles.needs import NO_RESOURCE, Need, needs_of
from sandbox.roles.operation import operation_of
from walk.account import Account
from walk.function_version import FunctionVersion
from walk.policy import Act, Verdict, evaluate
from walk.queries import read
from walk.role_permission import role_statements

_LONGEST = 43_200  # seconds, the most that STS takes; a sandbox seldom runs for longer

# The keys of conditions that are known here; every call has them.
_SECURE = {"aws:SecureTransport": "true"}
_VARIABLE = re.compile(r"\$\{[^}]*\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSession:
    """A function's session of its role: its credentials, ARN and id, the role's name and ARN, the function's ARN."""

    credentials: ReadOnlyCredentials
    arn: str
    id: str
    role: str
    role_arn: str
    function_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """A call that a role may not make; `sentence` is AWS's."""

    session: RoleSession
    need: Need
    sentence: str

    @property
    def remedy(self) -> str:
        """What to do about it, in one sentence."""
        statement = {"Effect": "Allow", "Action": self.need.action, "Resource": self.need.resource or NO_RESOURCE}
        return (
            f"The function was refused {self.need.action} on {self.need.resource or NO_RESOURCE}, as on AWS: its role "
            f"{self.session.role} doesn't allow it. Give it to the function with the setting policy: "
            f"{json.dumps(statement)}"
        )


class RoleSessions:
    """Gives functions credentials of their roles, and decides by the roles' policies, as they are at that moment."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._lock = threading.Lock()
        self._sessions: dict[str, RoleSession] = {}
        self._denied: list[str] = []

    def variables(self, version: FunctionVersion) -> dict[str, str]:
        """Return the variables that give a version which starts now the credentials of its role, and no others.

        Raises:
            UnreadableAccountError: the account gives none.
        """
        iam, sts = self._account.client("iam"), self._account.client("sts")
        role_arn = str(read(iam, "get_role", absent=(), RoleName=version.role)["Role"]["Arn"])
        named = {"RoleArn": role_arn, "RoleSessionName": version.name}
        begun = read(sts, "assume_role", absent=(), **named, DurationSeconds=_LONGEST)
        given = begun["Credentials"]
        credentials = ReadOnlyCredentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        session = RoleSession(
            credentials=credentials,
            arn=str(begun["AssumedRoleUser"]["Arn"]),
            id=str(begun["AssumedRoleUser"]["AssumedRoleId"]),
            role=version.role,
            role_arn=role_arn,
            function_arn=f"arn:aws:lambda:{self._account.region}:{self._account.account_id}:function:{version.name}",
        )
        with self._lock:
            self._sessions[credentials.access_key] = session
        return {
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            "AWS_SESSION_TOKEN": str(credentials.token),
        }

    def find(self, access_key: str) -> RoleSession | None:
        """Return the session that has an access key."""
        with self._lock:
            return self._sessions.get(access_key)

    def refusal(self, session: RoleSession, request: Request) -> Denied | None:
        """Return why a session may not make a call; None if it may, or if nobody here can tell what the call is."""
        operation = operation_of(request)
        needs = needs_of(operation, request, self._account) if operation else []
        if not needs:
            return None
        for need in needs:
            verdict = self.verdict(session, Act(action=need.action, resource=need.resource))
            if not verdict.allowed:
                denied = Denied(session=session, need=need, sentence=_sentence(session, need, verdict))
                with self._lock:
                    self._denied.append(denied.remedy)
                return denied
        return None

    def verdict(self, session: RoleSession, act: Act) -> Verdict:
        """Decide by the policies of a session's role; what can't be known here is taken in its favour."""
        context = {**self._context(session), **act.context}
        statements = role_statements(self._account, session.role)
        decidable = (_decidable(each, act.resource, context) for each in statements)
        document = {"Statement": [each for each in decidable if each is not None]}
        verdict = evaluate(document, Act(action=act.action, resource=act.resource, context=context))
        return replace(verdict, allowed=True) if verdict.unsure else verdict

    def new_remedies(self) -> list[str]:
        """Return a sentence for each call that was refused since the last time."""
        with self._lock:
            denied, self._denied = self._denied, []
        return list(dict.fromkeys(denied))

    def _context(self, session: RoleSession) -> Mapping[str, str]:
        return {
            **_SECURE,
            "aws:PrincipalArn": session.role_arn,
            "aws:PrincipalAccount": self._account.account_id,
            "aws:RequestedRegion": self._account.region,
            "lambda:SourceFunctionArn": session.function_arn,
        }


def _decidable(statement: Any, resource: str, context: Mapping[str, str]) -> Any:
    """A statement as far as it can be decided here; None for a Deny of which that is too little.

    What isn't known here counts as met for Allow, as not met for Deny: keys of conditions, policy variables, and a
    resource that the call doesn't name. So nothing is refused that the role's policies might allow.
    """
    if not isinstance(statement, Mapping):
        return statement
    decidable = dict(statement)
    for element in ("Resource", "NotResource"):
        if element in statement:
            decidable[element] = json.loads(_VARIABLE.sub("*", json.dumps(statement[element])))
    conditions = statement.get("Condition")
    if isinstance(conditions, Mapping):
        known = {key.lower() for key in context}
        kept = {
            operator: {key: value for key, value in keys.items() if key.lower() in known}
            for operator, keys in conditions.items()
        }
        decidable["Condition"] = {operator: keys for operator, keys in kept.items() if keys}
    unnamed = not resource and statement.get("Resource") != NO_RESOURCE
    return None if statement.get("Effect") == "Deny" and (unnamed or decidable != statement) else decidable


def _sentence(session: RoleSession, need: Need, verdict: Verdict) -> str:
    """AWS's own sentence, in the spelling of the service.

    Source: "Troubleshoot access denied error messages", IAM User Guide; SQS writes its actions in lower case.
    """
    action = need.action.lower() if need.action.startswith("sqs:") else need.action
    resource = need.resource or NO_RESOURCE
    shown = f'"{resource}"' if need.action.startswith("s3:") else resource
    reason = (
        "with an explicit deny in an identity-based policy"
        if verdict.statement
        else f"because no identity-based policy allows the {action} action"
    )
    return f"User: {session.arn} is not authorized to perform: {action} on resource: {shown} {reason}"
