"""`release`: a share of the requests for the newest version, watched, then all of them or none."""

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from operations import agreement, deployment, live_alias, published, signals
from operations.deployment import Deployment
from operations.errors import OperationError, UsageError
from operations.health import PATTERN, Limits, Watch, objection
from operations.live_alias import LiveAlias
from operations.log_events import LogReader
from operations.output import say, show, show_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("--percent", type=float, default=10, metavar="N", help="share of the requests, in percent (10)")
    parser.add_argument("--minutes", type=float, default=10, metavar="N", help="how long it is watched (10)")
    parser.add_argument("--every", type=float, default=15, metavar="SECONDS", help="how often the log is read (15)")
    parser.add_argument(
        "--failing",
        type=float,
        default=1,
        metavar="N",
        help="failures allowed over the old version's, in percent of the requests (1)",
    )
    parser.add_argument(
        "--slower", type=float, default=2, metavar="FACTOR", help="how much slower its 95th percentile may be (2)"
    )
    deployment.add_arguments(parser)


def run(options: argparse.Namespace) -> bool:
    """Release the newest version, or put everything back as it was.

    Raises:
        UsageError: a number is out of its range.
        OperationError: there is nothing to release, or it can't be done bit by bit.
        KeyboardInterrupt: with what live serves then.
    """
    for name, least, most in (("percent", 0.01, 99), ("minutes", 0, 1440), ("every", 0.1, 600), ("slower", 1, 1000)):
        if not least <= getattr(options, name) <= most:
            raise UsageError(f"--{name} takes a number from {least:g} to {most:g}, not {getattr(options, name):g}.")
    found = deployment.find(options)
    before = live_alias.read(found)
    new = _newest(found, before)
    live_alias.check_shares(found)
    published.check_runnable(found, new)
    published.wait_until_active(found, new, 120)
    canary = LiveAlias(version=before.version, weights={new: round(options.percent / 100, 4)})
    since = int(time.time() * 1000)
    watch = Watch(LogReader(found.account.client("logs"), found.log_group(), since=since, pattern=PATTERN))
    with _put_back_unless_done(found, before, new):
        live_alias.move(found, before, canary)
        say(f"live serves {canary}, for {options.minutes:g} minutes; Ctrl-C puts it back.")
        reason = _watched(watch, before.version, new, options)
        if not reason:
            live_alias.move(found, live_alias.read(found), LiveAlias(version=new))
        else:
            _put_back(found, before, new)
    return _tell(options, found, watch, before, new, reason)


def _newest(found: Deployment, before: LiveAlias) -> str:
    new = max((version.number for version in published.versions(found)), default=0)
    if str(new) == before.version:
        raise OperationError(
            f"live already serves the newest version, {new}, so there is nothing to release: for a new one that gets "
            f"no requests yet, run `pulumi config set liveVersion {new}{found.name_for_pulumi}` before `pulumi up`."
        )
    if set(before.weights) - {str(new)}:
        raise OperationError(
            f"live serves {before}, another release under way: finish it, or end it with `make rollback`."
        )
    return str(new)


def _watched(watch: Watch, old: str, new: str, options: argparse.Namespace) -> str:
    """Watch both versions; why the new one must not stay, or "" once the time is over."""
    limits = Limits(failing=options.failing, slower=options.slower)
    began = time.monotonic()
    while True:
        left = began + options.minutes * 60 - time.monotonic()
        threading.Event().wait(min(options.every, max(left, 0)))
        watch.look()
        spent = (time.monotonic() - began) / 60
        say(f"{spent:5.1f} min  version {new}: {watch.of(new)}; version {old}: {watch.of(old)}")
        reason = objection(watch.of(old), watch.of(new), limits)
        if reason:
            return f"version {new} was taken back: {reason}"
        if left <= options.every:
            break
    if not watch.of(new).requests:
        return (
            f"version {new} was taken back: the log shows no request that it got, so nothing is known of it; choose "
            "a larger share (PERCENT) or more time (MINUTES)"
        )
    return ""


@contextmanager
def _put_back_unless_done(found: Deployment, before: LiveAlias, new: str) -> Iterator[None]:
    """Put the alias back if what is done with it doesn't end by itself; further signals wait."""
    try:
        yield
    except BaseException as error:
        try:
            with signals.ignored():
                now = _put_back(found, before, new)
        except (OperationError, BotoCoreError, ClientError) as failure:
            raise OperationError(
                f"live could not be put back ({failure}): look with `make versions`, and run `make rollback "
                f'ARGS="--version {before.version}"`.'
            ) from error
        state = f"live serves {now}" + (", as before." if now == before else ".")
        if isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt(f"Interrupted; {state}") from None
        say(f"The release was ended; {state}")
        raise


def _put_back(found: Deployment, before: LiveAlias, new: str) -> LiveAlias:
    """Put the alias back, if it is as this release has left it; return it as it is then."""
    now = live_alias.read(found)
    if now == before or now.version != before.version or set(now.weights) - {new}:
        return now
    return live_alias.move(found, now, before)


def _tell(
    options: argparse.Namespace, found: Deployment, watch: Watch, before: LiveAlias, new: str, reason: str
) -> bool:
    live_version = int(before.version) if reason else agreement.NEWEST
    if options.json:
        health = {
            version: {"requests": seen.requests, "failures": seen.failures}
            for version in (before.version, new)
            for seen in (watch.of(version),)
        }
        settings = agreement.settings_for(found, live_version)
        live = before.version if reason else new
        show_json({"released": not reason, "live": live, "reason": reason, "versions": health, "settings": settings})
        return not reason
    if reason:
        say(agreement.advice(found, live_version))
        raise OperationError(f"{reason[0].upper()}{reason[1:]}. live serves {live_alias.read(found)}.")
    show(f"live serves version {new}; version {before.version} gets no more requests.")
    say(agreement.advice(found, live_version))
    return True
