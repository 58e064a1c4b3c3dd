"""Finds the modules of a cold start in one file, which `bundle_maker` wrote when the image was built.

A module comes from the bundle only if the path finder would find the same file, unchanged. For everything else the path
finder is asked, as without a bundle. A module can't see a difference in how it was loaded.
"""

import marshal
import posix
import sys

# Parts of importlib, but already loaded: what is imported here isn't bundled.
from _frozen_importlib import BuiltinImporter, ModuleSpec
from _frozen_importlib_external import ExtensionFileLoader, PathFinder, SourceFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType
    from typing import Any

PLACE = f"{__file__.rpartition('/')[0].rpartition('/')[0]}/start/modules"
FORMAT = b"dualmode modules 1\n"  # then the index's place, eight bytes, the code objects, and the index

START = len(FORMAT) + 8

# Where a module was found, where it would be found otherwise, and its parts: its file and size, whether it is a
# package, where its bytecode is cached (None: it is an extension module), and the place of its code object in the
# bundle (-1: the module is only found by the bundle).
Entry = tuple[str, tuple[str, ...], str, int, bool, "str | None", int, int]

# A regular expression, its flags, and the result of compiling it: the arguments of the call that makes the object.
Pattern = tuple["str | bytes", int, "tuple[Any, ...]"]


def python() -> str:
    """Returns the values that code objects and the paths in them depend on."""
    return f"{sys.version}|{sys.implementation.cache_tag}|{sys.flags.optimize}|{sys.prefix}|{sys.base_prefix}"


def folder_state(folder: str, device: int) -> tuple[float, bool] | None:
    """Returns when a folder last changed, and whether it is on a device; None if it isn't a folder."""
    try:
        status = posix.stat(folder)
    except OSError:
        return None
    return (status.st_mtime, status.st_dev == device) if status.st_mode & 0o170000 == 0o040000 else None


