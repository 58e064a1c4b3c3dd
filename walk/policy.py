"""Evaluates resource policies and trust policies: may a service do this action on this resource?"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A call: service, action, the resource's ARN (empty in a trust policy), and the condition keys.

    `principals` are the ARNs of a caller that is not a service. Both are empty for a policy of the caller's own, which
    names no principal.
    """

    service: str = ""
    action: str
    resource: str = ""
    context: Mapping[str, str] = field(default_factory=dict)
    principals: frozenset[str] = frozenset()


LAMBDA_ASSUMES = Act(service="lambda.amazonaws.com", action="sts:AssumeRole")
"""What the trust policy of a function's role has to allow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the policy allows it; `statement` names the one that decides, `reason` says why nothing allows.

    It is `unsure` if a statement would allow it but for a condition that is not evaluated here.
    """

    allowed: bool
    statement: str = ""
    reason: str = ""
    unsure: bool = False


def evaluate(policy: str | Mapping[str, Any] | None, act: Act) -> Verdict:
    """Decide as IAM does for one document: a Deny wins, an Allow is needed.

    Source: "Policy evaluation logic", IAM User Guide.
    """
    if policy is None:
        return Verdict(allowed=False, reason="there is no policy")
    document = json.loads(policy) if isinstance(policy, str) else policy
    if not isinstance(document, Mapping):
        return Verdict(allowed=False, reason="the policy is not an object")
    allowed, misses, unsure = "", [], False
    for number, statement in enumerate(_several(document.get("Statement")), 1):
        if not isinstance(statement, Mapping):
            misses.append(f"statement {number} is not an object")
            continue
        name = statement.get("Sid") or f"statement {number}"
        miss = _miss(statement, act)
        if miss is not None:
            misses.append(f"{name} {miss}")
            unsure = unsure or (statement.get("Effect") == "Allow" and _may_apply(statement, act))
        elif statement.get("Effect") == "Deny":
            return Verdict(allowed=False, statement=name, reason=f"{name} denies it")
        else:
            allowed = allowed or name
    if allowed:
        return Verdict(allowed=True, statement=allowed)
    return Verdict(allowed=False, reason="; ".join(misses) or "the policy is empty", unsure=unsure)


def _may_apply(statement: Mapping[str, Any], act: Act) -> bool:
    """Whether nothing but conditions that are not evaluated here speaks against a statement."""
    conditions = statement.get("Condition") or {}
    known = {operator: keys for operator, keys in conditions.items() if _base(operator) in _OPERATORS}
    return len(known) < len(conditions) and _miss({**statement, "Condition": known}, act) is None


def _miss(statement: Mapping[str, Any], act: Act) -> str | None:
    """Why a statement doesn't apply to the act; None if it applies."""
    called = act.service or act.principals
    if called and not _concerns(statement, "Principal", lambda wanted: _names_caller(wanted, act)):
        return f"is for {json.dumps(statement.get('Principal', statement.get('NotPrincipal')))}"
    if not _concerns(statement, "Action", lambda wanted: _like_any(wanted, act.action, ignore_case=True)):
        return f"is about {json.dumps(statement.get('Action', statement.get('NotAction')))}"
    # A trust policy and a repository's policy have no resource.
    limited = act.resource and ("Resource" in statement or "NotResource" in statement)
    if limited and not _concerns(statement, "Resource", lambda wanted: _like_any(wanted, act.resource)):
        return f"is about {json.dumps(statement.get('Resource', statement.get('NotResource')))}"
    return _condition_miss(statement.get("Condition") or {}, act.context)


def _concerns(statement: Mapping[str, Any], element: str, matches: Callable[[Any], bool]) -> bool:
    if f"Not{element}" in statement:
        return not matches(statement[f"Not{element}"])
    return element in statement and matches(statement[element])


def _names_caller(principal: Any, act: Act) -> bool:
    if isinstance(principal, str):
        return principal == "*"
    named = set(_several(principal.get("AWS")))
    return "*" in named or bool(named & act.principals) or act.service in _several(principal.get("Service"))


def _condition_miss(condition: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> str | None:
    known = {key.lower(): value for key, value in context.items()}
    for operator, keys in condition.items():
        base = _base(operator)
        test = _OPERATORS.get(base)
        for key, patterns in keys.items():
            value = known.get(key.lower())
            if test is None:
                return f"has the condition {operator}, which is not evaluated here"
            if value is None and (operator.endswith("IfExists") or base in _NEGATED):
                continue
            if value is None:
                return f"needs {key}, which the call doesn't have"
            matched = any(test(value, str(pattern)) for pattern in _several(patterns))
            if matched == (base in _NEGATED):
                return f"needs {key} {operator} {json.dumps(patterns)}, but it is {value}"
    return None


def _base(operator: str) -> str:
    return operator.rpartition(":")[2].removesuffix("IfExists")


def _arn_like(value: str, pattern: str) -> bool:
    """Each of an ARN's six parts matches separately: a `*` in one never matches into the next."""
    ours, wanted = value.split(":", 5), pattern.split(":", 5)
    return len(ours) == len(wanted) and all(_like(part, glob) for part, glob in zip(ours, wanted, strict=True))


def _like(value: str, pattern: str, *, ignore_case: bool = False) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, value, re.DOTALL | (re.IGNORECASE if ignore_case else 0)) is not None


def _like_any(patterns: Any, value: str, *, ignore_case: bool = False) -> bool:
    return any(_like(value, pattern, ignore_case=ignore_case) for pattern in _several(patterns))


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringNotEquals": lambda value, wanted: value == wanted,
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() == wanted.lower(),
    "StringLike": _like,
    "StringNotLike": _like,
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
    "ArnEquals": _arn_like,  # the same as ArnLike, with wildcards (IAM User Guide)
    "ArnLike": _arn_like,
    "ArnNotEquals": _arn_like,
    "ArnNotLike": _arn_like,
}
_NEGATED = frozenset(name for name in _OPERATORS if "Not" in name)
