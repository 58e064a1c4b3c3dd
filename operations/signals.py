"""Signals that would interrupt what must be done to the end."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that ask a command to end: Ctrl-C, `kill`, a closed terminal."""


@contextmanager
def ignored() -> Iterator[None]:
    """Ignore them for a while."""
    handlers = [signal.signal(number, signal.SIG_IGN) for number in ENDING]
    try:
        yield
    finally:
        for number, handler in zip(ENDING, handlers, strict=True):
            signal.signal(number, handler)
