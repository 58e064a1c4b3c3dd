"""`rollback`: the alias `live` back to an earlier version of the function."""

import argparse

from operations import agreement, deployment, live_alias, published
from operations.errors import OperationError, UsageError
from operations.live_alias import LiveAlias
from operations.output import say, show, show_json
from operations.published import Version


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("--version", metavar="N", default="", help="version to serve; the one before live's by default")
    deployment.add_arguments(parser)


def run(options: argparse.Namespace) -> bool:
    """Move the alias, after checking that the version can run.

    Raises:
        UsageError: the version isn't a number.
        OperationError: there is no such version, or it can't run.
    """
    if options.version and not options.version.isdecimal():
        raise UsageError(f"--version takes the number of a published version, not '{options.version}'.")
    found = deployment.find(options)
    live = live_alias.read(found)
    every = published.versions(found)
    target = LiveAlias(version=_target(options.version, live, every))
    if target == live:
        raise OperationError(f"live already serves {live}: name another version with --version (`make versions`).")
    published.check_runnable(found, target.version)
    try:
        after = live_alias.move(found, live, target)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"Interrupted; live serves {live_alias.read(found)}.") from None
    setting = agreement.NEWEST if int(after.version) == every[-1].number else int(after.version)
    if options.json:
        settings = agreement.settings_for(found, setting)
        show_json({"before": live.version, "live": after.version, "settings": settings})
        return True
    show(f"live serves {after}; before, it served {live}.")
    say(agreement.advice(found, setting))
    return True


def _target(wanted: str, live: LiveAlias, every: list[Version]) -> str:
    numbers = [version.number for version in every]
    if wanted:
        if int(wanted) not in numbers:
            raise OperationError(f"There is no version {wanted}: the published ones are {_listed(numbers)}.")
        return str(int(wanted))
    if live.weights:  # a release under way: back to what most requests get
        return live.version
    copied = {version.number: version.copy_of for version in every}
    served = int(live.version)
    while (original := copied.get(served)) is not None:  # a restart's copy fails as its original does
        served = original
    earlier = [number for number in numbers if number < served]
    if not earlier:
        raise OperationError(
            f"There is no version before {served}, which live serves: name another with --version; "
            f"the published ones are {_listed(numbers)}."
        )
    return str(max(earlier))


def _listed(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[-10:]))
    return f"..., {shown}" if len(numbers) > 10 else shown or "none"
