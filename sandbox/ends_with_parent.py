"""Commands that end with the thread that starts them, even if its process is killed: on Linux the kernel sees to it."""

import os
import signal
import sys
from collections.abc import Sequence

# Programs of their own, since a process with gRPC's threads can't run code between fork and exec.
_BEGIN = """
import ctypes, os, signal, sys
prctl = getattr(ctypes.CDLL(None), "prctl", None)
parent, number, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
"""
_ASK_THE_KERNEL = """
if prctl is not None:
    prctl(1, number)  # PR_SET_PDEATHSIG
if os.getppid() != parent:
    sys.exit(1)
"""
_ALONE = """
try:
    os.execvp(command[0], command)
except OSError as error:
    sys.exit(f"{command[0]}: {error.strerror}")
"""
_END_THE_GROUP = """
def end(_number, _frame):
    signal.signal(number, signal.SIG_IGN)
    os.killpg(0, number)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
signal.signal(number, end)
"""
_WITH_ALL = """
import subprocess
try:
    sys.exit(subprocess.call(command))
except OSError as error:
    sys.exit(f"{command[0]}: {error.strerror}")
"""


def alone(command: Sequence[str], number: signal.Signals = signal.SIGTERM) -> list[str]:
    """The command, in the process that is started: it gets the signal when the thread that started it ends."""
    return _launched(_BEGIN + _ASK_THE_KERNEL + _ALONE, command, number)


def with_all(command: Sequence[str]) -> list[str]:
    """The command below the process that is started, which must be the first of a group: then all of it is ended."""
    return _launched(_BEGIN + _END_THE_GROUP + _ASK_THE_KERNEL + _WITH_ALL, command, signal.SIGTERM)


def _launched(program: str, command: Sequence[str], number: signal.Signals) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", program, str(os.getpid()), str(int(number)), *command]
