"""Says once that an asyncio task goes on after the response: on Lambda nothing runs it until the next request."""

import asyncio
import logging
from collections.abc import Set
from typing import Any

_log = logging.getLogger("dualmode")

SENTENCE = (
    "A task goes on after the response: Lambda freezes it until the next request, which may be never. Finish the work "
    "before you respond, or send it to a queue such as SQS."
)

# What a task of a pool waits in until there is work; it then does nothing that freezing would stop.
_IDLE = frozenset({"Queue.get", "Event.wait", "Condition.wait", "Lock.acquire", "Semaphore.acquire"})


class PendingTasks:
    """Looks at the tasks of an event loop between two requests; those in `own` are the runtime's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, own: Set[asyncio.Task[Any]]) -> None:
        self._loop = loop
        self._own = own
        self._said = False

    def tell(self) -> None:
        """Logs the sentence, the first time that a task is neither done nor idle."""
        if self._said or not self._goes_on():
            return
        for _ in range(2):  # a task that was just cancelled, or has no more than its end to do, is no matter
            self._loop.run_until_complete(asyncio.sleep(0))
        if self._goes_on():
            self._said = True
            _log.warning(SENTENCE)

    def _goes_on(self) -> bool:
        return any(task not in self._own and not _is_idle(task) for task in asyncio.all_tasks(self._loop))


def _is_idle(task: asyncio.Task[Any]) -> bool:
    name = ""
    awaited: Any = task.get_coro()
    while awaited is not None:  # the innermost coroutine is the one that waits
        code = getattr(awaited, "cr_code", None)
        name = code.co_qualname if code is not None else name
        awaited = getattr(awaited, "cr_await", None)
    return name in _IDLE
