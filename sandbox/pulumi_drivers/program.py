"""Running a Pulumi program inside this process, as its language host would run it."""

import asyncio
import contextlib
import os
import runpy
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import boto3
import pulumi

from sandbox import variables
from sandbox.errors import SandboxError, SettingsError

_KEPT = frozenset({"sandbox", "dualmode", "walk"}) | sys.stdlib_module_names  # what this process itself uses


@contextlib.contextmanager
def as_its_own(folder: Path, account: Mapping[str, str]) -> Iterator[None]:
    """Give a program the environment of a start in its own folder, and undo all of it afterwards.

    That is the working directory, the folder first on the path, and modules of its own: another copy of the program,
    imported before, must not be used instead. And the environment variables reach only the sandbox's account, by
    those in `account`: the program may use boto3 freely.
    """
    folder = folder.resolve()
    names = {entry.stem for entry in folder.iterdir() if entry.suffix in ("", ".py")} - _KEPT
    before = {
        name: module for name, module in sys.modules.items() if name.partition(".")[0] in names and name != "__main__"
    }
    cwd, path = Path.cwd(), list(sys.path)
    # An output written into a text is a mistake, not a text.
    replaced = {**variables.reaching(account), "PULUMI_ERROR_OUTPUT_STRING": "true"}
    for name in before:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    os.chdir(folder)
    try:
        with variables.in_place(replaced), _own_session(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="pulumi_aws")  # it warns of its own deprecated modules
            yield
    finally:
        os.chdir(cwd)
        sys.path[:] = path
        for name in [name for name, module in sys.modules.items() if _is_of(module, folder) and name != "__main__"]:
            if name.partition(".")[0] in names:
                del sys.modules[name]
        sys.modules.update(before)


@contextlib.contextmanager
def _own_session() -> Iterator[None]:
    """Have boto3 read its credentials anew, here and afterwards: it keeps those of its first client."""
    before, boto3.DEFAULT_SESSION = boto3.DEFAULT_SESSION, None
    try:
        yield
    finally:
        boto3.DEFAULT_SESSION = before


def run(main: Path) -> None:
    """Run the program's file as `__main__`."""
    runpy.run_path(str(main), run_name="__main__")


def close(loop: asyncio.AbstractEventLoop) -> None:
    """Let running calls end, drop the tasks that waited for them, and close the loop."""
    loop.set_exception_handler(lambda _loop, _context: None)  # the SDK's stops the loop at each call without an answer
    pending = asyncio.all_tasks(loop)
    for task in pending:
        task.cancel()
    if pending:  # without any, gather() takes another loop
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def refusal(error: BaseException, folder: Path, *, anything_made: bool) -> SandboxError:
    """Return what a program raised as one sentence: its own if it has one, else the line at fault.

    A RunError before the first resource is how a program refuses its settings.
    """
    if isinstance(error, SandboxError):
        return error
    if isinstance(error, pulumi.RunError):
        return SandboxError(str(error)) if anything_made else SettingsError(str(error))
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(folder) and "site-packages" not in frame.filename
    ]
    where = f"{Path(own[-1].filename).relative_to(folder)}, line {own[-1].lineno}: " if own else ""
    first_paragraph = " ".join(str(error).partition("\n\n")[0].split())
    return SandboxError(f"{where}{type(error).__name__}: {first_paragraph}")


def _is_of(module: ModuleType, folder: Path) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and Path(file).is_relative_to(folder)
