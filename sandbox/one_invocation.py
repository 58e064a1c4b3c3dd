"""`--event` and `--command`: one event for the deployed function, its log and its result."""

import json
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.function_log import LogPart, placed
from sandbox.output import Terminal

if TYPE_CHECKING:
    from sandbox.lifecycle import Sandbox

_ALLOW = "DUALMODE_ALLOW_COMMANDS"


def run_event(sandbox: "Sandbox", event: bytes) -> bool:
    """Give the function an event; print what it logs to standard error, its result to standard output.

    Returns:
        Whether it succeeded.

    Raises:
        SandboxError: the function can't run here.
    """
    succeeded, result = _invoke(sandbox, event)
    print_result(succeeded, result)
    return succeeded


def run_command(sandbox: "Sandbox", arguments: tuple[str, ...]) -> bool:
    """Run one of the application's own commands in the function, and print its output.

    Returns:
        Whether it succeeded.

    Raises:
        SandboxError: the function doesn't allow commands, or can't run here.
    """
    succeeded, result = _invoke(sandbox, json.dumps({"flask": list(arguments)}).encode())
    if isinstance(result, dict) and result.get("errorType") == "CommandError":
        sentence = str(result.get("errorMessage"))
        if not sentence.startswith("Commands are off"):  # the application isn't Flask's
            raise SandboxError(sentence)
        raise SandboxError(
            f"The function runs no commands, since {_ALLOW} is not 1 in its environment: set it with "
            f"`pulumi config set --path environment.{_ALLOW} 1`, or here with "
            f"--set environment.{_ALLOW}=1."
        )
    if not succeeded or not isinstance(result, dict) or "exit_code" not in result:
        print_result(succeeded, result)
        return False
    sys.stdout.write(placed(str(result.get("output", ""))))
    sys.stdout.flush()
    return bool(result["exit_code"] == 0)


def _invoke(sandbox: "Sandbox", event: bytes) -> tuple[bool, object]:
    logs: list[LogPart] = []
    answer = sandbox.invocations.invoke(sandbox.deployed_version, event, logs.append)
    print_logs(logs)
    headers: Mapping[str, str] = {name.lower(): value for name, value in answer.headers}
    return answer.status == 200 and "x-amz-function-error" not in headers, result_of(answer.body)


def print_logs(logs: Iterable[LogPart]) -> None:
    """Print what a function logged, and where it logs."""
    terminal = Terminal(sys.stderr)
    for part in logs:
        part.wait()
        for line in part.lines():
            terminal.line(terminal.dim(line))
        terminal.line(terminal.dim(f"The function's log is {part.path}"))


def result_of(body: bytes) -> object:
    """Return a result as JSON, or as text if it isn't."""
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def print_result(succeeded: bool, result: object) -> None:
    """Print a result as JSON.

    Raises:
        SandboxError: it is the error object of a function that failed.
    """
    if not succeeded and isinstance(result, dict):
        kind = result.get("errorType") or result.get("Type") or "error"
        raise SandboxError(f"The function failed: {kind}: {result.get('errorMessage') or result.get('Message')}")
    print(json.dumps(result, indent=2, ensure_ascii=False), flush=True)
