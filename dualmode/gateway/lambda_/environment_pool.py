"""The execution environments of a function: started on demand, limited in number, each with one request at a time."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

from dualmode.gateway.lambda_.execution_environment import Environment
from dualmode.gateway.lambda_.invocation import Invocation, error_outcome

_log = logging.getLogger(__name__)


class EnvironmentPool:
    """Gives each invocation to a warm environment, to a new one while there are fewer than `limit`, or lets it wait.

    `create` makes an environment; its process starts with the first invocation.
    """

    def __init__(self, create: Callable[[], Environment], limit: int) -> None:
        self._create = create
        self._limit = limit
        self._lock = threading.Lock()
        self._all: list[_Worker] = []
        self._idle: list[_Worker] = []
        self._waiting: deque[Invocation] = deque()
        self._stopped = False

    def submit(self, invocation: Invocation) -> None:
        """Run the invocation as soon as an environment is free, and return at once; the invocation gets the outcome."""
        with self._lock:
            if self._stopped:
                return
            worker = self._free_worker()
            if worker is None:
                self._waiting.append(invocation)
            else:
                worker.give(invocation)

    def withdraw(self, invocation: Invocation) -> bool:
        """Take back an invocation that still waits; False if it already runs."""
        with self._lock:
            try:
                self._waiting.remove(invocation)
            except ValueError:
                return False
        return True

    def stop(self) -> None:
        """Kill every process at once; invocations that still wait or run get no outcome."""
        with self._lock:
            self._stopped = True
            self._waiting.clear()
            workers = list(self._all)
        for worker in workers:
            worker.environment.signal_kill()

    def _free_worker(self) -> "_Worker | None":
        """The environment that became free last and is warm, or one without a process, or a new one; None: to wait."""
        for worker in reversed(self._idle):
            if worker.environment.warm:
                self._idle.remove(worker)
                return worker
        if self._idle:
            return self._idle.pop()
        about_to_be_free = sum(worker.has_answered for worker in self._all)
        if about_to_be_free > len(self._waiting) or len(self._all) == self._limit:
            return None
        worker = _Worker(self._create(), self._next)
        self._all.append(worker)
        return worker

    def _next(self, worker: "_Worker") -> None:
        """Give a worker that has finished something to do; without work it is idle."""
        with self._lock:
            if self._waiting:
                worker.give(self._waiting.popleft())
            else:
                self._idle.append(worker)


class _Worker:
    """The thread that runs one environment."""

    def __init__(self, environment: Environment, finished: "Callable[[_Worker], None]") -> None:
        self.environment = environment
        self._finished = finished
        self._given: SimpleQueue[Invocation] = SimpleQueue()
        self._current: Invocation | None = None
        threading.Thread(target=self._work, name="environment", daemon=True).start()

    @property
    def has_answered(self) -> bool:
        """Whether its invocation is answered, and its runtime only has to ask for the next."""
        return self._current is not None and self._current.outcome is not None

    def give(self, invocation: Invocation) -> None:
        """Give this invocation to the worker, which must be free."""
        self._current = invocation
        self._given.put(invocation)

    def _work(self) -> None:
        while True:
            invocation = self._given.get()
            try:
                self.environment.run(invocation)
            except Exception:  # noqa: BLE001 - logged; whoever waits must get an answer
                _log.exception("The gateway failed to run invocation %s", invocation.id)
                message = f"RequestId: {invocation.id} Error: the gateway failed"
                invocation.finish(error_outcome("crash", "Sandbox.Failure", message))
            self._finished(self)
