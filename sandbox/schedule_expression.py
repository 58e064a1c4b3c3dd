"""The expressions of EventBridge Scheduler, as far as the sandbox needs them: what is one, and the time of a rate.

Source: "Schedule types in EventBridge Scheduler", EventBridge Scheduler User Guide.
"""

import re

_RATE = re.compile(r"rate\(([1-9][0-9]*) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((?:[A-Za-z0-9*,/?#-]+ ){5}[A-Za-z0-9*,/?#-]+\)")
_ONCE = re.compile(r"at\([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


def rate_seconds(expression: str) -> int | None:
    """Return the seconds between two times of a rate, None for another expression."""
    found = _RATE.fullmatch(expression)
    return int(found[1]) * _SECONDS[found[2]] if found else None


def is_expression(text: str) -> bool:
    """Return whether a text has the form of an expression."""
    if found := _CRON.fullmatch(text):
        fields = found[0][5:-1].split()
        return (fields[2] == "?") != (fields[4] == "?")
    return rate_seconds(text) is not None or _ONCE.fullmatch(text) is not None
