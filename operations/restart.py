"""`restart`: new environments for every request, with the code and the settings that are live."""

import argparse
from collections.abc import Mapping
from typing import Any

from operations import deployment, live_alias, published, signals
from operations.deployment import Deployment
from operations.errors import OperationError
from operations.live_alias import LiveAlias
from operations.output import say, show, show_json

_WAIT_SECONDS = 120.0
# What a version runs; if $LATEST has another value, publishing it would be a release.
_SAME = (
    *("CodeSha256", "ImageConfigResponse", "Architectures", "Environment", "MemorySize", "Timeout", "Role"),
    *("EphemeralStorage", "VpcConfig", "TracingConfig", "LoggingConfig", "FileSystemConfigs", "DeadLetterConfig"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    deployment.add_arguments(parser)


def run(options: argparse.Namespace) -> bool:
    """Publish a version that differs only in its description, and move live to it.

    Raises:
        OperationError: live serves two versions, or another one than the newest.
    """
    found = deployment.find(options)
    live = live_alias.read(found)
    if live.weights:
        raise OperationError(
            f"live serves {live}, a release under way: finish it, or end it with `make rollback`, then restart."
        )
    newest = found.configuration("$LATEST")
    _check_same(found, newest, live)
    try:
        say(f"Publishing a copy of version {live.version} ...")
        version = _publish_copy(found, newest, live.version)
        published.wait_until_active(found, version, _WAIT_SECONDS)
        after = live_alias.move(found, live, LiveAlias(version=version))
    except KeyboardInterrupt:
        now = live_alias.read(found)
        rest = " If a copy was published, it gets no requests." if now == live else ""
        raise KeyboardInterrupt(f"Interrupted; live serves {now}.{rest}") from None
    if options.json:
        show_json({"before": live.version, "live": after.version})
        return True
    show(f"live serves version {after.version}, a copy of {live.version}: every environment starts anew.")
    setting = f"pulumi config set liveVersion {after.version}{found.name_for_pulumi}"
    say(f"If liveVersion pins version {live.version}, run: {setting}. Otherwise nothing has to be set.")
    return True


def _check_same(found: Deployment, newest: Mapping[str, Any], live: LiveAlias) -> None:
    served = found.configuration(live.version)
    others = [key for key in _SAME if newest.get(key) != served.get(key)]
    if published.image_of(found, "$LATEST") != published.image_of(found, live.version):
        others.insert(0, "image")
    if others:
        raise OperationError(
            f"The newest version differs from version {live.version}, which live serves ({', '.join(others)}), so a "
            "restart would release it: use `make release` first."
        )


def _publish_copy(found: Deployment, newest: Mapping[str, Any], served: str) -> str:
    """Publish $LATEST again: Lambda does so only if it differs, so for a moment it has another description."""
    name, described = found.function_name, str(newest.get("Description", ""))
    description = published.copy_description(served)
    updated = found.functions.get_waiter("function_updated_v2")
    waiting = {"Delay": 1, "MaxAttempts": 120}
    try:
        found.functions.update_function_configuration(FunctionName=name, Description=description)
        updated.wait(FunctionName=name, WaiterConfig=waiting)
        return str(found.functions.publish_version(FunctionName=name, Description=description)["Version"])
    finally:  # pulumi up would otherwise see a change that nobody made
        with signals.ignored():
            updated.wait(FunctionName=name, WaiterConfig=waiting)
            found.functions.update_function_configuration(FunctionName=name, Description=described)
            updated.wait(FunctionName=name, WaiterConfig=waiting)
