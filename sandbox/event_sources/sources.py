"""All event sources of a running sandbox, in a thread of their own."""

import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.errors import SandboxError
from sandbox.event_sources.asynchronous import AsynchronousInvocations
from sandbox.event_sources.event_bus import EventBus
from sandbox.event_sources.queues import Queues
from sandbox.event_sources.schedules import Schedules
from sandbox.invocations import Invocations
from walk.account import Account
from walk.errors import UnreadableAccountError

_SECONDS = 1.0


class EventSources:
    """Fires schedules, polls queues and delivers events while the context lasts; `progress` gets a line for each."""

    def __init__(self, account: Account, invocations: Invocations, progress: Callable[[str], None]) -> None:
        self._progress = progress
        asynchronous = AsynchronousInvocations(account=account, invocations=invocations)
        self.schedules = Schedules(account=account, asynchronous=asynchronous)
        self.event_bus = EventBus(account=account, asynchronous=asynchronous)
        self._queues = Queues(account=account, invocations=invocations)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="event sources", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(_SECONDS)  # an invocation that takes longer ends with its function

    def _run(self) -> None:
        while not self._stop.wait(_SECONDS):
            self._reporting(self._look)

    def _look(self) -> None:
        for line in self.event_bus.deliver():
            self._progress(line)
        while not self._stop.is_set() and (batches := self._queues.poll()):
            for line in batches:
                self._progress(line)
        for schedule in self.schedules.due():
            self._reporting(lambda schedule=schedule: self._fire(schedule))  # type: ignore[misc]

    def _fire(self, schedule: Mapping[str, Any]) -> None:
        self._progress(f"Schedule {schedule['Name']} {self.schedules.fire(schedule).in_words()}")

    def _reporting(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (SandboxError, UnreadableAccountError, BotoCoreError, ClientError) as error:
            if not self._stop.is_set():
                self._progress(str(error))
