"""Explanations of requests on accounts that tests build, and the documented policy that has to be enough for them."""

import contextlib
import fnmatch
import json
from pathlib import Path

import pytest

from tests.support.api_accounts import DOMAIN
from tests.support.recorded_calls import noting
from walk import explanation
from walk.reads import READS

POLICY = json.loads((Path(__file__).parents[2] / "docs" / "explain-policy.json").read_text())


def case(trap, breaks, status, hop, identity, cause, **asked):
    """An account broken in one way, and what an explanation must say of it."""
    return pytest.param(breaks, (status, hop, identity, cause), asked, id=trap)


def explained(made, name=DOMAIN, path="/hello", method="GET", dns=True):
    """The explanation, for which no call was made that the policy doesn't allow."""
    with recorded(made.account) as calls:
        found = explanation.explain(made.account, method, path, name, made.dns.names() if dns else None)
    assert [call for call in calls if not allowed(*call)] == []
    return found


@contextlib.contextmanager
def recorded(account):
    """A list that takes the action and the resource of every call."""
    calls = []

    def note(model, params, **_):
        service = model.service_model.signing_name
        if service == "apigateway":
            path = params["url_path"].removeprefix("/v2")
            calls.append((f"apigateway:{params['method']}", f"arn:aws:apigateway:us-east-1::{path}"))
        else:
            calls.append((f"{service}:{model.name}", "*"))

    with noting(map(account.client, sorted({service for service, _ in READS} | {"sts"})), note):
        yield calls


def allowed(action, resource):
    """Whether the documented policy allows a call."""
    return any(
        action in several(statement["Action"])
        and any(fnmatch.fnmatchcase(resource, pattern) for pattern in several(statement["Resource"]))
        for statement in POLICY["Statement"]
    )


def several(value):
    return value if isinstance(value, list) else [value]


def outcome(found):
    return "refused" if found.refused else "unread" if found.unread else "ok"
