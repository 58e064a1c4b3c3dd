"""One execution environment: a process of the function that serves one invocation at a time, replaced when it ends."""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from dualmode.gateway.lambda_.advice import Advice
from dualmode.gateway.lambda_.invocation import RESPONSE_LIMIT, Invocation, Outcome, error_outcome
from dualmode.gateway.lambda_.log_stream import LogStream
from dualmode.gateway.lambda_.platform_log import InitEnd, Phase, PlatformLog, Report
from dualmode.gateway.lambda_.process_group import Exited, ProcessGroup
from dualmode.gateway.lambda_.runtime_api import ErrorReported, InitFailed, Message, Ready, Responded, RuntimeApi

# Source: Lambda's developer guide, lifecycle: a longer one is repeated within the first invocation.
INIT_SECONDS = 10.0
# A killed process ends at once; this limits the wait for the kernel.
KILL_SECONDS = 5.0
DEFAULT_TIMEOUT = 29  # a second less than an HTTP API waits
# How often the memory of a function that runs is looked at.
_MEMORY_SECONDS = 0.02
# The time a thread has to finish after the runtime asks for the next event; after that, it counts as still running.
_FINISH_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """The function's configuration: `timeout` and `init_timeout` in seconds, `memory_size` in MB."""

    bootstrap: Sequence[str]
    variables: Mapping[str, str] = field(default_factory=dict)
    name: str = "function"
    version: str = "$LATEST"
    memory_size: int = 512
    timeout: float = DEFAULT_TIMEOUT
    region: str = "us-east-1"
    account_id: str = "123456789012"
    init_timeout: float = INIT_SECONDS

    def arn(self, qualifier: str = "") -> str:
        """The function's ARN, followed by `:qualifier` if there is one."""
        arn = f"arn:aws:lambda:{self.region}:{self.account_id}:function:{self.name}"
        return f"{arn}:{qualifier}" if qualifier else arn


class Environment:
    """Runs invocations one after the other, each in the calling thread, with Lambda's limits and Lambda's log.

    Between them the process is frozen, with everything that it started.
    """

    def __init__(self, function: Function, stream: LogStream, log: PlatformLog, advice: Advice | None = None) -> None:
        self._function = function
        self._advice = advice or Advice()
        self._stream = stream
        self._log = log
        # Lambda's form of the name: the day, the version and the environment
        self._log_stream_name = f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{function.version}]{uuid.uuid4().hex}"
        self._process: _Process | None = None

    @property
    def warm(self) -> bool:
        """Whether an initialised process waits for the next event, as far as is known."""
        return self._process is not None and self._process.waiting

    def run(self, invocation: Invocation) -> None:
        """Give the invocation its outcome; come back when the environment is free for another."""
        if invocation.tail:
            self._stream.record()
        init = None if self.warm else self._initialise("init", self._function.init_timeout, invocation.id)
        began = time.monotonic()
        again: Outcome | float | None = None
        if isinstance(init, Outcome) and init.status == "timeout":
            self._advice.init_took_too_long(self._function.init_timeout)
        if isinstance(init, Outcome):  # as on Lambda: once more, within the invocation
            again = self._initialise("invoke", self._function.timeout, invocation.id)
        self._log.start(invocation.id, self._function.arn(invocation.qualifier))
        outcome = again if isinstance(again, Outcome) else self._invoke(invocation, began)
        duration = (time.monotonic() - began) * 1000
        self._log.runtime_done(invocation.id, outcome, duration)
        report = Report(
            duration=min(duration, self._function.timeout * 1000) if outcome.status == "timeout" else duration,
            memory_size=self._function.memory_size,
            memory_used=min(self._process.memory_peak_mib(), self._function.memory_size) if self._process else 0,
            init=init if isinstance(init, float) else None,
        )
        self._log.report(invocation.id, outcome, report)
        if invocation.tail:
            invocation.log = self._stream.recorded()
        invocation.finish(outcome)

    def kill(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.kill()

    def signal_kill(self) -> None:
        """End the process, if there is one, without waiting: for threads other than the one that runs invocations."""
        process = self._process
        if process is not None:
            process.signal_kill()

    def _initialise(self, phase: Phase, seconds: float, request_id: str) -> float | Outcome:
        """Start a process and wait until it asks for an event: the ms it took, or why it doesn't."""
        self.kill()
        began = time.monotonic()
        self._log.init_start(phase)
        variables = {**self._function.variables, "AWS_LAMBDA_LOG_STREAM_NAME": self._log_stream_name}
        process = self._process = _Process(
            self._function.bootstrap, variables, self._stream, memory=self._function.memory_size
        )
        said = process.receive(began + seconds)
        duration = (time.monotonic() - began) * 1000
        if isinstance(said, Ready):
            self._log.init_end(InitEnd(phase=phase, duration=duration))
            return duration
        if isinstance(said, InitFailed):
            # it ends by itself after its report, and may print more until then
            process.receive(time.monotonic() + 1.0)
            outcome = Outcome(payload=said.payload, status="error", error_type=said.error_type)
        else:
            outcome = self._ended(said, request_id)
        process.kill()
        self._log.init_end(InitEnd(phase=phase, duration=duration, failure=outcome))
        return outcome

    def _invoke(self, invocation: Invocation, began: float) -> Outcome:
        """Let the waiting process answer; returns the outcome for the log. The waiter already has its own."""
        process = self._process
        assert process is not None  # noqa: S101 - initialised before
        deadline = began + self._function.timeout
        deadline_ms = int((time.time() + deadline - time.monotonic()) * 1000)
        process.thaw()
        process.api.deliver(invocation, function_arn=self._function.arn(invocation.qualifier), deadline_ms=deadline_ms)
        said = process.receive(deadline)
        if isinstance(said, Responded):
            outcome = Outcome(payload=said.payload)
            self._advice.response_has(len(said.payload))
        elif isinstance(said, ErrorReported):
            outcome = Outcome(payload=said.payload, status="error", error_type=said.error_type)
        elif isinstance(said, Exited) or said is None:
            process.kill()
            return self._ended(said, invocation.id)
        else:
            outcome = error_outcome(
                "crash",
                "Function.ResponseSizeTooLarge",
                f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes).",
            )
        if not invocation.tail:
            invocation.finish(outcome)
        # Lambda keeps the environment until the runtime asks for the next event, and counts that time
        said = process.receive(deadline)
        if isinstance(said, Ready):
            if not self._advice.has_said("thread") and process.goes_on(_FINISH_SECONDS):
                self._advice.goes_on()
            process.freeze()
            return outcome
        process.kill()
        return outcome if outcome.failed else self._ended(said, invocation.id)

    def _ended(self, said: Message | Exited | None, request_id: str) -> Outcome:
        """The outcome if the process has ended, or has said nothing in its time."""
        if isinstance(said, Exited):
            error_type = "Runtime.InvalidEntrypoint" if said.not_started else "Runtime.ExitError"
            if self._process is not None and self._process.out_of_memory:
                error_type = "Runtime.OutOfMemory"  # Source: DataDog/datadog-lambda-extension#776, for Python
            return error_outcome("crash", error_type, f"RequestId: {request_id} Error: {said.reason}")
        seconds = self._function.timeout
        message = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
        return error_outcome("timeout", "Sandbox.Timedout", message)


