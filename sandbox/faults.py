"""Faults on demand: each breaks the part of the deployment that would break on AWS, until it is cleared."""

import contextlib
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.breaking import Broken, Stands, Way, expired, in_the_function, throttled, without_image
from sandbox.errors import SandboxError
from walk.errors import UnreadableAccountError
from walk.trace import RequestRefusedError

IN_THE_FUNCTION: Mapping[str, str] = {
    "function-error": "the function raises an exception at each event: the API answers 500",
    "timeout": "the function answers no event within its timeout: the API answers 500 after that",
    "crash": "the function's process ends with status 1 at each event: the API answers 500",
    "out-of-memory": "the function fills its memory at each event: the API answers 500",
    "response-too-large": "the function returns 7 MB at each event, and Lambda takes 6: the API answers 500",
    "init-error": "the start of the function fails: the API answers 500",
    "slow-start": (
        "the start of the function takes 11 s, and Lambda ends it after 10 and repeats it: "
        "the API answers 200, the first time after 21 s, or 500 if the timeout is below 11 s"
    ),
}
"""Faults in the function's own process; `sandbox/runner/disk_hook/dualmode_fault.py` has them."""

IN_THE_ACCOUNT: Mapping[str, str] = {
    "throttling": "the function's reserved concurrency is 0: the API answers 503, a Function URL 429",
    "deleted-image": "the repository no longer has the image of the live version: the API answers 500",
    "expired-certificate": "ACM says that each certificate expired yesterday: clients get 403, and on AWS no answer",
}
"""Faults in the account, which every reader of it sees."""

SENTENCES: Mapping[str, str] = {**IN_THE_FUNCTION, **IN_THE_ACCOUNT}
NAMES = tuple(SENTENCES)

_WAYS: Mapping[str, Way] = {
    **{name: in_the_function(name) for name in IN_THE_FUNCTION},
    "throttling": throttled,
    "deleted-image": without_image,
    "expired-certificate": expired,
}
_FAILURES = (BotoCoreError, ClientError, UnreadableAccountError, RequestRefusedError)


class Faults:
    """Sets and clears faults of a running sandbox by name, from any thread; leaving it clears all."""

    def __init__(self, broken: Broken) -> None:
        self._broken = broken
        self._set: dict[str, tuple[ExitStack, Stands]] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ExitStack() as cleared:  # the last one first, and each one even if another can't be
            for name in tuple(self._set):
                cleared.callback(self.clear, name)

    def standing(self) -> tuple[str, ...]:
        """The faults that are set. One that the account was repaired of by somebody else no longer is."""
        with self._lock:
            for name in [name for name, (_, stands) in self._set.items() if not _still(stands)]:
                with contextlib.suppress(SandboxError):  # what it has broken was repaired
                    self._clear(name)
            return tuple(self._set)

    def set(self, name: str) -> str:
        """Set a fault, if it isn't set, and return what is now broken, in words.

        Raises:
            SandboxError: there is no fault of this name, or it can't be set here or beside another.
        """
        self.standing()
        with self._lock:
            check((*self._set, name))
            if name not in self._set:
                with ExitStack() as stack:
                    try:
                        stands = stack.enter_context(_WAYS[name](self._broken))
                    except _FAILURES as error:
                        raise SandboxError(f"The fault {name} can't be set here: {str(error).rstrip('.')}.") from error
                    self._set[name] = (stack.pop_all(), stands)
        return SENTENCES[name]

    def clear(self, name: str) -> None:
        """Repair what a fault has broken; nothing if it isn't set.

        Raises:
            SandboxError: it can't be repaired.
        """
        with self._lock:
            self._clear(name)

    def _clear(self, name: str) -> None:
        stack, _ = self._set.pop(name, (ExitStack(), None))
        try:
            stack.close()
        except _FAILURES as error:
            raise SandboxError(
                f"What the fault {name} has broken can't be repaired: {str(error).rstrip('.')}."
            ) from error


def check(names: tuple[str, ...]) -> None:
    """Check that there are faults of these names, and that they can be set together.

    Raises:
        SandboxError: they aren't, or can't.
    """
    for name in names:
        if name not in NAMES:
            raise SandboxError(f"There is no fault '{name}': use {', '.join(NAMES)}.")
    inner = [name for name in dict.fromkeys(names) if name in IN_THE_FUNCTION]
    if len(inner) > 1:
        raise SandboxError(
            f"The faults {' and '.join(inner)} are both in the function's process, which can have one at a time: "
            "clear one, or leave it out."
        )


def _still(stands: Stands) -> bool:
    """Whether something is broken, as far as it can be read."""
    try:
        return stands()
    except _FAILURES:
        return True
