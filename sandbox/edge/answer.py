"""What the edge gives back for one request."""

from dataclasses import dataclass

from dualmode.gateway.http.message import Response
from sandbox.function_log import LogPart
from walk.trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The response to the client, its trace, and what the function logged; `duration` in milliseconds."""

    response: Response
    trace: Trace
    duration: float
    log: LogPart | None = None
