"""`logs`: the function's log and its API's access log, in the order of their times."""

import argparse
import re
import threading
import time
from collections.abc import Iterable

from operations import deployment
from operations.deployment import Deployment
from operations.errors import OperationError, UsageError
from operations.log_events import LogReader
from operations.log_record import LogRecord, parse
from operations.output import say, show, show_json

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_POLL_SECONDS = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("--since", default="10m", metavar="TIME", help="how far back, as 30s, 10m, 2h or 1d (10m)")
    parser.add_argument("--follow", action="store_true", help="go on with what comes, until Ctrl-C")
    parser.add_argument(
        "--filter", default="", metavar="PATTERN", help="CloudWatch filter pattern, as ERROR or '{ $.status = 500 }'"
    )
    parser.add_argument(
        "--request",
        default="",
        metavar="ID",
        help="only this request: the apigw-requestid of its response, or the function's id",
    )
    parser.add_argument("--source", choices=("function", "api"), help="only the log of one of the two")
    deployment.add_arguments(parser)


def run(options: argparse.Namespace) -> bool:
    """Print the logs; with `--follow` until Ctrl-C.

    Raises:
        UsageError: the options don't fit together.
        OperationError: there is nothing to read, or no such request.
    """
    since = int((time.time() - _seconds(options.since)) * 1000)
    if options.request and (options.follow or options.filter):
        raise UsageError("--request is for one request: use it without --follow and --filter.")
    found = deployment.find(options)
    groups = _groups(found, options.source)
    if options.request:
        _show(_of_request(found, groups, options.request, since), options)
        return True
    logs = found.account.client("logs")
    readers = {source: LogReader(logs, group, since=since, pattern=options.filter) for source, group in groups.items()}
    _show(_new(readers), options)
    if not options.follow:
        return True
    say(f"Following {' and '.join(groups.values())}; Ctrl-C ends it.")
    try:
        while not threading.Event().wait(_POLL_SECONDS):
            _show(_new(readers), options)
    except KeyboardInterrupt:  # the normal way to end it
        say("No longer following; nothing was changed.")
    return True


def _seconds(text: str) -> int:
    found = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if found is None:
        raise UsageError(f"--since takes a number with s, m, h or d, as in 10m, not '{text}'.")
    return int(found[1]) * _UNITS[found[2]]


def _groups(found: Deployment, source: str | None) -> dict[str, str]:
    """The log group of each source; the API's only if the deployment's address tells which API it is."""
    groups = {"function": found.log_group()} if source != "api" else {}
    if source == "function":
        return groups
    api_id = found.api_id()
    if not api_id:
        if source == "api":
            raise OperationError("The API is not known: give its address with --url URL.")
        say("The API's access log is not shown: its address is not known (--url URL).")
        return groups
    stages = found.account.client("apigatewayv2").get_stages(ApiId=api_id).get("Items", [])
    arns = [(stage.get("AccessLogSettings") or {}).get("DestinationArn", "") for stage in stages]
    names = [arn.partition(":log-group:")[2].removesuffix(":*") for arn in arns if ":log-group:" in arn]
    if names:
        groups["api"] = names[0]
    elif source == "api":
        raise OperationError(f"The API {api_id} has no access log: set one on its stage.")
    return groups


def _new(readers: dict[str, LogReader]) -> list[LogRecord]:
    records = [parse(event, source) for source, reader in readers.items() for event in reader.new()]
    return sorted(records, key=lambda record: record.timestamp)


def _of_request(found: Deployment, groups: dict[str, str], wanted: str, since: int) -> list[LogRecord]:
    """All records of the request with this id, in both logs: the API's record has the function's id as well."""
    if not re.fullmatch(r"[A-Za-z0-9_=-]{8,64}", wanted):
        raise UsageError(f"--request takes a request's id, as in the response header apigw-requestid, not '{wanted}'.")
    logs = found.account.client("logs")
    ids, records = {wanted}, []
    for source in [source for source in ("api", "function") if source in groups]:
        for key in sorted(ids):
            reader = LogReader(logs, groups[source], since=since, pattern=f'"{key}"')
            found_now = [parse(event, source) for event in reader.new()]
            records += [record for record in found_now if key in record.request_ids]
        ids = ids.union(*(record.request_ids for record in records))
    if not records:
        raise OperationError(
            f"No log has the request {wanted}: look further back with --since 1d, or wait some seconds, which "
            "CloudWatch Logs takes to show a line."
        )
    return sorted(records, key=lambda record: record.timestamp)


def _show(records: Iterable[LogRecord], options: argparse.Namespace) -> None:
    for record in records:
        if options.json:
            show_json(record.document())
        elif not record.is_detail or options.filter:
            for line in record.lines():
                show(line)
