"""Times warm requests inside one process of the environment under test; the worker runs it as a script.

Each line on standard input asks for a round; each answering line is a JSON object, contender → µs per request.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import sys
import time
from collections.abc import Callable
from io import BytesIO
from statistics import median
from types import SimpleNamespace
from typing import Any

Request = Callable[[], object]

# Short enough that other programs rarely interrupt a block, long enough to be timed.
_CALLS = 10


def main(handlers: dict[str, tuple[str, dict[str, str]]], event: dict[str, Any], blocks: int) -> None:
    """Answer rounds until standard input ends; `handlers` has each contender's module and environment variables."""
    # One application for all: the runtime imports it as FLASK_APP says, the others as a module.
    app = importlib.import_module("server").app
    context = SimpleNamespace(aws_request_id="8f507cfc-0000-4000-8000-000000000000", function_name="hello")
    requests: dict[str, Request] = {"": direct_call(app, event)}
    failed: dict[str, str] = {}
    for contender, (module, environ) in handlers.items():
        try:
            handler = _imported(module, environ)
            handler(event, context)
        except Exception as error:  # noqa: BLE001 (the others are measured in any case)
            failed[contender] = f"{type(error).__name__}: {error}"
            continue
        requests[contender] = lambda handler=handler: handler(event, context)  # type: ignore[misc]
    direct = requests.pop("")
    for request in (direct, *requests.values()):
        _microseconds(request, 100)
    answer({"failed": failed, "results": {name: request() for name, request in requests.items()}})
    shuffled = random.Random(1)
    for _ in sys.stdin:
        answer(one_round(direct, requests, blocks, shuffled))


def _imported(module: str, environ: dict[str, str]) -> Callable[[Any, Any], object]:
    """Returns the handler of a module imported anew, under these variables as well."""
    sys.modules.pop(module, None)
    before = dict(os.environ)
    os.environ.update(environ)
    try:
        handler: Callable[[Any, Any], object] = importlib.import_module(module).handler
    finally:
        os.environ.clear()
        os.environ.update(before)
    return handler


def one_round(direct: Request, requests: dict[str, Request], blocks: int, shuffled: random.Random) -> dict[str, float]:
    """Returns the median µs that each request takes over the direct call beside it; "" has the direct call's own."""
    taken: dict[str, list[float]] = {name: [] for name in ("", *requests)}
    order = list(requests)
    for _ in range(blocks):
        # In a fixed order, the one after a contender that switches threads would always find the caches cold.
        shuffled.shuffle(order)
        for name in order:
            beside = _microseconds(direct, _CALLS)
            taken[name].append(_microseconds(requests[name], _CALLS) - beside)
            taken[""].append(beside)
    return {name: median(each) for name, each in taken.items()}


def direct_call(app: Callable[..., Any], event: dict[str, Any]) -> Request:
    """Returns the minimal call that a WSGI server makes: a fresh environ, the whole body, and close()."""
    http = event["requestContext"]["http"]
    environ = {
        "REQUEST_METHOD": http["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": event["rawPath"],
        "QUERY_STRING": event["rawQueryString"],
        "SERVER_NAME": event["headers"]["host"],
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": http["protocol"],
        "REMOTE_ADDR": http["sourceIp"],
        "HTTP_COOKIE": "; ".join(event["cookies"]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in event["headers"].items()},
    }
    answered: list[object] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[..., object]:
        answered[:] = (status, headers)
        return answered.append

    def request() -> bytes:
        chunks = app({**environ, "wsgi.input": BytesIO()}, start_response)
        try:
            return b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()

    return request


def _microseconds(request: Request, calls: int) -> float:
    began = time.perf_counter()
    for _ in range(calls):
        request()
    return (time.perf_counter() - began) / calls * 1e6


# What is logged goes to standard error, and what an adapter prints isn't an answer.
_answers, sys.stdout = sys.stdout, sys.stderr


def answer(value: object) -> None:
    """Write one line to the caller."""
    print(json.dumps(value), file=_answers, flush=True)


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
