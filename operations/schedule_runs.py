"""How often a schedule runs in a month."""

import re

DAYS = 365 / 12
_MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}
_RATE = re.compile(r"(?:rate\()?\s*(\d+)\s+(minute|hour|day)s?\s*\)?")
_NAMES = {name: number for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 1)}


def runs_a_month(expression: str) -> float | None:
    """Return the runs of `rate(5 minutes)`, `5 minutes` or a cron expression of EventBridge, or None for another text.

    Days of the month with L or W count as one day. Source: "Schedule types in EventBridge Scheduler", its User Guide.
    """
    if rate := _RATE.fullmatch(expression):
        number = int(rate[1])
        return DAYS * 24 * 60 / (number * _MINUTES[rate[2]]) if number else None
    fields = expression.removeprefix("cron(").removesuffix(")").split()
    if len(fields) not in (5, 6):
        return None
    minute, hour, day, month, weekday = fields[:5]
    try:
        of_day = _count(minute, 0, 59) * _count(hour, 0, 23)
        days = DAYS * _count(weekday, 1, 7) / 7 if weekday not in ("?", "*") else DAYS * _count(day, 1, 31) / 31
        return of_day * days * _count(month, 1, 12) / 12
    except ValueError:
        return None


def _count(field: str, first: int, last: int) -> int:
    """How many values a field has of those from first to last."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        if span in ("*", "?"):
            start, end = first, last
        else:
            begin, _, until = span.partition("-")
            start = _value(begin)
            end = _value(until) if until else last if step else start
        found |= set(range(start, end + 1, int(step or 1)))
    return len(found)


def _value(text: str) -> int:
    if re.fullmatch(r"L|LW|\d+[LW]|\w+#\d|L-\d+", text):
        return 1  # one day of the month
    months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
    upper = text.upper()
    return _NAMES[upper] if upper in _NAMES else months.index(upper) + 1 if upper in months else int(text)
