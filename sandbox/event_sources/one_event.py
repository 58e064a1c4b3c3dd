"""`--fire`: one schedule, fired by hand."""

from typing import TYPE_CHECKING

from sandbox.function_log import LogPart
from sandbox.one_invocation import print_logs, print_result, result_of

if TYPE_CHECKING:
    from sandbox.lifecycle import Sandbox


def run_schedule(sandbox: "Sandbox", name: str) -> bool:
    """Fire a schedule; print what the function logs to standard error, its result to standard output.

    Returns:
        Whether it succeeded.

    Raises:
        SandboxError: there is no such schedule, or its target can't be invoked.
    """
    logs: list[LogPart] = []
    schedules = sandbox.event_sources.schedules
    outcome = schedules.fire(schedules.named(name), logs.append)
    print_logs(logs)
    print_result(outcome.succeeded, result_of(outcome.result))
    return outcome.succeeded
