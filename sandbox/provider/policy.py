"""What an IAM policy says, as far as a deployment depends on it."""

import json
from typing import Any


def allows_assuming(document: str, service: str) -> bool:
    """Say whether a trust policy lets a service assume the role: some statement allows it and none denies it."""
    allowed = False
    for statement in _statements(document):
        principal = statement.get("Principal")
        services = principal.get("Service", []) if isinstance(principal, dict) else principal
        if not {service, "*"} & set(_list(services)) or not {"sts:AssumeRole", "sts:*", "*"} & set(
            _list(statement.get("Action"))
        ):
            continue
        if statement.get("Effect") == "Deny":
            return False
        allowed = True
    return allowed


def _statements(document: str) -> list[dict[str, Any]]:
    policy = json.loads(document)
    return [entry for entry in _list(policy.get("Statement")) if isinstance(entry, dict)]


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
