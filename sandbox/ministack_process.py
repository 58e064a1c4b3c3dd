"""MiniStack in a process of its own: it ends with the process that holds the other end of its standard input.

That is the sandbox, which closes it to stop MiniStack. If the sandbox is killed, the kernel closes it.
Arguments: MiniStack's files that last as long as its process, and after `--` those of hypercorn.
"""

import importlib.util
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from hypercorn.__main__ import main as serve
from ministack import app  # type: ignore[import-untyped]
from ministack.core import router  # type: ignore[import-untyped]
from ministack.services import eventbridge, lambda_svc  # type: ignore[import-untyped]

_AUTOSCALING = "application_autoscaling"
_TARGET_PREFIX = "AnyScaleFrontendService"  # Source: botocore's service model
_PENDING_SECONDS = 0.05  # of a function that was made or updated: half a second of MiniStack's own, with nothing to do


def main(arguments: Sequence[str]) -> int:
    """Serve until standard input ends, write the state, and only then remove the files."""
    split = arguments.index("--")
    # It runs no functions, so it must neither take messages from their queues nor give them events: the sandbox does.
    lambda_svc._ensure_poller = lambda: None
    eventbridge._dispatch_to_lambda = lambda _arn, _payload: None
    _add_autoscaling()
    lambda_svc._LAMBDA_STATE_TRANSITION_DELAY = _PENDING_SECONDS
    threading.Thread(target=_end_with_standard_input, daemon=True).start()
    status = serve(list(arguments[split + 1 :]))
    for file in arguments[:split]:
        Path(file).unlink(missing_ok=True)
    return status


def _add_autoscaling() -> None:
    """Add a service from the file beside this one, under the name by which MiniStack imports its own."""
    name = f"ministack.services.{_AUTOSCALING}"
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{_AUTOSCALING}.py"))
    if spec is None or spec.loader is None:
        raise ImportError(name)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    service = _AUTOSCALING.replace("_", "-")
    app.SERVICE_REGISTRY[service] = {"module": _AUTOSCALING}
    app.SERVICE_HANDLERS[service] = module.handle_request
    app._state_map[_AUTOSCALING] = _AUTOSCALING
    router.SERVICE_PATTERNS[service] = {"target_prefixes": [_TARGET_PREFIX]}


def _end_with_standard_input() -> None:
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGTERM)  # hypercorn then ends in order, and MiniStack writes its state


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
