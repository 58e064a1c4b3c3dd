"""`manage`: a management command of the Flask application, run in the deployed function."""

import argparse
import json
import shlex

from operations import deployment
from operations.deployment import LIVE_ALIAS
from operations.errors import OperationError, UsageError
from operations.invocation import invoke
from operations.invoke import failure
from operations.output import say, show, show_json

_ALLOW = "DUALMODE_ALLOW_COMMANDS"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument("--command", required=True, metavar="WORDS", help="what follows `flask`, as in 'db upgrade'")
    parser.add_argument("--qualifier", default=LIVE_ALIAS, metavar="NAME", help="alias or version that runs it (live)")
    deployment.add_arguments(parser)


def run(options: argparse.Namespace) -> bool:
    """Run the command, and print its output; it succeeded if its exit status is 0.

    Raises:
        UsageError: there is no command.
        OperationError: the function runs no commands, or failed.
    """
    try:
        words = shlex.split(options.command)
    except ValueError:
        raise UsageError(f"The command is {options.command!r}, but a quote in it is not closed.") from None
    if not words:
        raise UsageError("The command is empty: give the words that follow `flask`, as in 'db upgrade' (make: CMD).")
    found = deployment.find(options)
    configuration = found.configuration(options.qualifier)
    if (configuration.get("Environment") or {}).get("Variables", {}).get(_ALLOW) != "1":
        raise OperationError(
            f"The function runs no commands, since {_ALLOW} is not 1 in its environment: set it with `pulumi config "
            f"set --path environment.{_ALLOW} 1{found.name_for_pulumi}`, and run `pulumi up{found.name_for_pulumi}`."
        )
    say(f"flask {shlex.join(words)} in {found.function_name}:{options.qualifier} ...")
    outcome = invoke(found, json.dumps({"flask": words}).encode(), options.qualifier)
    result = outcome.result
    if outcome.error or not isinstance(result, dict) or "exit_code" not in result:
        outcome.say_log()
        raise OperationError(failure(outcome))
    if options.json:
        show_json({**result, "version": outcome.version, "requestId": outcome.request_id})
    else:
        show(str(result.get("output", "")).removesuffix("\n"))
        say(f"Exit status {result['exit_code']}, version {outcome.version}.")
    return bool(result["exit_code"] == 0)
