"""What every user can see of a machine's processes."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path


def lives(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    return _state_and_parent(pid)[0] not in ("", "Z")


def children(pid: int) -> set[int]:
    """The processes that a process started itself and that exist, zombies too."""
    return _children().get(pid, set())


def descendants(pid: int) -> set[int]:
    """The process and all that it started, directly or through others."""
    children = _children()
    found, waiting = set(), [pid]
    while waiting:
        process = waiting.pop()
        found.add(process)
        waiting += children.get(process, set())
    return found


def commands_of(pids: set[int]) -> list[str]:
    """The command lines of those processes that still exist."""
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            found.append(_command(Path(f"/proc/{pid}/cmdline")))
    return found


def _command(file: Path) -> str:
    return file.read_bytes().replace(b"\0", b" ").decode(errors="replace")


def _children() -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        _, parent = _state_and_parent(int(folder.name))
        found.setdefault(parent, set()).add(int(folder.name))
    return found


def _state_and_parent(pid: int) -> tuple[str, int]:
    """A process's state, such as "S", and its parent; empty where there is no such process."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return "", 0
    return state, int(parent)


@contextlib.contextmanager
def commands() -> Iterator[set[str]]:
    """Every command line that is seen while the context lasts, over and over."""
    seen: set[str] = set()
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.005):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    seen.add(_command(file))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()
