"""A function that does what its event says, for the tests of the gateway."""

import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

if os.environ.get("PROBE_FAREWELL"):
    import atexit
    import signal

    def say(*_):
        Path(os.environ["PROBE_FAREWELL"]).touch()

    atexit.register(say)
    signal.signal(signal.SIGTERM, say)
if os.environ.get("PROBE_INIT") == "print":
    print("while it starts")
if os.environ.get("PROBE_INIT") == "raise":
    raise Exception("x")
if os.environ.get("PROBE_INIT", "").startswith("exit "):
    os._exit(int(os.environ["PROBE_INIT"].split()[1]))
if os.environ.get("PROBE_INIT", "").startswith("sleep "):
    time.sleep(float(os.environ["PROBE_INIT"].split()[1]))
if os.environ.get("PROBE_INIT", "").startswith("once "):
    marker = Path(os.environ["PROBE_INIT"].split()[1])
    if not marker.exists():
        marker.touch()
        os._exit(3)

calls = 0
pool = ThreadPoolExecutor(1)


def handler(event, context):
    global calls
    calls += 1
    order = event.get("do")
    if order is None and event.get("headers", {}).get("content-type") == "application/json":  # over HTTP
        order = json.loads(event["body"]).get("do")
    if order is None:
        return {"event": event, "pid": os.getpid(), "calls": calls}
    kind, value = order[0], order[1] if len(order) > 1 else None
    if kind == "return":
        return value
    if kind == "raise":
        raise ValueError(value)
    if kind == "exit":
        sys.exit(value)
    if kind == "kill":
        os.kill(os.getpid(), value)
    if kind == "sleep":
        time.sleep(value)
        return "slept"
    if kind == "print":
        print(value)
        return "printed"
    if kind == "write":
        sys.stdout.write(value)
        sys.stdout.flush()
        return "written"
    if kind == "repeat":
        return value[0] * value[1]
    if kind == "trace":
        return {"header": event["headers"]["x-amzn-trace-id"], "environment": os.environ["_X_AMZN_TRACE_ID"]}
    if kind == "touch":
        Path(value).touch()
        return "touched"
    if kind == "hold":  # says by the first file that it has begun, and waits for the second
        Path(value[0]).touch()
        while not Path(value[1]).exists():
            time.sleep(0.005)
        return os.getpid()
    if kind == "spawn":  # a child that outlives the invocation, and holds the output open
        return os.spawnlp(os.P_NOWAIT, "sleep", "sleep", str(value))
    if kind == "thread":  # that goes on after the response
        threading.Thread(target=time.sleep, args=(value,), daemon=True).start()
        return os.getpid()
    if kind == "pool":  # its thread waits for more work
        return pool.submit(os.getpid).result()
    if kind == "fill":  # until it has no more memory, at most 2 GB of it
        filled = [bytearray(b"\1") * 2**23 for _ in range(256)]
        time.sleep(60)
        return len(filled)
    if kind == "allocate":
        return len(bytearray(value))
    if kind == "environment":
        return dict(os.environ) | {"cwd": str(Path.cwd()), "pid": os.getpid()}
    if kind == "context":
        return {
            "arn": context.invoked_function_arn,
            "request_id": context.aws_request_id,
            "remaining": context.get_remaining_time_in_millis(),
            "client_context": context.client_context and context.client_context.custom,
            "trace_id": os.environ.get("_X_AMZN_TRACE_ID"),
            "name": context.function_name,
            "version": context.function_version,
            "memory": context.memory_limit_in_mb,
        }
    raise LookupError(kind)
