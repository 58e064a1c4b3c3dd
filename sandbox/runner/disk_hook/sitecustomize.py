"""Python imports this at the start of a function that the sandbox runs: it reports each write that Lambda would refuse.

It also reports those that the application catches, which no log would show. With DUALMODE_DISK=refuse it refuses them,
too: then the kernel gives the function no disk of its own. The log has the file and the line of the application.
"""

import errno
import os
import sys
from contextlib import suppress
from typing import Any

_WRITABLE = ("/tmp/", "/dev/", "/proc/")  # noqa: S108  Lambda's
_FLASK = ("flask", "werkzeug")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Events whose first argument is changed, and which of the arguments is made.
_CHANGING = {
    "os.remove": 0,
    "os.rmdir": 0,
    "os.truncate": 0,
    "os.mkdir": 0,
    "os.rename": 1,
    "os.link": 1,
    "os.symlink": 1,
}


def _written(event: str, arguments: tuple[Any, ...]) -> object:
    """What an event would write to, None for nothing."""
    if event == "open":
        return arguments[0] if isinstance(arguments[2], int) and arguments[2] & _WRITING else None
    if event == "sqlite3.connect":
        name = os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes | os.PathLike) else ""
        return None if not name or name.startswith((":", "file:")) or os.path.lexists(name) else name
    return arguments[_CHANGING[event]] if event in _CHANGING else None


def _is_refused(event: str, path: str) -> bool:
    if "__pycache__" in path:
        return False
    root = os.path.realpath(os.environ.get("LAMBDA_TASK_ROOT", "/var/task"))
    if not f"{path}/".startswith(f"{root}/") and f"{path}/".startswith(_WRITABLE):  # a sandbox may lie below /tmp
        return False
    if event == "os.mkdir" and os.path.lexists(path):
        return False  # the kernel will say so
    return os.path.lexists(path) or os.path.isdir(os.path.dirname(path))  # noqa: PTH112, PTH120  audited itself


def _place() -> str:
    """The innermost line of the application that is running, or else of an installed package."""
    root = os.environ.get("LAMBDA_TASK_ROOT", "/var/task")
    found, chosen = "Python's own library", ""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        for folder in (root, f"{sys.prefix}/application"):  # the second has what is installed with -e
            if name.startswith(f"{folder}/"):
                return f"{name.removeprefix(f'{folder}/')}, line {frame.f_lineno}"
        file = name.partition("/site-packages/")[2]
        package = file.partition("/")[0].removesuffix(".py")
        # Flask's own parts write only for another package: that one tells more.
        if package and (not chosen or chosen in _FLASK) and not (chosen and package in _FLASK):
            found, chosen = f"package {package}, {file}, line {frame.f_lineno}", package
        frame = frame.f_back  # type: ignore[assignment]
    return found


def _install(*, refusing: bool) -> None:
    told: set[str] = set()
    busy = False

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal busy
        if busy or (event not in _CHANGING and event not in ("open", "sqlite3.connect")):
            return
        busy = True
        try:
            given = _written(event, arguments)
            if given is None or isinstance(given, int):
                return
            path = os.fsdecode(given)  # type: ignore[arg-type]
            if not _is_refused(event, os.path.realpath(path)):
                return
            line = f"sandbox: refused write\t{path}\t{_place()}\n"
            if line not in told:
                told.add(line)
                with suppress(OSError):
                    os.write(2, line.encode("utf-8", "surrogateescape"))
        finally:
            busy = False
        if refusing:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    sys.addaudithook(hook)


if "AWS_LAMBDA_RUNTIME_API" in os.environ:  # the function, and not its gateway
    _install(refusing=os.environ.pop("DUALMODE_DISK", "") == "refuse")
    if "DUALMODE_FAULT" in os.environ:
        import importlib

        # It is beside this file, whose folder is on the path.
        importlib.import_module("dualmode_fault").install(os.environ.pop("DUALMODE_FAULT"))
