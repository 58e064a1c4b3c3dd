"""The grammar of EventBridge Scheduler's rates and cron expressions.

Source: "Schedule types in EventBridge Scheduler", EventBridge Scheduler User Guide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

RATE = re.compile(r"([1-9][0-9]*) (minute|hour|day)(s?)")

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


def is_rate(text: str) -> bool:
    """Says whether a text is a rate, such as `1 minute` or `6 hours`."""
    found = RATE.fullmatch(text)
    return found is not None and (found[1] == "1") == (found[3] == "")


def cron_mistake(text: str) -> str | None:
    """Returns what is wrong with a cron expression of six fields, or None."""
    given = text.split()
    if len(given) != len(FIELDS):
        return f"it has {len(given)} fields instead of {len(FIELDS)} ({', '.join(FIELDS)})"
    for (name, field), part in zip(FIELDS.items(), given, strict=True):
        if not field.takes(part):
            return f"its {name} can't be {part!r}"
    if (given[2] == "?") == (given[4] == "?"):
        return "either its day of the month or its day of the week is ?, and not both"
    return None


class Field:
    """A field of a cron expression: its numbers from `least` to `most`, or names, and `also`, forms of its own."""

    def __init__(self, least: int, most: int, names: Sequence[str] = (), also: str = "") -> None:
        self._least, self._most, self._also = least, most, also
        self._names: Mapping[str, int] = {name: least + place for place, name in enumerate(names)}

    def takes(self, text: str) -> bool:
        """Says whether the field can be this."""
        if self._also and re.fullmatch(self._also, text, re.IGNORECASE):
            return True
        return all(self._takes_one(part) for part in text.split(","))

    def _takes_one(self, text: str) -> bool:
        span, slash, step = text.partition("/")
        if slash and not (step.isascii() and step.isdecimal() and int(step) > 0):
            return False
        if span == "*":
            return True
        first, dash, last = span.partition("-")
        bounds = [self._number(first), *([self._number(last)] if dash else [])]
        return all(bound is not None and self._least <= bound <= self._most for bound in bounds)

    def _number(self, text: str) -> int | None:
        if text.isascii() and text.isdecimal():
            return int(text)
        return self._names.get(text.upper())


FIELDS: Mapping[str, Field] = {
    "minutes": Field(0, 59),
    "hours": Field(0, 23),
    "day of the month": Field(1, 31, also=r"\?|L|LW|([1-9]|[12][0-9]|3[01])W"),
    "month": Field(1, 12, MONTHS),
    "day of the week": Field(
        1, 7, DAYS, also=r"\?|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)?L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)#[1-5]"
    ),
    "year": Field(1970, 2199),
}
