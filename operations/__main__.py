"""`python -m operations VERB`: what a person does with a deployment, on AWS or in a running sandbox."""

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import NoReturn

from operations.errors import OperationError, UsageError
from operations.signals import ENDING

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

VERBS: Mapping[str, str] = {
    "logs": "print the logs of the function and of its API",
    "invoke": "give the function an event, and print its result",
    "manage": "run a management command of the application in the function",
    "smoke": "check that the deployment answers, is the one that was deployed, and how fast it is",
    "release": "give the newest version a share of the requests, watch it, then promote it or roll back",
    "rollback": "serve an earlier version of the function again",
    "versions": "list the versions of the function, and which of them get requests",
    "restart": "start every environment of the function anew",
    "explain": "say which hop of a request refuses it, from DNS to the image, and what to change",
    "cost": "add up what a month costs by the stack's settings, and say from how much traffic on a server is cheaper",
    "doctor": "check this machine and the AWS account, and say what to do about what is wrong",
}
"""Each verb is a module of this package, with `add_arguments(parser)` and `run(options)`, which returns success."""

_CHANGING = ("release", "rollback", "restart")


def main(arguments: Sequence[str]) -> int:
    """Run a command and return the exit status."""
    try:
        options = _parse(arguments)
        return OK if options.run(options) else FAILED
    except UsageError as error:
        return _fail(USAGE, f"{error} See python -m operations --help.")
    except OperationError as error:
        return _fail(FAILED, str(error))
    except KeyboardInterrupt as interrupt:
        return _fail(INTERRUPTED, str(interrupt) or _interrupted(arguments))
    except BrokenPipeError:  # `make logs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except ModuleNotFoundError as error:
        return _fail(
            FAILED, f"The Python package {error.name} is not installed: run this with `make`, which installs it."
        )
    except Exception as error:
        sentence = _of_aws(error)
        if sentence is None:
            raise
        return _fail(FAILED, sentence)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].upper()}{message[1:].rstrip('.')}.")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(prog="python -m operations", description=__doc__, allow_abbrev=False)
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for verb, text in VERBS.items():
        below = verbs.add_parser(verb, help=text, description=f"{text[0].upper()}{text[1:]}.", allow_abbrev=False)
        if verb in arguments[:1]:  # one verb's imports only: doctor works where nothing is installed
            module = importlib.import_module(f"operations.{verb}")
            below.add_argument("--json", action="store_true", help="print the result as JSON")
            module.add_arguments(below)
            below.set_defaults(run=module.run)
    return parser.parse_args(arguments)


def _interrupted(arguments: Sequence[str]) -> str:
    if arguments[0] in _CHANGING:  # before it changed anything, or after it had: in between it says more itself
        return "Interrupted; `make versions` shows what live serves."
    return "Interrupted; nothing was changed."


def _of_aws(error: Exception) -> str | None:
    """The sentence for an error of an AWS call, or None for another error."""
    try:
        from botocore.exceptions import BotoCoreError, ClientError

        from operations import aws_errors
    except ImportError:
        return None
    cause = error.__cause__ or error  # the walk raises its own error from boto3's
    return aws_errors.sentence(cause) if isinstance(cause, (BotoCoreError, ClientError)) else None


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _fail(status: int, text: str) -> int:
    sys.stdout.flush()
    print(f"operations: {text}", file=sys.stderr, flush=True)
    return status


if __name__ == "__main__":
    for number in ENDING:  # a shell's background job ignores SIGINT otherwise
        signal.signal(number, _interrupt)
    sys.exit(main(sys.argv[1:]))
