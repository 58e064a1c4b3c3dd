"""How the versions of a function do, from its log: requests, failures and durations of each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from operations.log_events import LogReader
from operations.log_record import LogRecord, parse

PATTERN = '{ ($.type = "platform.report") || ($.logger = "dualmode.access") }'
"""The events that tell how a request went: Lambda's report, and the application's line with the HTTP status."""

_ENOUGH = 20
_SLOWER_MS = 50.0


@dataclass(slots=True)
class Seen:
    """What the log says of one request; times in milliseconds, NaN where it doesn't say."""

    version: str
    failed: bool = False
    duration: float = math.nan
    init: float = math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How one version did: `durations` in milliseconds, without cold starts."""

    requests: int = 0
    failures: int = 0
    durations: Sequence[float] = ()

    @property
    def failing(self) -> float:
        """Failures in percent of the requests."""
        return 100 * self.failures / self.requests if self.requests else 0.0

    def __str__(self) -> str:
        slow = f", p95 {percentile(self.durations, 95):.0f} ms" if self.durations else ""
        return f"{self.requests} {'request' if self.requests == 1 else 'requests'}, {self.failures} failed{slow}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much worse a version may be: failures in percent more, and its 95th percentile as a factor."""

    failing: float
    slower: float


@dataclass(slots=True)
class Watch:
    """Collects from the function's log how its versions do."""

    reader: LogReader
    seen: dict[str, Seen] = field(default_factory=dict)

    def look(self) -> None:
        """Read what is new."""
        for event in self.reader.new():
            self._add(parse(event, "function"))

    def of(self, version: str) -> Health:
        """Return how a version did so far."""
        found = [request for request in self.seen.values() if request.version == version]
        return Health(
            requests=len(found),
            failures=sum(request.failed for request in found),
            durations=tuple(request.duration for request in found if not math.isnan(request.duration)),
        )

    def _add(self, record: LogRecord) -> None:
        fields = record.fields
        inner = fields.get("record")
        if fields.get("type") == "platform.report" and isinstance(inner, dict):
            request = self._request(record, inner)
            metrics = inner.get("metrics") or {}
            request.failed |= inner.get("status", "success") != "success"
            request.duration = float(metrics.get("durationMs", request.duration))
            request.init = float(metrics.get("initDurationMs", math.nan))
        elif fields.get("logger") == "dualmode.access":
            request = self._request(record, fields)
            request.failed |= int(fields.get("status", 0)) >= 500
            if math.isnan(request.duration):
                request.duration = float(fields.get("durationMs", math.nan))

    def _request(self, record: LogRecord, fields: Any) -> Seen:
        return self.seen.setdefault(str(fields.get("requestId", "")), Seen(version=record.version))


def objection(old: Health, new: Health, limits: Limits) -> str:
    """Return why a new version must not get more requests, or "" if nothing speaks against it."""
    if new.failures and new.failing > old.failing + limits.failing:
        return f"{new.failures} of its {new.requests} requests failed ({new.failing:.1f} %, before {old.failing:.1f} %)"
    if min(len(old.durations), len(new.durations)) < _ENOUGH:
        return ""
    before, now = percentile(old.durations, 95), percentile(new.durations, 95)
    if now > before * limits.slower and now > before + _SLOWER_MS:
        return f"its 95th percentile is {now:.0f} ms, before {before:.0f} ms"
    return ""


def percentile(values: Sequence[float], percent: float) -> float:
    """Return a percentile by nearest rank; NaN of nothing."""
    ordered = sorted(values)
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1] if ordered else math.nan
