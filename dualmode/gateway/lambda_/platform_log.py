"""What Lambda itself writes into a function's log: START, END and REPORT lines, or `platform.*` objects.

Source: docs/http-api.md, L04 and L07, for the lines; captures of 2024 to 2026 for the objects; the levels are those of
the developer guide's "System log level event mapping".
"""

import datetime
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from dualmode.gateway.lambda_.invocation import Outcome
from dualmode.gateway.lambda_.log_stream import LogStream

Level = Literal["DEBUG", "INFO", "WARN"]
Phase = Literal["init", "invoke"]
LogFormat = Literal["Text", "JSON"]

LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True, slots=True, kw_only=True)
class InitEnd:
    """How an initialisation ended, after `duration` ms."""

    phase: Phase
    duration: float
    failure: Outcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an invocation took: durations in ms, memory in MB; `init` None where the environment was warm."""

    duration: float
    memory_size: int
    memory_used: int
    init: float | None = None

    @property
    def billed(self) -> int:
        """Billed ms: the initialisation counts, and every begun millisecond."""
        return math.ceil(self.duration + (self.init or 0.0))


class PlatformLog(Protocol):
    """Writes the log lines of Lambda itself; each format writes them at the same moments."""

    def init_start(self, phase: Phase) -> None:
        """A process is started."""

    def init_end(self, end: InitEnd) -> None:
        """The process asks for its first event, or never will."""

    def start(self, request_id: str, function_arn: str) -> None:
        """An event is handed over."""

    def runtime_done(self, request_id: str, outcome: Outcome, duration: float) -> None:
        """The runtime has answered, after `duration` ms, and asks for the next event, or its process has ended."""

    def report(self, request_id: str, outcome: Outcome, report: Report) -> None:
        """The invocation is over."""


class TextLog:
    """Lambda's lines, with tabs and trailing blanks as Lambda writes them."""

    def __init__(self, stream: LogStream, version: str) -> None:
        self._stream = stream
        self._version = version

    def init_start(self, phase: Phase) -> None:
        """Nothing: INIT_START is written for managed runtimes only."""

    def init_end(self, end: InitEnd) -> None:
        """A line, where it failed."""
        if end.failure is not None:
            self._stream.write(
                f"INIT_REPORT Init Duration: {end.duration:.2f} ms\tPhase: {end.phase}\t{_failure(end.failure)}\n"
            )

    def start(self, request_id: str, function_arn: str) -> None:
        """The START line."""
        self._stream.write(f"START RequestId: {request_id} Version: {self._version}\n")

    def runtime_done(self, request_id: str, outcome: Outcome, duration: float) -> None:
        """What Lambda says in the function's place, where the function could not."""
        if outcome.status == "timeout":
            elapsed = duration / 1000
            self._stream.write(f"{_now()} {request_id} Task timed out after {elapsed:.2f} seconds\n\n")
        elif outcome.status == "crash":
            message = json.loads(outcome.payload)["errorMessage"]
            self._stream.write(f"{message}\n{outcome.error_type}\n")

    def report(self, request_id: str, outcome: Outcome, report: Report) -> None:
        """The END and REPORT lines."""
        init = "" if report.init is None else f"Init Duration: {report.init:.2f} ms\t"
        status = _failure(outcome) if outcome.status in ("crash", "timeout") else ""
        self._stream.write(
            f"END RequestId: {request_id}\n"
            f"REPORT RequestId: {request_id}\tDuration: {report.duration:.2f} ms\tBilled Duration: {report.billed} ms\t"
            f"Memory Size: {report.memory_size} MB\tMax Memory Used: {report.memory_used} MB\t"
            f"{init}{status}\n"
        )


class JsonLog:
    """Lambda's objects, one a line, from `level` up."""

    def __init__(self, stream: LogStream, *, function_name: str, version: str, level: Level) -> None:
        self._stream = stream
        self._function_name = function_name
        self._version = version
        self._level = LEVELS.index(level)

    def init_start(self, phase: Phase) -> None:
        """platform.initStart."""
        record = {"initializationType": "on-demand", "phase": phase}
        record |= {"functionName": self._function_name, "functionVersion": self._version}
        self._write("DEBUG", "platform.initStart", record)

    def init_end(self, end: InitEnd) -> None:
        """platform.initRuntimeDone and platform.initReport."""
        level: Level = "DEBUG" if end.failure is None else "WARN"
        record = {"initializationType": "on-demand", "phase": end.phase, **_status(end.failure)}
        self._write(level, "platform.initRuntimeDone", record)
        self._write(level, "platform.initReport", {**record, "metrics": {"durationMs": round(end.duration, 3)}})

    def start(self, request_id: str, function_arn: str) -> None:
        """platform.start."""
        record = {"requestId": request_id, "functionArn": function_arn, "version": self._version}
        self._write("INFO", "platform.start", record)

    def runtime_done(self, request_id: str, outcome: Outcome, duration: float) -> None:
        """platform.runtimeDone."""
        produced = 0 if outcome.failed else len(outcome.payload)
        metrics = {"durationMs": round(duration, 3), "producedBytes": produced}
        record = {"requestId": request_id, **_status(outcome), "metrics": metrics}
        self._write("WARN" if outcome.failed else "DEBUG", "platform.runtimeDone", record)

    def report(self, request_id: str, outcome: Outcome, report: Report) -> None:
        """platform.report."""
        metrics: dict[str, object] = {
            "durationMs": round(report.duration, 3),
            "billedDurationMs": report.billed,
            "memorySizeMB": report.memory_size,
            "maxMemoryUsedMB": report.memory_used,
        }
        if report.init is not None:
            metrics["initDurationMs"] = round(report.init, 3)
        record = {"requestId": request_id, "metrics": metrics, **_status(outcome)}
        self._write("WARN" if outcome.failed else "INFO", "platform.report", record)

    def _write(self, level: Level, kind: str, record: Mapping[str, object]) -> None:
        if LEVELS.index(level) >= self._level:
            self._stream.write(
                json.dumps({"time": _now(), "type": kind, "record": record}, separators=(",", ":")) + "\n"
            )


def _status(outcome: Outcome | None) -> dict[str, object]:
    if outcome is None or not outcome.failed:
        return {"status": "success"}
    if outcome.status == "timeout":
        return {"status": "timeout"}
    return {"status": "error", "errorType": outcome.error_type}


def _failure(outcome: Outcome) -> str:
    return "Status: timeout" if outcome.status == "timeout" else f"Status: error\tError Type: {outcome.error_type}"


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
