"""What Lambda drops of a function's JSON log: the objects below the level of the application's log.

Source: "Log-level filtering", Lambda Developer Guide. It says that an object without a level, or with an unknown one,
counts as INFO. Of lines that are not objects it says nothing: they are kept.
"""

import json
from collections.abc import Callable

Filter = Callable[[bytes], bool]
"""Says whether a line of the function's is kept."""

DEFAULT = "INFO"
LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
_PYTHONS = {"WARNING": "WARN", "CRITICAL": "FATAL"}


def keep_all(_line: bytes) -> bool:
    """Keeps every line, as Lambda does where the log is text."""
    return True


def at_least(lowest: str) -> Filter:
    """Returns a filter that keeps what has this level or a higher one; any other word counts as INFO."""
    least = _rank(lowest)

    def kept(line: bytes) -> bool:
        if least == 0 or not line.startswith(b"{"):
            return True
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            return True
        return _rank(found.get("level")) >= least

    return kept


def _rank(level: object) -> int:
    name = str(level).upper()
    name = _PYTHONS.get(name, name)
    return LEVELS.index(name if name in LEVELS else DEFAULT)
