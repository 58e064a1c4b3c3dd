"""Why a function's permission doesn't fit the API that calls it, although there may be one."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from walk.account import Account
from walk.call import Call
from walk.policy import Act, evaluate
from walk.queries import every, read


def cause_of(account: Account, call: Call, policy: Mapping[str, Any] | None, act: Act) -> str:
    """One word for what is wrong with the permission for a call.

    Source: terraform-aws-apigateway-v2#41 for ARNs of three parts, which fit the routes of REST APIs.
    """
    for qualifier in _other_places(account, call):
        arn = f"{call.function_arn}:{qualifier}" if qualifier else call.function_arn
        found = _policy(account, call.function_name, qualifier)
        if found is not None and evaluate(found["Policy"], replace(act, resource=arn)).allowed:
            return "permission-other-qualifier" if qualifier else "permission-unqualified"
    statements = json.loads(policy["Policy"]).get("Statement", []) if policy else []
    fitting = [statement for statement in statements if _fits(statement, act)]
    sources = [source for statement in fitting for source in _sources(statement)]
    api = call.source_arn.rpartition(":")[2].partition("/")[0]
    if any(source.rpartition(":")[2].partition("/")[0] in (api, "*") and source.count("/") >= 3 for source in sources):
        return "permission-rest-arn"
    return "permission-other-source" if sources else "permission-missing"


def _fits(statement: Mapping[str, Any], act: Act) -> bool:
    """Whether a statement would allow the call but for its conditions."""
    return evaluate({"Statement": [{**statement, "Condition": {}}]}, act).allowed


def _other_places(account: Account, call: Call) -> list[str]:
    """The qualifiers at which a permission of the function could be besides the one that is called."""
    if call.qualifier:
        return [""]
    aliases = every(account.client("lambda"), "list_aliases", "Aliases", FunctionName=call.function_name)
    return [str(alias["Name"]) for alias in aliases]


def _policy(account: Account, function_name: str, qualifier: str) -> Any:
    return read(
        account.client("lambda"),
        "get_policy",
        absent="ResourceNotFoundException",
        FunctionName=function_name,
        **({"Qualifier": qualifier} if qualifier else {}),
    )


def _sources(statement: Mapping[str, Any]) -> list[str]:
    found = []
    for keys in (statement.get("Condition") or {}).values():
        for key, value in keys.items():
            if key.lower() == "aws:sourcearn":
                found += value if isinstance(value, list) else [value]
    return [str(source) for source in found]
