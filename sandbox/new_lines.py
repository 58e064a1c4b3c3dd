"""Reads what is new in functions' logs, for what tells it to a person while the sandbox serves."""

from pathlib import Path
from typing import IO

_KNOWN_BYTES = 200


class NewLines:
    """Reads the logs of a folder; each line comes once, and a traceback comes as a whole."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._read: dict[Path, tuple[int, bytes]] = {}
        """How much of each log was read, and the last bytes of that."""
        self._earlier = {log: log.stat().st_mtime_ns for log in logs.glob("*.log")}
        """The logs of earlier runs: each begins anew with its function."""

    def read(self) -> list[tuple[Path, list[str]]]:
        """Return the lines of each log that were not returned before."""
        found = ((log, self._new_lines(log)) for log in sorted(self._logs.glob("*.log")))
        return [(log, lines) for log, lines in found if lines]

    def _new_lines(self, log: Path) -> list[str]:
        try:
            if self._earlier.get(log) == log.stat().st_mtime_ns:
                return []
            self._earlier.pop(log, None)
            with log.open("rb") as file:
                begin, before = self._read.get(log, (0, b""))
                if not _goes_on(file, begin, before):
                    begin, before = file.seek(0), b""
                data = file.read()
            end = _complete(data)
            self._read[log] = (begin + end, (before + data[:end])[-_KNOWN_BYTES:])
        except OSError:
            return []
        return data[:end].decode("utf-8", "replace").splitlines()


def _goes_on(file: IO[bytes], begin: int, before: bytes) -> bool:
    """Whether a log still has what was read of it, and didn't begin anew with its function; moves to behind that."""
    file.seek(begin - len(before))
    return file.read(len(before)) == before


def _complete(data: bytes) -> int:
    """Where the last whole line ends, or where a traceback begins that isn't whole."""
    end = data.rfind(b"\n") + 1
    *_, last = data[:end].splitlines() or [b""]
    begins = data.rfind(b"Traceback (most recent call last):", 0, end)
    return data.rfind(b"\n", 0, begins) + 1 if begins >= 0 and last.startswith((b" ", b"\t", b"Trace")) else end
