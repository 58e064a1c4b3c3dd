"""What one log event says, in readable form: a request, a message with its traceback, Lambda's own report."""

import datetime
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from operations.log_events import LogEvent

# YYYY/MM/DD/[version]id, with the function's name before the bracket where the group is shared.
# Source: "Configuring CloudWatch log groups", Lambda Developer Guide.
_VERSION = re.compile(r"\[(\d+|\$LATEST)\]")
_TEXT_ID = re.compile(r"RequestId: ([0-9a-f-]{36})|\[[A-Z]+\]\t\S+\t([0-9a-f-]{36})\t")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """One event of the function's log or of the API's; `fields` is empty if it isn't a JSON object."""

    source: str  # "function" or "api"
    timestamp: int
    version: str  # of the function, or ""
    message: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def request_ids(self) -> frozenset[str]:
        """The ids of the request that it is about: the API's and the function's."""
        record = self.fields.get("record")
        inner = record if isinstance(record, dict) else {}
        keys = (self.fields.get("requestId"), self.fields.get("functionRequestId"), inner.get("requestId"))
        found = {key for key in keys if isinstance(key, str) and key not in ("", "-")}
        if not self.fields:
            found |= {one or other for one, other in _TEXT_ID.findall(self.message)}
        return frozenset(found)

    @property
    def is_detail(self) -> bool:
        """Whether it is one of Lambda's events that repeat what the report says."""
        kind = str(self.fields.get("type", ""))
        if kind.endswith("untimeDone"):  # of an invocation, or of a start
            return True
        failed = _status(self.fields) not in ("", "success")
        return kind.startswith("platform.") and kind != "platform.report" and not failed

    def document(self) -> dict[str, Any]:
        """Return it as `--json` prints it."""
        said = {"source": self.source, "timestamp": self.timestamp, "version": self.version}
        return said | ({"event": dict(self.fields)} if self.fields else {"message": self.message})

    def lines(self) -> list[str]:
        """Return it in readable form: one line, and those of a traceback below."""
        at = datetime.datetime.fromtimestamp(self.timestamp / 1000, datetime.UTC).strftime("%H:%M:%S.%f")[:-3]
        origin = "api" if self.source == "api" else f"v{self.version}" if self.version else "function"
        first, *below = self._text()
        return [f"{at}  {origin:8}  {first}", *(f"    {line}" for line in below)]

    def _text(self) -> list[str]:
        if self.source == "api":
            return [_of_api(self.fields)] if self.fields else [self.message]
        if str(self.fields.get("type", "")).startswith("platform."):
            return [_of_platform(self.fields)]
        if "message" not in self.fields and "errorMessage" not in self.fields:
            return self.message.splitlines() or [""]
        return _of_application(self.fields)


def parse(event: LogEvent, source: str) -> LogRecord:
    """Return what an event of one of the two sources says."""
    try:
        fields = json.loads(event.message) if event.message.startswith("{") else {}
    except (ValueError, RecursionError):
        fields = {}
    found = _VERSION.search(event.stream) if source == "function" else None
    return LogRecord(
        source=source,
        timestamp=event.timestamp,
        version=found[1] if found else "",
        message=event.message,
        fields=fields if isinstance(fields, dict) else {},
    )


def _of_api(fields: Mapping[str, Any]) -> str:
    said = [f"{fields.get('method', '-')} {fields.get('path', '-')} {fields.get('status', '-')}"]
    if fields.get("responseLatency", "-") != "-":
        said.append(f"{fields['responseLatency']} ms")
    said += [str(fields[key]) for key in ("error", "integrationError") if fields.get(key, "-") not in ("-", "")]
    return f"{', '.join(said)}  {_ids(fields)}"


def _of_platform(fields: Mapping[str, Any]) -> str:
    record = fields.get("record")
    record = record if isinstance(record, dict) else {}
    metrics = record.get("metrics")
    metrics = metrics if isinstance(metrics, dict) else {}
    status = _status(fields)
    said = [str(fields["type"]).removeprefix("platform.")]
    if status not in ("", "success"):
        said.append(f"{status} {record.get('errorType', '')}".strip())
    parts = (
        ("durationMs", "{} ms"),
        ("billedDurationMs", "billed {} ms"),
        ("maxMemoryUsedMB", "{} MB"),
        ("initDurationMs", "cold start {} ms"),
    )
    said += [text.format(metrics[key]) for key, text in parts if key in metrics]
    return f"{', '.join(said)}  {_ids(record)}".rstrip()


def _of_application(fields: Mapping[str, Any]) -> list[str]:
    message = str(fields.get("message", fields.get("errorMessage", "")))
    first, *more = message.splitlines() or [""]
    spent = f", {fields['durationMs']} ms" if "durationMs" in fields else ""
    lines = [f"{fields.get('level', 'INFO'):5} {first}{spent}  {_ids(fields)}".rstrip(), *more]
    trace = fields.get("stackTrace")
    if isinstance(trace, list) and trace:
        lines += ["Traceback (most recent call last):", *"".join(map(str, trace)).rstrip("\n").splitlines()]
    if fields.get("errorType"):
        lines += f"{fields['errorType']}: {fields.get('errorMessage', '')}".splitlines()
    return lines


def _ids(fields: Mapping[str, Any]) -> str:
    keys = [fields.get(key) for key in ("requestId", "functionRequestId")]
    return " ".join(str(key) for key in keys if key not in (None, "", "-"))


def _status(fields: Mapping[str, Any]) -> str:
    record = fields.get("record")
    return str(record.get("status", "")) if isinstance(record, dict) else ""
