"""The calls of AWS's API that this process makes, as IAM names them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.client import BaseClient

if TYPE_CHECKING:
    from botocore.model import OperationModel

OTHER_NAMES: Mapping[str, str] = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "cloudfront:CreateDistributionWithTags": "cloudfront:CreateDistribution",
}
"""Operations that IAM calls otherwise.

Source: "Actions, resources, and condition keys for AWS Lambda" and "for Amazon CloudFront".
"""

OTHER_PREFIXES: Mapping[str, str] = {"monitoring": "cloudwatch"}
"""Services that IAM calls otherwise than their signature does. Source: "... for Amazon CloudWatch"."""


@contextmanager
def recorded(*, this_thread: bool = False, endpoint_url: str = "") -> Iterator[set[str]]:
    """Gives the actions of all calls that are made in this context, from any thread or from this one.

    With an `endpoint_url`, only those to that endpoint: other sandboxes in this process poll theirs.
    """
    actions: set[str] = set()
    original, here = BaseClient._make_api_call, threading.get_ident()

    def noted(client: Any, operation_name: str, parameters: Mapping[str, Any]) -> Any:
        asked = not endpoint_url or client.meta.endpoint_url == endpoint_url
        if asked and (not this_thread or threading.get_ident() == here):
            actions.add(action_of(client.meta.service_model.operation_model(operation_name)))
        return original(client, operation_name, parameters)

    BaseClient._make_api_call = noted
    try:
        yield actions
    finally:
        BaseClient._make_api_call = original


@contextmanager
def noting(clients: Iterable[Any], note: Callable[..., None]) -> Iterator[None]:
    """Calls `note(model=..., params=..., ...)` before each call of these boto3 clients."""
    listening = list(clients)
    for client in listening:
        client.meta.events.register_first("before-call", note)
    try:
        yield
    finally:
        for client in listening:
            client.meta.events.unregister("before-call", note)


def action_of(operation: OperationModel) -> str:
    """Returns the action that an operation needs: for API Gateway that is its HTTP method."""
    signed = operation.service_model.signing_name
    prefix = OTHER_PREFIXES.get(signed, signed)
    name = operation.http["method"] if prefix == "apigateway" else operation.name
    action = f"{prefix}:{name}"
    return OTHER_NAMES.get(action, action)
