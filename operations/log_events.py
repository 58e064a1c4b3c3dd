"""Reads a log group of CloudWatch Logs, from a time on, and then only what is new."""

from dataclasses import dataclass
from typing import Any

# Events of different streams become readable in another order than that of their times.
_OVERLAP = 15_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvent:
    """One event of a log group; `timestamp` in milliseconds since 1970."""

    timestamp: int
    stream: str
    message: str


class LogReader:
    """Reads the events of a group since a time, in milliseconds since 1970, that match a filter pattern."""

    def __init__(self, logs: Any, group: str, *, since: int, pattern: str = "") -> None:
        self._logs = logs
        self._group = group
        self._since = since
        self._pattern = pattern
        self._seen: dict[str, int] = {}

    def new(self) -> list[LogEvent]:
        """Return the events that were not returned before, in the order of their times."""
        found = []
        asked: dict[str, object] = {"logGroupName": self._group, "startTime": self._since}
        if self._pattern:
            asked["filterPattern"] = self._pattern
        for page in self._logs.get_paginator("filter_log_events").paginate(**asked):
            for event in page.get("events", []):
                if event["eventId"] not in self._seen:
                    self._seen[event["eventId"]] = event["timestamp"]
                    found.append(
                        LogEvent(
                            timestamp=event["timestamp"],
                            stream=event.get("logStreamName", ""),
                            message=event["message"].rstrip("\n"),
                        )
                    )
        if self._seen:
            self._since = max(self._since, max(self._seen.values()) - _OVERLAP)
            self._seen = {key: at for key, at in self._seen.items() if at >= self._since}
        return sorted(found, key=lambda event: event.timestamp)
