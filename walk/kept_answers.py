"""Answers of an account's reads, kept for as long as nothing was written to it."""

import functools
import io
import json
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

_READS = ("get_", "list_", "describe_", "head_")
_MOST = 1_000  # answers: a request chooses some of a read's parameters, so that there is no end of them
# AWS changes these by itself. A value that only looks like one isn't kept either, which is slower but not wrong.
_CHANGING = ("pending", "inprogress", "in_progress", "in progress", "updating", "creating", "deleting")
_ABSENT = ("NotFound", "NoSuch")


class KeptAnswers:
    """Keeps the answers of reads; those of the services in `apart`, by their signing names, are never kept.

    `writes` returns how many writes to the other services have ended so far. An answer is used only while that number
    is the same as before it was asked for. Whoever gets an answer must not change it: others get the same one.
    """

    def __init__(self, writes: Callable[[], int], apart: Collection[str] = ()) -> None:
        self._writes = writes
        self._apart = frozenset(apart)
        self._lock = threading.Lock()
        self._after = -1  # how many writes the answers have seen
        self._answers: dict[tuple[str, ...], Callable[[], Any]] = {}

    def client(self, client: Any) -> Any:
        """Return a boto3 client whose reads are kept."""
        return client if client.meta.service_model.signing_name in self._apart else KeepingClient(client, self)

    def answer(self, key: tuple[str, ...], ask: Callable[[], Any]) -> Any:
        """Return the answer that is kept under a key, or else ask for it and keep it."""
        writes = self._writes()
        with self._lock:
            if writes > self._after:
                self._answers.clear()
                self._after = writes
            kept = self._answers.get(key)
        if kept is None:
            kept, keep = _asked(ask)
            with self._lock:
                if keep and writes == self._after:
                    if len(self._answers) >= _MOST:
                        self._answers.clear()
                    self._answers[key] = kept
        return kept()


class KeepingClient:
    """A boto3 client that asks a read once, and passes on everything else."""

    def __init__(self, client: Any, kept: KeptAnswers) -> None:
        self._client = client
        self._kept = kept

    def __getattr__(self, name: str) -> Any:
        if not name.startswith(_READS) or name not in self._client.meta.method_to_api_mapping:
            return getattr(self._client, name)
        return lambda **parameters: self._answer(name, parameters, lambda: getattr(self._client, name)(**parameters))

    def get_paginator(self, operation: str) -> Any:
        """Return a paginator, which gives all pages at once."""
        return _Pages(self._answer, operation, self._client.get_paginator(operation))

    def _answer(self, what: str, parameters: Mapping[str, object], ask: Callable[[], Any]) -> Any:
        key = (self._client.meta.service_model.service_name, what, json.dumps(parameters, sort_keys=True, default=repr))
        return self._kept.answer(key, ask)


@dataclass(frozen=True, slots=True)
class _Pages:
    answer: Callable[[str, Mapping[str, object], Callable[[], Any]], Any]
    operation: str
    paginator: Any

    def paginate(self, **parameters: object) -> Any:
        return self.answer(
            f"pages of {self.operation}", parameters, lambda: list(self.paginator.paginate(**parameters))
        )


def _asked(ask: Callable[[], Any]) -> tuple[Callable[[], Any], bool]:
    """Return what gives the answer any number of times, and whether it stays the same until the next write."""
    try:
        answer = ask()
    except ClientError as error:
        again = functools.partial(_fail, type(error), error.response, error.operation_name)
        return again, any(word in str(error.response["Error"]["Code"]) for word in _ABSENT)
    stays = not _changes(answer)
    members = answer.items() if isinstance(answer, dict) else ()
    bodies = {name: value.read() for name, value in members if hasattr(value, "read")}
    if bodies:  # boto3's own can be read once
        return lambda: answer | {name: io.BytesIO(body) for name, body in bodies.items()}, stays
    return lambda: answer, stays


def _fail(kind: type[ClientError], response: Any, operation: str) -> Any:
    raise kind(response, operation)


def _changes(found: object) -> bool:
    """Whether an answer has a state that AWS leaves by itself."""
    if isinstance(found, str):
        return found.lower().startswith(_CHANGING)
    if isinstance(found, Mapping):
        return any(map(_changes, found.values()))
    return isinstance(found, list) and any(map(_changes, found))