class Bundle:
    """A finder for `sys.meta_path`, placed before the path finder."""

    def __init__(self, place: str, file: int) -> None:
        """Raises an exception if the file isn't a whole bundle, or was made by another Python."""
        head = posix.pread(file, START, 0)
        size = posix.fstat(file).st_size
        begin = int.from_bytes(head[len(FORMAT) :], "little")
        if not head.startswith(FORMAT):
            raise ValueError
        index: dict[str, Any] = marshal.loads(posix.pread(file, size - begin, begin))  # noqa: S302 - the image's own
        if index["python"] != python():
            raise ValueError
        posix.posix_fadvise(file, 0, 0, posix.POSIX_FADV_WILLNEED)
        self._place = place
        self._file: int | None = file
        status = posix.fstat(file)
        self._inode, self._made = status.st_ino, status.st_mtime
        self._device = posix.stat(place.rpartition("/")[0]).st_dev
        self._modules: dict[str, Entry] = index["modules"]
        self._folders: dict[str, bool | None] = index["folders"]
        self._patterns: list[Pattern] = index["patterns"]
        self._hooks = sys.path_hooks[:]
        self.invalidate_caches()

    def invalidate_caches(self) -> None:
        """Looks at each folder again: `importlib.invalidate_caches` calls this."""
        self._unchanged: dict[str, bool] = {}
        self._path: list[str] = []
        self._reach: list[str] = []

    def find_spec(
        self, name: str, path: "Sequence[str] | None", target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        """Returns the spec that the path finder would return, or None if the path finder must be asked."""
        entry = self._modules.get(name)
        if entry is None or sys.path_hooks != self._hooks:  # a hook may read modules in its own way
            return None
        folder, others, file, size, is_package, cached, offset, length = entry
        if path is None:
            if not self._is_first(folder, others):
                return None
        elif type(path) is not list or not path or path[0] != folder or not self._is_unchanged(folder):
            return None
        try:
            status = posix.stat(file)
        except OSError:
            return None
        if status.st_size != size or status.st_mtime > self._made:
            return None
        loader: SourceFileLoader | ExtensionFileLoader
        if cached is None:
            loader = ExtensionFileLoader(name, file)
        elif offset < 0:
            loader = SourceFileLoader(name, file)
        else:
            loader = (RegularExpressionLoader if name == "re" else BundledLoader)(name, file)
            loader.code = (self, offset, length)
        spec = ModuleSpec(name, loader, origin=file, is_package=is_package)
        spec.has_location = True
        if cached is not None:
            spec.cached = cached
        if is_package:
            spec.submodule_search_locations = [file.rpartition("/")[0]]
        return spec

    def _is_first(self, folder: str, others: tuple[str, ...]) -> bool:
        """Tells whether the search along `sys.path` ends in this folder."""
        if sys.path != self._path:
            self._path, self._reach = sys.path[:], []
            for each in self._path:
                if not self._is_unchanged(each):
                    break
                self._reach.append(each)
        if folder not in self._reach:
            return False
        before = self._reach[: self._reach.index(folder)] if others else ()
        return not any(other in before for other in others)

    def _is_unchanged(self, folder: str) -> bool:
        """Tells whether a folder still has the same files, and is still the same folder, not a mounted one."""
        known = self._unchanged.get(folder)
        if known is None:
            known = folder in self._folders
            if known:
                there, state = self._folders[folder], folder_state(folder, self._device)
                known = there is None if state is None else state[0] <= self._made and state[1] is there
            self._unchanged[folder] = known
        return known

    def code(self, offset: int, length: int) -> "CodeType":
        """Returns the code object at a place in the bundle.

        One module at a time, into the memory of the last one: getting a new block for all takes longer than reading it.
        """
        if self._file is not None and posix.fstat(self._file).st_ino == self._inode:
            return self._read(self._file, offset, length)
        file = posix.open(self._place, posix.O_RDONLY | posix.O_CLOEXEC)
        try:
            return self._read(file, offset, length)
        finally:
            posix.close(file)

    @staticmethod
    def _read(file: int, offset: int, length: int) -> "CodeType":
        code: CodeType = marshal.loads(posix.pread(file, length, offset))  # noqa: S302 - the image's own
        return code

    def fill(self, cache: "dict[Any, Any]") -> None:
        """Puts the regular expressions that a start compiles into a cache of the module `re`."""
        from _sre import compile as compiled  # type: ignore[import-not-found]

        for pattern, flags, arguments in self._patterns:
            cache[type(pattern), pattern, flags] = compiled(*arguments)

    def close(self) -> None:
        """Closes the file, which is opened again for each module from now on."""
        file, self._file = self._file, None
        if file is not None and posix.fstat(file).st_ino == self._inode:
            posix.close(file)


class BundledLoader(SourceFileLoader):
    """Loads a module's first code object from the bundle; reads everything else from the module's own file."""

    code: tuple[Bundle, int, int] | None = None

    def get_code(self, fullname: str) -> "CodeType | None":
        """Returns the code object of the module."""
        if self.code is not None and fullname == self.name:
            bundle, offset, length = self.code
            del self.code
            try:
                return bundle.code(offset, length)
            except (EOFError, OSError, TypeError, ValueError):
                pass
        return super().get_code(fullname)


class RegularExpressionLoader(BundledLoader):
    """Loads the module `re`, with what a start compiles in its cache as if it had been compiled before."""

    def exec_module(self, module: "ModuleType") -> None:
        """Executes the module."""
        bundle = self.code[0] if self.code is not None else None
        super().exec_module(module)
        if bundle is not None:
            bundle.fill(module._cache)


def opened(place: str) -> "Bundle | None":
    """Returns the bundle in a file, or None if there isn't a whole one made by this Python."""
    try:
        file = posix.open(place, posix.O_RDONLY | posix.O_CLOEXEC)
    except OSError:
        return None
    try:
        return Bundle(place, file)
    except (EOFError, KeyError, OSError, TypeError, ValueError):
        posix.close(file)
        return None


def install(place: str = PLACE) -> None:
    """Puts the bundle, if there is one, before the interpreter's own finders.

    None of its modules is built in or frozen: the path finder had found them all.
    """
    bundle = opened(place)
    if bundle is not None and PathFinder in sys.meta_path:
        own = BuiltinImporter if BuiltinImporter in sys.meta_path else PathFinder
        sys.meta_path.insert(sys.meta_path.index(own), bundle)


def close() -> None:
    """Closes the installed bundle's file, if there is one: the start is over, and few modules are still to come."""
    for finder in sys.meta_path:
        if isinstance(finder, Bundle):
            finder.close()
