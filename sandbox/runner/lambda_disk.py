"""Runs a program with the disk that Lambda gives it: all of it read-only, and a /tmp of its own.

Called as a script, before the function's entrypoint: `lambda_disk.py MODE LIMIT_MB KEEP… -- COMMAND…`. KEEP are folders
that stay where they are although they lie below /tmp. It uses a mount namespace of an ordinary user, where the kernel
allows that. MODE `try` finds out whether it does, and runs nothing.

It imports nothing of ours, and nothing that it doesn't need: each start of a function waits for it.
"""

import ctypes
import os
import sys
from pathlib import Path

_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE, _ATTR_RDONLY = 442, -100, 0x8000, 1  # alike on every processor
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _CAP_SYS_ADMIN, _SIGTERM = 1, 24, 21, 15
_TMP = "/tmp"  # noqa: S108  Lambda's


class _MountAttributes(ctypes.Structure):
    """The kernel's struct mount_attr."""

    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    fields = [text.encode() if text is not None else None for text in (source, target, kind)]
    _checked(_libc.mount(*fields, ctypes.c_ulong(flags), data.encode() if data is not None else None))


def _set_read_only(path: str, *, read_only: bool) -> None:
    attributes = _MountAttributes(_ATTR_RDONLY, 0, 0, 0) if read_only else _MountAttributes(0, _ATTR_RDONLY, 0, 0)
    flags = _AT_RECURSIVE if read_only else 0
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    _checked(
        _libc.syscall(ctypes.c_long(_MOUNT_SETATTR), _AT_FDCWD, path.encode(), flags, ctypes.byref(attributes), size)
    )


def separate(limit_mb: int, keep: list[str]) -> None:
    """Give this process a disk of its own: read-only, with an empty /tmp of so many MB.

    Raises:
        OSError: the kernel doesn't allow it to this user.
    """
    user, group = os.getuid(), os.getgid()
    _checked(_libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNS))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    folder = Path.cwd()
    # By both of its paths, if a link leads to it: the link is hidden too.
    below = sorted({str(place) for path in keep for place in (Path(path).absolute(), Path(path).resolve())})
    kept = [(path, os.open(path, os.O_PATH)) for path in below if path.startswith(f"{_TMP}/")]
    _mount("tmpfs", _TMP, "tmpfs", _MS_NOSUID | _MS_NODEV, f"size={limit_mb}m,mode=1777")
    for path, number in kept:
        Path(path).mkdir(parents=True, exist_ok=True)
        _mount(f"/proc/self/fd/{number}", path, None, _MS_BIND | _MS_REC)
        os.close(number)
    _set_read_only("/", read_only=True)
    _set_read_only(_TMP, read_only=False)
    os.chdir(folder)  # the old working directory is still on the writable disk
    _libc.prctl(_PR_CAPBSET_DROP, _CAP_SYS_ADMIN, 0, 0, 0)  # so that the program can't undo any of it
    _libc.prctl(_PR_SET_PDEATHSIG, _SIGTERM, 0, 0, 0)  # a change of the user namespace resets it


def main(arguments: list[str]) -> None:
    """Run the command on such a disk; exit with 1 where the kernel doesn't allow it."""
    mode, limit, *rest = arguments
    keep, command = rest[: rest.index("--")], rest[rest.index("--") + 1 :]
    try:
        separate(int(limit), keep)
    except OSError as error:
        sys.exit(f"sandbox: this kernel gives the function no disk of its own: {error.strerror}")
    if mode != "try":
        os.execvp(command[0], command)  # noqa: S606  a list, no shell


if __name__ == "__main__":
    main(sys.argv[1:])
