"""What the threads of a process do, according to the kernel."""

import contextlib
import platform
from pathlib import Path

# The numbers of futex in the kernel's tables of system calls; with a limit of time as the fourth argument.
_FUTEX = {"x86_64": "202", "aarch64": "98"}.get(platform.machine(), "")


def active_threads(pid: int) -> set[int]:
    """The ids of the threads, other than the first, that do something or wait for a limited time.

    A thread that waits for a lock without a limit, as those of an idle pool do, does nothing until it is asked to.
    Empty if the kernel doesn't tell.
    """
    found = set()
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            if task.name != str(pid) and not _waits_for_ever(task):
                found.add(int(task.name))
    return found


def _waits_for_ever(task: Path) -> bool:
    try:
        number, *arguments = (task / "syscall").read_text().split()
    except (OSError, ValueError):
        return True  # it has ended, or the kernel doesn't show it: its state isn't known
    return number == _FUTEX and len(arguments) > 3 and int(arguments[3], 16) == 0
