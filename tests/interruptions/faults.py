"""What can go wrong at one resource operation of a deployment, and how it is made to happen in this process.

The provider and the engine are the sandbox's own: only the call to AWS is answered otherwise, or a process is killed
as soon as AWS has done what it was asked to.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError

from sandbox.provider.provider import Provider
from tests.support.processes import commands_of, descendants

_READS = ("Get", "List", "Describe", "Head", "BatchGet", "Lookup")


@dataclass(frozen=True, order=True)
class Operation:
    """What a provider is asked to do: to create, update or delete one resource."""

    verb: str
    pulumi_type: str
    name: str

    def __str__(self) -> str:
        return f"{self.verb} {self.pulumi_type} '{self.name}'"


Faults: TypeAlias = Mapping[Operation, str] | str


class Watch:
    """Lets operations of a deployment go wrong, each once, one in each attempt.

    `faults` are the kinds by operation, or the kind of all. What has gone wrong is in a file, since the process may be
    killed.
    """

    def __init__(self, faults: Faults, file: Path) -> None:
        self.operations: list[Operation] = []
        self.struck: Operation | None = None
        """What has gone wrong in this attempt."""
        self.of_several_calls: list[Operation] = []
        """Those of the operations that call AWS after the first call that writes: they can be half done."""
        self._faults, self._file = faults, file
        self._here = threading.local()
        self._lock = threading.Lock()

    @property
    def done(self) -> list[Operation]:
        """What has gone wrong until now."""
        return read_operations(self._file)

    @contextlib.contextmanager
    def during(self, operation: Operation) -> Iterator[None]:
        """Note an operation; the calls that this thread makes meanwhile are its own."""
        self.operations.append(operation)
        self._here.operation = operation if self._wanted(operation) else None
        self._here.now, self._here.has_written, self._here.half_done = operation, False, False
        try:
            yield
            if self._here.operation is not None:  # it only read, such as a certificate's state
                self._strike(operation, "", lambda: None)
        finally:
            if self._here.half_done:  # that was all of it
                self._note([each for each in self.done if each != operation])
                self.struck = None
            self._here.operation, self._here.now = None, None

    def call(self, name: str, send: Callable[[], Any]) -> Any:
        """Send a call to AWS, unless it is the one that goes wrong: the first of the operation that writes."""
        now = getattr(self._here, "now", None)
        if now is not None and self._here.has_written and now not in self.of_several_calls:
            self.of_several_calls.append(now)
        if now is not None and self._here.half_done:
            self._here.half_done = False
            return _throttle(name, send)
        if now is not None:
            self._here.has_written |= not name.startswith(_READS)
        operation = getattr(self._here, "operation", None)
        if operation is None or name.startswith(_READS):
            return send()
        return self._strike(operation, name, send)

    def _wanted(self, operation: Operation) -> bool:
        return self.struck is None and bool(self._kind(operation)) and operation not in self.done

    def _kind(self, operation: Operation) -> str:
        return self._faults if isinstance(self._faults, str) else self._faults.get(operation, "")

    def _strike(self, operation: Operation, name: str, send: Callable[[], Any]) -> Any:
        self._here.operation = None
        with self._lock:
            if self.struck is not None:
                return send()
            self.struck = operation
            self._note([*self.done, operation])
        kind = self._kind(operation)
        self._here.half_done = kind == HALF_DONE
        return KINDS[kind](name, send)

    def _note(self, done: list[Operation]) -> None:
        self._file.write_text(json.dumps([dataclasses.astuple(each) for each in done]))


def read_operations(file: Path) -> list[Operation]:
    """The operations that are listed in a file."""
    return [Operation(*each) for each in json.loads(file.read_text())] if file.exists() else []


def _refused(code: str, status: int) -> Callable[[str, Callable[[], Any]], Any]:
    def refuse(name: str, _send: Callable[[], Any]) -> Any:
        answer = {"Error": {"Code": code, "Message": "by the test"}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(answer, name)

    return refuse


def _time_out(_name: str, send: Callable[[], Any]) -> Any:
    send()
    raise ReadTimeoutError(endpoint_url="http://127.0.0.1")


def _kill_program(_name: str, send: Callable[[], Any]) -> Any:
    send()
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_engine(_name: str, send: Callable[[], Any]) -> Any:
    answer = send()
    engines = [pid for pid in descendants(os.getpid()) if any(" --non-interactive " in c for c in commands_of({pid}))]
    for pid in engines:
        os.kill(pid, signal.SIGKILL)
    if not engines:
        raise AssertionError("there is no engine to kill")
    return answer


_throttle = _refused("ThrottlingException", 429)
HALF_DONE = "throttled when it was half done"
KINDS: dict[str, Callable[[str, Callable[[], Any]], Any]] = {
    "throttled": _throttle,
    HALF_DONE: lambda _name, send: send(),
    "access denied": _refused("AccessDeniedException", 403),
    "status 500": _refused("InternalFailure", 500),
    "timeout after it was done": _time_out,
    "program killed": _kill_program,
    "engine killed": _kill_engine,
}
"""What can go wrong. Who is killed is killed after AWS has done it, and before anybody has heard of it."""


@contextlib.contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Note what the provider is asked for in this process, and let go wrong what is to."""
    call, originals = BaseClient._make_api_call, {}

    def sent(client: Any, name: str, parameters: Any) -> Any:
        return watch.call(name, lambda: call(client, name, parameters))

    def noting(verb: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def noted(provider: Provider, pulumi_type: str, name: str, *rest: Any) -> Any:
            with watch.during(Operation(verb, pulumi_type, name)):
                return original(provider, pulumi_type, name, *rest)

        return noted

    for verb in ("create", "update", "delete"):
        originals[verb] = getattr(Provider, verb)
        setattr(Provider, verb, noting(verb, originals[verb]))
    BaseClient._make_api_call = sent
    try:
        yield
    finally:
        BaseClient._make_api_call = call
        for verb, original in originals.items():
            setattr(Provider, verb, original)
