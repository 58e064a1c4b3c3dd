"""What a function's version lacks although it answers, for a person who asks for an explanation."""

from walk.account import Account
from walk.call import Call
from walk.function_version import FunctionVersion
from walk.policy import Act, evaluate
from walk.queries import every, read
from walk.role_permission import role_policies
from walk.trace import Trace

_SMALL_MEMORY = 256  # MB; Lambda's own default of 128 gives a twelfth of a processor
_LOG_ACTIONS = ("logs:CreateLogStream", "logs:PutLogEvents")


def on_version(account: Account, call: Call | None, version: FunctionVersion, trace: Trace) -> None:
    """Note what a version lacks: time, memory, logs, a successful update."""
    name = f"{version.name}:{version.version}"
    if call is not None and version.timeout >= call.timeout:
        detail = (
            f"it may run {version.timeout} s, but API Gateway answers 503 after {call.timeout:g} s, while it goes on"
        )
        trace.note("function-timeout", "version", name, detail)
    if version.memory_size < _SMALL_MEMORY:
        detail = f"{version.memory_size} MB, and so little processor time that its start may take more than 10 s"
        trace.note("small-memory", "version", name, detail)
    with trace.reading():
        _on_update(account, version, trace)
    with trace.reading():
        _on_logs(account, version, trace)


def _on_update(account: Account, version: FunctionVersion, trace: Trace) -> None:
    """Source: terraform-provider-aws#49310: after a refused update the next deployment says "no changes"."""
    newest = read(
        account.client("lambda"),
        "get_function_configuration",
        absent="ResourceNotFoundException",
        FunctionName=version.name,
    )
    if newest is not None and newest.get("LastUpdateStatus") == "Failed":
        said = newest.get("LastUpdateStatusReason") or "no reason is given"
        detail = f"its last update failed, so that an earlier state of it answers: {said}"
        trace.note("update-failed", "version", version.name, detail)


def _on_logs(account: Account, version: FunctionVersion, trace: Trace) -> None:
    logs, group = account.client("logs"), version.log_group
    found = every(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=group)
    exists = any(entry["logGroupName"] == group for entry in found)
    policies = role_policies(account, version.role)
    place = f"{account.region}:{account.account_id}:log-group:{group}"
    resource = f"arn:{logs.meta.partition}:logs:{place}"
    wanted = [*(() if exists else ("logs:CreateLogGroup",)), *_LOG_ACTIONS]
    lacking = [
        action
        for action in wanted
        if not any(
            verdict.allowed or verdict.unsure
            for policy in policies
            for part in ("", ":*", ":log-stream:x")
            for verdict in [evaluate(policy, Act(service="", action=action, resource=f"{resource}{part}"))]
        )
    ]
    if lacking == ["logs:CreateLogGroup"]:
        detail = f"the log group {group} does not exist, and role {version.role} may not make it: nothing is logged"
        trace.note("log-group-missing", "logs", group, detail)
    elif lacking:
        detail = f"role {version.role} may not call {' and '.join(lacking)} on {group}: nothing is logged"
        trace.note("role-lacks-logs", "logs", group, detail)
