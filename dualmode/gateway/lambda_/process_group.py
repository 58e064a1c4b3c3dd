"""A process of a function and all that it starts: started, watched, frozen, its output read, killed together."""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dualmode.gateway.lambda_.log_stream import LogStream
from dualmode.gateway.lambda_.threads import active_threads

PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.05
_PAGE = os.sysconf("SC_PAGE_SIZE")

_prctl = getattr(ctypes.CDLL(None), "prctl", None)

# Processes for which their own thread waits; reap_orphans must leave them alone.
_owned: set[int] = set()
_owning = threading.Lock()


@dataclass(frozen=True, slots=True)
class Exited:
    """The process has ended: `returncode` as subprocess gives it, or the sentence that says why it never ran."""

    returncode: int = 0
    not_started: str = ""

    @property
    def reason(self) -> str:
        """Lambda's message for such an end."""
        if self.not_started:
            return self.not_started
        if self.returncode == 0:
            return "Runtime exited without providing a reason"
        if self.returncode < 0:
            return f"Runtime exited with error: signal: {_signal_name(-self.returncode)}"
        return f"Runtime exited with error: exit status {self.returncode}"


class ProcessGroup:
    """A bootstrap command that runs until it ends or is killed; `exited` is called once, in the watching thread."""

    def __init__(
        self,
        command: Sequence[str],
        variables: Mapping[str, str],
        log: LogStream,
        exited: Callable[[Exited], None],
    ) -> None:
        self._command = list(command)
        self._variables = dict(variables)
        self._log = log
        self._exited = exited
        self._pid = 0
        self._peak_kib = 0
        self._killed = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the process, in a thread that stays until the process has ended."""
        # The kernel ties PR_SET_PDEATHSIG to the thread that forked: it has to live as long as the process does.
        threading.Thread(target=self._run, name="function", daemon=True).start()

    def kill(self) -> None:
        """Kill the process and what it started, at once: awslambdaric doesn't hear SIGTERM while it waits."""
        self.memory_peak_mib()
        with self._lock:
            self._killed = True
        self._signal(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop the process and what it started, threads included, until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let the process and what it started run again, after `freeze`."""
        self._signal(signal.SIGCONT)

    def active_threads(self) -> set[int]:
        """The ids of the process's threads that do something, as `threads.active_threads` tells them."""
        with self._lock:
            return active_threads(self._pid) if self._pid else set()

    @property
    def runs(self) -> bool:
        """Whether it still runs, according to the kernel: its end may not have been reported yet."""
        with self._lock:
            return self._pid != 0 and not _has_ended(self._pid)

    def memory_peak_mib(self) -> int:
        """The most resident memory it has used so far, in MiB, rounded up; the last figure known once it has ended."""
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self._pid}/status").read_text("ascii", "replace").splitlines():
                if line.startswith("VmHWM:"):
                    self._peak_kib = max(self._peak_kib, int(line.split()[1]))
        return -(-self._peak_kib // 1024)

    def memory_mib(self) -> int:
        """The resident memory that it uses now, in MiB, without what it has started; 0 if it isn't known."""
        with contextlib.suppress(OSError):
            return int(Path(f"/proc/{self._pid}/statm").read_text("ascii").split()[1]) * _PAGE // 2**20
        return 0

    def _signal(self, number: signal.Signals) -> None:
        with self._lock:
            if self._pid:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._pid, number)

    def _run(self) -> None:
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        gateway_pid = os.getpid()

        def die_with_the_gateway() -> None:
            if _prctl is not None:
                _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != gateway_pid:
                os._exit(1)

        try:
            with _owning:
                process = subprocess.Popen(
                    self._command,
                    env=self._variables,
                    stdin=subprocess.DEVNULL,
                    stdout=write_end,
                    stderr=write_end,
                    start_new_session=True,
                    preexec_fn=die_with_the_gateway,  # it calls prctl and getppid, and takes no lock
                )
                _owned.add(process.pid)
        except OSError as error:
            os.close(read_end)
            self._exited(Exited(not_started=f"{self._command[0]}: {error.strerror}"))
            return
        finally:
            os.close(write_end)
        with self._lock:
            self._pid = process.pid
            killed = self._killed
        if killed:
            self.kill()
        self._log.attach(read_end)
        self._watch(process.pid, read_end)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # what it started and left behind
        self._log.detach()
        os.close(read_end)
        with self._lock:
            self._pid = 0
            _, status, usage = os.wait4(process.pid, 0)
        with _owning:
            _owned.discard(process.pid)
        self._peak_kib = self._peak_kib or usage.ru_maxrss
        process.returncode = os.waitstatus_to_exitcode(status)
        self._exited(Exited(returncode=process.returncode))

    def _watch(self, pid: int, output: int) -> None:
        """Read the output until the process ends (which is not when its output ends: a child may hold that open)."""
        poll = select.poll()
        poll.register(output, select.POLLIN)
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            pidfd = -1  # an old kernel, or a container's filter
        else:
            poll.register(pidfd, select.POLLIN)
        try:
            while True:
                ready = {descriptor for descriptor, _ in poll.poll(None if pidfd >= 0 else POLL_SECONDS * 1000)}
                if output in ready and not self._log.pump():
                    poll.unregister(output)
                if pidfd in ready or (pidfd < 0 and _has_ended(pid)):
                    return
        finally:
            if pidfd >= 0:
                os.close(pidfd)


def reap_orphans() -> None:
    """Take the exit status of processes that the function left behind: PID 1 of a container inherits them."""
    with _owning:
        while (ended := _ended_child()) is not None and ended not in _owned:
            os.waitpid(ended, 0)


def _ended_child() -> int | None:
    try:
        result = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return result.si_pid if result is not None else None


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _signal_name(number: int) -> str:
    description = signal.strsignal(number)
    return description.lower() if description else f"{number}"
