"""The `pulumi` command, run as rarely as possible, and interrupted properly by Ctrl-C."""

import contextlib
import functools
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from pulumi import automation
from pulumi.automation import CommandResult, PulumiCommand
from pulumi.automation._stack import StackInitMode  # not exported, and a subclass can't be made without
from pulumi.automation.errors import InvalidVersionError, create_command_error

from sandbox import ends_with_parent, variables
from sandbox.errors import SandboxError

Lines = Callable[[str], object] | None


class InterruptibleCommand(PulumiCommand):
    """Runs commands in a process group of their own, which `interrupt()` reaches and a terminal's Ctrl-C doesn't.

    Their variables are `told` and those given for each command, none of the user's.
    """

    def __init__(self, told: Mapping[str, str]) -> None:
        known = _checked(told.get("PATH", ""))
        self.command = known.command
        self.version = known.version
        self._told = dict(told)
        self._process: subprocess.Popen[str] | None = None
        self.killed_by: signal.Signals | None = None
        """The signal that ended the last command, where one did."""

    @property
    def pid(self) -> int | None:
        """The id of the running command, or None."""
        process = self._process
        return None if process is None else process.pid

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
        with subprocess.Popen(
            # Killed: if it only lost its provider, it would note that what AWS was doing then hadn't been done.
            ends_with_parent.alone([self.command, "--non-interactive", *args], signal.SIGKILL),
            cwd=cwd,
            env={**self._told, **additional_env, "PULUMI_AUTOMATION_API": "true"},
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
        self.killed_by = signal.Signals(-code) if code < 0 else None
        result = CommandResult(stdout="\n".join(printed), stderr="\n".join(complained), code=code)
        if code != 0:
            raise create_command_error(result)
        return result

    def interrupt(self) -> None:
        """Ask the running command to stop: it finishes the steps that have begun, and saves its state."""
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)


class SparingWorkspace(automation.LocalWorkspace):
    """A workspace that doesn't ask the command for what is in its files."""

    checkpoint: Path
    """Where the command keeps the stack's state."""

    def select_stack(self, stack_name: str) -> None:
        """Make sure that the stack exists: every command is told its name anyway."""
        if not self.checkpoint.exists():
            super().select_stack(stack_name)

    def stack_outputs(self, stack_name: str) -> automation.OutputMap:
        """Return nothing: they are in the state, which is read once."""
        return {}


class SparingStack(automation.Stack):
    """A stack that doesn't ask for the history of what its events have just told."""

    def __init__(self, name: str, workspace: SparingWorkspace) -> None:
        super().__init__(name, workspace, StackInitMode.CREATE_OR_SELECT)

    def info(self, show_secrets: bool = True) -> automation.UpdateSummary:
        """Return an empty summary."""
        return automation.UpdateSummary(
            kind="update", start_time=datetime.now(UTC), message="", environment={}, config={}, result="succeeded"
        )


@functools.cache
def _checked(_path: str) -> PulumiCommand:
    """Return the command on a PATH, its version checked once."""
    try:
        with variables.in_place(variables.ordinary()):  # it runs the command to learn its version
            return PulumiCommand()
    except (OSError, subprocess.CalledProcessError, InvalidVersionError) as error:
        raise SandboxError(
            f"The pulumi command on the PATH can't be used: {error} Update it, or remove it from the PATH."
        ) from None


def _collect(stream: object, each: Lines, lines: list[str]) -> None:
    for line in stream or ():  # type: ignore[attr-defined]  # a text pipe
        lines.append(line.rstrip("\n"))
        if each is not None:
            each(lines[-1])
