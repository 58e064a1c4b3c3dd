"""Lambda's functions on the way to a published version: waiting for an update, publishing, finding the last one."""

import time
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.refusals import ResourceRefusedError

_PATIENCE = 600.0  # seconds, as long as the real provider waits
# What a published version freezes, as GetFunction names it.
_FROZEN = (
    *("Architectures", "CodeSha256", "Description", "Environment", "EphemeralStorage", "ImageConfigResponse"),
    *("LoggingConfig", "MemorySize", "Role", "SnapStart", "Timeout", "TracingConfig", "VpcConfig"),
)


def publish(client: Any, name: str) -> str:
    """Publish a version and return its number; where nothing changed since the last one, that one's number."""
    last = latest_version(client, name)
    if last != "$LATEST" and _frozen(client, name, "$LATEST") == _frozen(client, name, last):
        return last
    return str(client.publish_version(FunctionName=name)["Version"])


def settle(client: Any, name: str) -> None:
    """Wait until a function is made, or an update of it.

    Raises:
        ResourceRefusedError: Lambda reports a failure.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        config = client.get_function_configuration(FunctionName=name)
        states = (config.get("State", "Active"), config.get("LastUpdateStatus", "Successful"))
        if "Failed" in states:
            reason = config.get("StateReason") or config.get("LastUpdateStatusReason") or "no reason given"
            raise ResourceRefusedError(str(config.get("StateReasonCode") or "Failed"), str(reason))
        if states[0] != "Pending" and states[1] != "InProgress":
            return
        if time.monotonic() > deadline:
            raise ResourceRefusedError(
                "ResourceNotReady", f"the function was still {states[0]} after {_PATIENCE:.0f} s"
            )
        time.sleep(0.02)


def latest_version(client: Any, name: str) -> str:
    """Return the number of the version published last, `$LATEST` where there is none."""
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    numbers = [
        int(version["Version"]) for page in pages for version in page["Versions"] if version["Version"].isdecimal()
    ]
    return str(max(numbers)) if numbers else "$LATEST"


def _frozen(client: Any, name: str, version: str) -> Values:
    function = client.get_function(FunctionName=name, Qualifier=version)
    config = function["Configuration"]
    # A version's snapshot is on, and that of $LATEST is not.
    snap_start = {"SnapStart": (config.get("SnapStart") or {}).get("ApplyOn")}
    return {key: config.get(key) for key in _FROZEN} | snap_start | {"image": function.get("Code", {}).get("ImageUri")}
