"""From the host of a Function URL to the function: which one has it, and who may call it."""

import json
from collections.abc import Mapping
from typing import Any

from walk.account import Account
from walk.function_version import shares_of
from walk.policy import Act, evaluate
from walk.queries import every, read
from walk.trace import RequestRefusedError, Trace, forbidden, not_found

# Source: "Control access to Lambda function URLs", Lambda Developer Guide: both actions since October 2025.
_ACTS = (
    ("lambda:InvokeFunctionUrl", {"lambda:FunctionUrlAuthType": "NONE"}),
    ("lambda:InvokeFunction", {"lambda:InvokedViaFunctionUrl": "true"}),
)

LONGEST_SECONDS = 900.0
"""Seconds that Lambda lets a function run. Source: "Lambda quotas", Lambda Developer Guide."""


def is_function_url(name: str) -> bool:
    """Whether a host is a Function URL's."""
    labels = name.split(".")
    return len(labels) > 2 and labels[1] == "lambda-url"


def find_shares(account: Account, name: str, trace: Trace) -> tuple[str, dict[str, float]]:
    """Return the ARN behind the host of a Function URL, and the versions that may run, with their shares.

    Raises:
        RequestRefusedError: no function has it, or it lets nobody in.
    """
    found = find_url(account, name)
    if found is None:
        reason = f"no function of this account in {account.region} has this URL"
        raise not_found("domain", name, reason, "function-url-missing")
    arn, auth_type = found
    parts = arn.split(":")
    function_name, qualifier = parts[6], parts[7] if len(parts) > 7 else ""
    trace.add("domain", name, f"Function URL of {':'.join(parts[6:])}, {auth_type}")
    if auth_type != "NONE" and not trace.explains:
        raise _refusal(arn, f"its URL needs {auth_type} authorization, which the sandbox can't grant")
    if auth_type != "NONE":
        detail = "a request without an AWS signature that may call it is answered with 403"
        trace.note("authorizer", "domain", name, detail)
    else:
        with trace.reading():
            _check_permissions(account, arn, function_name, qualifier)
    return arn, shares_of(account, function_name, qualifier)


def find_url(account: Account, name: str) -> tuple[str, str] | None:
    """Return the ARN of the function or alias whose URL has this host, and who may call it.

    There is no shorter way to look it up.
    """
    functions = account.client("lambda")
    for function in every(functions, "list_functions", "Functions"):
        known = {"FunctionName": function["FunctionName"]}
        urls = every(functions, "list_function_url_configs", "FunctionUrlConfigs", **known)
        if not any(_is_at(url, name) for url in urls):
            continue
        arn = function["FunctionArn"]
        for alias in every(functions, "list_aliases", "Aliases", **known):
            of_alias = read(
                functions,
                "get_function_url_config",
                absent="ResourceNotFoundException",
                Qualifier=alias["Name"],
                **known,
            )
            if of_alias is not None and _is_at(of_alias, name):
                return f"{arn}:{alias['Name']}", str(of_alias["AuthType"])
        return arn, next(str(url["AuthType"]) for url in urls if _is_at(url, name))
    return None


def _is_at(url: Mapping[str, Any], name: str) -> bool:
    return bool(url["FunctionUrl"].removeprefix("https://").rstrip("/").lower() == name)


def _check_permissions(account: Account, arn: str, function_name: str, qualifier: str) -> None:
    policy = read(
        account.client("lambda"),
        "get_policy",
        absent="ResourceNotFoundException",
        FunctionName=function_name,
        **({"Qualifier": qualifier} if qualifier else {}),
    )
    for action, context in _ACTS:
        act = Act(service="everyone", action=action, resource=arn, context=context)
        verdict = evaluate(json.loads(policy["Policy"]) if policy else None, act)
        if not verdict.allowed:
            raise _refusal(arn, f"its resource policy does not let everyone call {action}: {verdict.reason}")


def _refusal(arn: str, reason: str) -> RequestRefusedError:
    return forbidden("permission", arn, reason, "function-url-permission")
