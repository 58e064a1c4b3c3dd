"""`invoke`: an event from a file or from standard input for the function, its log and its result."""

import argparse
import json
import sys
from pathlib import Path

from operations import deployment
from operations.deployment import LIVE_ALIAS
from operations.errors import OperationError, UsageError
from operations.invocation import Outcome, invoke
from operations.output import say, show, show_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("event", metavar="FILE", help="file with the event as JSON; - is standard input")
    parser.add_argument("--qualifier", default=LIVE_ALIAS, metavar="NAME", help="alias or version that gets it (live)")
    deployment.add_arguments(parser)


def run(options: argparse.Namespace) -> bool:
    """Invoke the function, and print the end of its log and its result.

    Raises:
        UsageError: there is no valid event.
        OperationError: the function failed.
    """
    event = _read(options.event)
    outcome = invoke(deployment.find(options), event, options.qualifier)
    outcome.say_log()
    if options.json:
        show_json(
            {
                "result": outcome.result,
                "error": outcome.error or None,
                "version": outcome.version,
                "requestId": outcome.request_id,
                "log": outcome.log,
            }
        )
        return not outcome.error
    if outcome.error:
        raise OperationError(failure(outcome))
    show(json.dumps(outcome.result, indent=2, ensure_ascii=False))
    return True


def failure(outcome: Outcome) -> str:
    """Return the sentence for a function that failed."""
    result = outcome.result if isinstance(outcome.result, dict) else {}
    kind = result.get("errorType") or outcome.error
    text = str(result.get("errorMessage") or outcome.result).rstrip(".")
    return f"The function failed with {kind}: {text} (request {outcome.request_id})."


def _read(name: str) -> bytes:
    if name == "-" and sys.stdin.isatty():
        say("Reading the event from standard input; Ctrl-D ends it.")
    try:
        event = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"{name}: the file can't be read ({error.strerror}).") from None
    try:
        json.loads(event)
    except ValueError as error:
        raise UsageError(f"{'Standard input' if name == '-' else name} is not valid JSON ({error}).") from None
    return event
