"""The log of one environment: what the function prints and Lambda's own lines, in the order in which they came."""

import contextlib
import os
import threading
from collections.abc import Callable

from dualmode.gateway.lambda_.log_filter import Filter, keep_all

READ_BYTES = 65_536
TAIL_BYTES = 4_096
LINE_BYTES = 256 * 1024

Sink = Callable[[bytes], None]


def to_stdout(data: bytes) -> None:
    """Write to standard output without Python's buffers: lines of other threads can't mix with it."""
    with contextlib.suppress(OSError):
        while data:
            data = data[os.write(1, data) :]


class LogStream:
    """Collects a process's output, passes whole lines on to `sink`, and remembers the tail of an invocation's log.

    Of the process's lines, those that `kept` refuses are in neither. A line of more than 256 KiB is passed on in parts.
    """

    def __init__(self, sink: Sink, kept: Filter = keep_all) -> None:
        self._sink = sink
        self._kept = kept
        self._lock = threading.Lock()
        self._output: int | None = None
        self._partial = bytearray()
        self._tail: bytearray | None = None

    def attach(self, output: int) -> None:
        """Read from this descriptor (non-blocking) from now on."""
        with self._lock:
            self._output = output

    def detach(self) -> None:
        """Read what is left, and no more."""
        with self._lock:
            self._read()
            self._flush()
            self._output = None

    def pump(self) -> bool:
        """Pass on what the function has printed, and return True; False when its output has ended."""
        with self._lock:
            return self._read()

    def record(self) -> None:
        """Begin to remember the log, for the invocation that begins."""
        with self._lock:
            self._tail = bytearray()

    def recorded(self) -> bytes:
        """Return the last 4 KiB since `record`, and stop remembering.

        Source: Lambda API reference, Invoke, `LogType`.
        """
        with self._lock:
            tail, self._tail = self._tail or b"", None
            return bytes(tail[-TAIL_BYTES:])

    def write(self, text: str) -> None:
        """Add Lambda's own line, after everything the function has printed until now."""
        with self._lock:
            self._read()
            self._flush()
            self._emit(text.encode())

    def _read(self) -> bool:
        while self._output is not None:
            try:
                data = os.read(self._output, READ_BYTES)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not data:
                return False
            self._partial += data
            end = self._partial.rfind(b"\n") + 1
            if end or len(self._partial) > LINE_BYTES:
                self._print(bytes(self._partial[: end or None]))
                del self._partial[: end or None]
        return False

    def _flush(self) -> None:
        if self._partial:
            self._print(bytes(self._partial) + b"\n")
            self._partial.clear()

    def _print(self, data: bytes) -> None:
        if self._kept is not keep_all:
            data = b"".join(line for line in data.splitlines(keepends=True) if self._kept(line))
        if data:
            self._emit(data)

    def _emit(self, data: bytes) -> None:
        if self._tail is not None:
            self._tail += data
            del self._tail[:-TAIL_BYTES]
        # awslambdaric ends the lines of a traceback with a carriage return, which a terminal would overprint
        self._sink(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
