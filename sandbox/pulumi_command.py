"""The `pulumi` command, run so that Ctrl-C ends it the way it wants to be ended."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping

from pulumi.automation import CommandResult, PulumiCommand
from pulumi.automation.errors import create_command_error

Lines = Callable[[str], object] | None


class InterruptibleCommand(PulumiCommand):
    """Runs commands in a process group of their own, which `interrupt()` reaches and a terminal's Ctrl-C doesn't.

    Settings of the user's own Pulumi, such as a token, are not passed on.
    """

    def __init__(self) -> None:
        super().__init__()
        self._process: subprocess.Popen[str] | None = None

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Lines = None,
        on_error: Lines = None,
    ) -> CommandResult:
        """Run one command to its end.

        Raises:
            CommandError: it failed.
        """
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
        with subprocess.Popen(
            [self.command, "--non-interactive", *args],
            cwd=cwd,
            env={**environment, **additional_env, "PULUMI_AUTOMATION_API": "true"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            process_group=0,
        ) as process:
            self._process = process
            printed: list[str] = []
            complained: list[str] = []
            reader = threading.Thread(target=_collect, args=(process.stderr, on_error, complained))
            reader.start()
            _collect(process.stdout, on_output, printed)
            reader.join()
            code = process.wait()
        self._process = None
        result = CommandResult(stdout="\n".join(printed), stderr="\n".join(complained), code=code)
        if code != 0:
            raise create_command_error(result)
        return result

    def interrupt(self) -> None:
        """Ask the command under way to stop: it lets the steps that have begun end, and saves its state."""
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)


def _collect(stream: object, each: Lines, lines: list[str]) -> None:
    for line in stream or ():  # type: ignore[attr-defined]  # a text pipe
        lines.append(line.rstrip("\n"))
        if each is not None:
            each(lines[-1])
