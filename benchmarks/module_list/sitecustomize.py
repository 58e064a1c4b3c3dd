"""Makes a process write the names of its modules when it gets a real-time signal: on PYTHONPATH, site imports it.

The signal module is built in, and nothing else uses real-time signals: so this doesn't change the count.
"""

import _signal  # type: ignore[import-not-found]
import posix
import sys


def _write(number: int, frame: object) -> None:
    names = "\n".join(sorted(set(sys.modules) - {"sitecustomize"}))
    target = posix.open(f"{posix.environ[b'MODULE_LIST'].decode()}/{posix.getpid()}", posix.O_WRONLY | posix.O_CREAT)
    posix.write(target, names.encode())
    posix.close(target)


if b"MODULE_LIST" in posix.environ:
    _signal.signal(_signal.SIGRTMIN + 7, _write)
