"""What the edge gives back for one request."""

from dataclasses import dataclass

from dualmode.gateway.http.message import Response
from walk.trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the client gets, and the trace that led there; `duration` in milliseconds."""

    response: Response
    trace: Trace
    duration: float
