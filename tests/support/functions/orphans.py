"""A process that inherits an orphan, as PID 1 of a container does, and reaps it as the gateway does."""

import ctypes
import os
import time
from pathlib import Path

from dualmode.gateway.lambda_.process_group import reap_orphans

PR_SET_CHILD_SUBREAPER = 36


def zombies():
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    if children.exists():
        pids = children.read_text().split()
    else:
        pids = [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    count = 0
    for pid in pids:
        try:
            _, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
        except OSError:
            continue
        state, parent = rest.split()[:2]
        count += (state, int(parent)) == ("Z", os.getpid())
    return count


ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
child = os.fork()
if child == 0:
    if os.fork() == 0:
        time.sleep(0.05)
    os._exit(0)
os.waitpid(child, 0)
deadline = time.monotonic() + 10
while not (before := zombies()) and time.monotonic() < deadline:
    time.sleep(0.01)
reap_orphans()
print(f"{before} zombie before, {zombies()} after")