class _Process:
    """A process, the Runtime API it talks to, and what both have said; killed when it has more than `memory` MB."""

    def __init__(self, bootstrap: Sequence[str], variables: Mapping[str, str], stream: LogStream, memory: int) -> None:
        self.out_of_memory = False
        self._memory = memory
        self._inbox: SimpleQueue[Message | Exited] = SimpleQueue()
        self._ended = False
        self.api = RuntimeApi(self._inbox.put)
        told = {**variables, "AWS_LAMBDA_RUNTIME_API": self.api.address}
        self._process = ProcessGroup(bootstrap, told, stream, self._exited)
        self.api.start()
        self._process.start()

    @property
    def waiting(self) -> bool:
        """Whether it can take an event: what it may say while it waits is only that it has ended."""
        return not self._ended and self._inbox.empty() and self._process.runs

    def receive(self, deadline: float) -> Message | Exited | None:
        """What is said next; None when nothing is until `deadline` (monotonic)."""
        said = None
        while said is None:
            left = deadline - time.monotonic()
            try:
                said = self._inbox.get(timeout=min(max(left, 0.0), _MEMORY_SECONDS))
            except Empty:
                if left <= 0:
                    return None
                self._limit_memory()
        self._ended = self._ended or isinstance(said, Exited)
        return said

    def _limit_memory(self) -> None:
        """End it, as the kernel does on Lambda, if it has more memory than the function's."""
        if not self.out_of_memory and self._process.memory_mib() > self._memory:
            self.out_of_memory = True
            self._process.kill()

    def freeze(self) -> None:
        """Stop it, as Lambda does once the runtime has asked for the next event."""
        self._process.freeze()

    def thaw(self) -> None:
        """Let it go on."""
        self._process.thaw()

    def goes_on(self, seconds: float) -> bool:
        """Whether a thread is still active after that time; False as soon as none is."""
        deadline = time.monotonic() + seconds
        active = self._process.active_threads()
        while active and time.monotonic() < deadline:
            time.sleep(0.002)
            active &= self._process.active_threads()
        return bool(active)

    def memory_peak_mib(self) -> int:
        """The most memory it has used so far, in MiB."""
        return self._process.memory_peak_mib()

    def kill(self) -> None:
        """End it and wait until it has ended."""
        self.signal_kill()
        deadline = time.monotonic() + KILL_SECONDS
        while not self._ended and self.receive(deadline) is not None:
            pass

    def signal_kill(self) -> None:
        """End it."""
        self._process.kill()

    def _exited(self, exited: Exited) -> None:
        self.api.stop()
        self._inbox.put(exited)
