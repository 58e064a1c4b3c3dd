"""A fault of a function that the sandbox runs: it fails at its start or with each event, in its own process."""

import importlib
import os
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

# Lambda ends a start after 10 s, and repeats it within the first invocation.
_SLOW_SECONDS = 11.0
_TOO_LARGE = 7 * 1024 * 1024
_STEP = 16 * 1024 * 1024


def install(fault: str) -> None:
    """Put the fault between awslambdaric and the application's handler."""
    bootstrap: Any = importlib.import_module("awslambdaric.bootstrap")  # the function's own, not a package of ours
    load = bootstrap._get_handler

    def load_with_fault(name: str) -> Callable[[Any, Any], Any]:
        if fault == "slow-start":
            time.sleep(_SLOW_SECONDS)
        if fault == "init-error":
            raise RuntimeError("The sandbox's fault init-error: the start of this function fails.")
        handler = load(name)
        act = _ACTS.get(fault)
        return handler if act is None else lambda _event, _context: act()

    bootstrap._get_handler = load_with_fault


def _raise() -> NoReturn:
    raise RuntimeError("The sandbox's fault function-error: this function raises at each event.")


def _wait() -> NoReturn:
    while True:
        time.sleep(3600)


def _leave() -> NoReturn:
    sys.stdout.flush()
    os._exit(1)


def _fill() -> NoReturn:
    filled = []
    while True:
        filled.append(bytearray(b"\1") * _STEP)  # written, so that it is in memory


def _answer_much() -> dict[str, object]:
    return {"statusCode": 200, "body": "x" * _TOO_LARGE}


_ACTS: dict[str, Callable[[], Any]] = {
    "function-error": _raise,
    "timeout": _wait,
    "crash": _leave,
    "out-of-memory": _fill,
    "response-too-large": _answer_much,
}
