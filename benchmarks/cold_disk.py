"""Makes a start read the image's files from the disk, as on Lambda, where nothing is in memory yet."""

from __future__ import annotations

import ctypes
import mmap
import os
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.stage import Stage

_UNREAD = {"ensurepip", "idlelib", "lib2to3", "site-packages", "test", "tests", "tkinter", "turtledemo"}
_mincore = ctypes.CDLL(None, use_errno=True).mincore
_mincore.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)


class Read(NamedTuple):
    """What a start has read when it ends, including what the system reads ahead."""

    files: int
    bytes: int


def files_of(stage: Stage) -> list[Path]:
    """Returns the files of a stage and of the standard library, without the interpreter: this process uses it too."""
    files = [path for folder in (stage.venv, stage.root, stage.task) for path in folder.rglob("*") if path.is_file()]
    files += _library(Path(sysconfig.get_path("stdlib")))
    return [*files, stage.web_adapter] if stage.web_adapter is not None else files


class ColdDisk:
    """Files that must not be in memory."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._kept: dict[Path, int] = {}
        os.sync()  # data that isn't written yet can't be dropped

    def drop(self) -> None:
        """Take the files out of memory; those that another process has mapped stay, and are not counted later."""
        for path in self._files:
            file = os.open(path, os.O_RDONLY)
            try:
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(file)
        self._kept = {path: pages for path in self._files if (pages := _pages_in_memory(path))}

    def read(self) -> Read:
        """Returns the files that are in memory again."""
        grown = [_pages_in_memory(path) - self._kept.get(path, 0) for path in self._files]
        return Read(sum(pages > 0 for pages in grown), sum(grown) * mmap.PAGESIZE)


def _library(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _UNREAD]
        yield from (path for name in names if (path := Path(parent, name)).is_file())


def _pages_in_memory(path: Path) -> int:
    size = path.stat().st_size
    if not size:
        return 0
    pages = -(-size // mmap.PAGESIZE)
    in_memory = (ctypes.c_ubyte * pages)()
    with path.open("rb") as file, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY) as mapped:
        first = ctypes.c_char.from_buffer(mapped)
        failed = _mincore(ctypes.addressof(first), size, in_memory)
        del first
    if failed:
        raise OSError(ctypes.get_errno(), "mincore", str(path))
    return sum(page & 1 for page in in_memory)
