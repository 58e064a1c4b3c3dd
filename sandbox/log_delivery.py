"""Delivers what functions and APIs log to the account's CloudWatch Logs, as Lambda and API Gateway do.

The functions' logs stay in files too; this only copies them, a moment later, so that programs that read an account's
logs find them here as well.
"""

import contextlib
import json
import re
import threading
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from walk.account import Account
from walk.domain import StageAddress
from walk.function_version import FunctionVersion

_SECONDS = 0.25
# Source: PutLogEvents, CloudWatch Logs API Reference: 10,000 events and 1 MB at once.
_MOST_EVENTS = 1000
_MOST_BYTES = 900_000
_EVENT_BYTES = 26
_OWN = ("gateway: ", "sandbox: ")
_CONTEXT = re.compile(r"\$context\.([A-Za-z0-9_.]*[A-Za-z0-9_])")


@dataclass(slots=True)
class _Followed:
    path: Path
    group: str
    stream: str
    read: int = 0


@dataclass(slots=True)
class LogDelivery:
    """Copies log lines to CloudWatch Logs from a thread, until it is left."""

    account: Account
    _followed: dict[Path, _Followed] = field(default_factory=dict)
    _requests: deque[tuple[StageAddress, Mapping[str, object]]] = field(default_factory=deque)
    _streams: set[tuple[str, str]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="log delivery", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def follow(self, version: FunctionVersion, path: Path) -> None:
        """Copy what a version that starts now writes to a file."""
        day = datetime.now(UTC).strftime("%Y/%m/%d")
        stream = f"{day}/[{version.version}]{uuid.uuid4().hex}"
        with self._lock:
            self._followed[path] = _Followed(path, version.log_group, stream)

    def note_request(self, address: StageAddress, context: Mapping[str, object]) -> None:
        """Write an entry to the access log of a stage, if it has one, with these values of `$context`."""
        self._requests.append((address, context))

    def _run(self) -> None:
        while not self._ended.wait(_SECONDS):
            self._deliver()
        self._deliver()

    def _deliver(self) -> None:
        with self._lock:
            followed = list(self._followed.values())
        for file in followed:
            lines = [line for line in _new_lines(file) if line.strip() and not line.startswith(_OWN)]
            self._put(file.group, file.stream, lines)
        stages = defaultdict[tuple[str, str], list[Mapping[str, object]]](list)
        while self._requests:
            address, context = self._requests.popleft()
            stages[address.api_id, address.stage].append(context)
        for (api_id, name), contexts in stages.items():
            self._deliver_requests(api_id, name, contexts)

    def _deliver_requests(self, api_id: str, name: str, contexts: list[Mapping[str, object]]) -> None:
        with contextlib.suppress(ClientError, BotoCoreError):
            stage = self.account.client("apigatewayv2").get_stage(ApiId=api_id, StageName=name)
            settings = stage.get("AccessLogSettings") or {}
            group = str(settings.get("DestinationArn", "")).partition(":log-group:")[2].removesuffix(":*")
            form = str(settings.get("Format", ""))
            if group:
                self._put(group, api_id, [access_log_line(form, context) for context in contexts])

    def _put(self, group: str, stream: str, lines: list[str]) -> None:
        """Put lines into a stream; without a log group they are lost, as on AWS."""
        logs = self.account.client("logs")
        for events in _batches(lines):
            with contextlib.suppress(ClientError, BotoCoreError):
                if (group, stream) not in self._streams:
                    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):  # an earlier sandbox's
                        logs.create_log_stream(logGroupName=group, logStreamName=stream)
                    self._streams.add((group, stream))
                logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def access_log_line(form: str, context: Mapping[str, object]) -> str:
    """Return an access log entry: the stage's format with the values of `$context`, "-" for each that has none.

    Source: "Customize HTTP API access logs", API Gateway Developer Guide.
    """
    return _CONTEXT.sub(lambda found: json.dumps(str(context.get(found[1], "-")))[1:-1], form)


def _new_lines(file: _Followed) -> list[str]:
    """The lines that were completed since the last time."""
    try:
        with file.path.open("rb") as log:
            log.seek(file.read)
            data = log.read()
    except OSError:
        return []
    end = data.rfind(b"\n") + 1
    file.read += end
    return data[:end].decode("utf-8", "replace").splitlines()


def _timestamp(line: str, before: int) -> int:
    """When a line was written, in milliseconds since 1970: what it says itself, or when the line before it was."""
    if line.startswith('{"time"'):  # one of Lambda's own
        with contextlib.suppress(ValueError, KeyError, TypeError):
            return int(datetime.fromisoformat(json.loads(line)["time"]).timestamp() * 1000)
    return before or int(time.time() * 1000)


def _batches(lines: list[str]) -> Iterator[list[dict[str, Any]]]:
    """The lines as events, in lots that CloudWatch Logs takes at once."""
    lot: list[dict[str, Any]] = []
    size = at = 0
    for line in lines:
        at = _timestamp(line, at)
        length = len(line.encode()) + _EVENT_BYTES
        if lot and (len(lot) == _MOST_EVENTS or size + length > _MOST_BYTES):
            yield lot
            lot, size = [], 0
        lot.append({"timestamp": at, "message": line})
        size += length
    if lot:
        yield lot
