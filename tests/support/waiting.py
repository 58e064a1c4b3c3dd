"""Waits for an event, with a limit that is enough for a busy machine too."""

import time
from collections.abc import Callable
from typing import TypeVar

_Value = TypeVar("_Value")


def until(condition: Callable[[], _Value], seconds: float = 60.0, *, logs: Callable[[], str] = lambda: "") -> _Value:
    """Waits until a condition holds, and returns its value.

    Raises:
        AssertionError: it didn't within so many seconds; with the logs.
    """
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"it did not happen within {seconds:g} seconds\n{logs()}"
        time.sleep(0.005)
    return value
