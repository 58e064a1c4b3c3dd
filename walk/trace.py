"""The trace of a request through the account: which resources it passed, and which one refused it."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from walk.errors import ReadDeniedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One resource of a trace: what it is, its id in AWS's API, and what it says about the next one.

    `cause` names what is wrong with it in one word; an `unread` one could not be looked at. `at` is when it was
    recorded, in seconds of `time.monotonic`.
    """

    hop: str
    id: str
    detail: str
    refused: bool = False
    unread: bool = False
    cause: str = ""
    at: float = field(default_factory=time.monotonic, compare=False, repr=False)

    def document(self) -> dict[str, str]:
        """The hop as `--json` prints it."""
        return {"hop": self.hop, "id": self.id, "detail": f"refused: {self.detail}" if self.refused else self.detail}


class RequestRefusedError(Exception):
    """AWS would refuse the request at this resource: the client gets `status` and `message`, without a reason.

    `headers` are those that the answer has besides the usual ones.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        hop: str,
        id: str,  # noqa: A002  AWS's word
        reason: str,
        cause: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(reason)
        self.headers = dict(headers or {})
        self.status = status
        self.message = message
        self.hop = Hop(hop=hop, id=id, detail=reason, refused=True, cause=cause)


class WalkEndsError(Exception):
    """The request goes on to where the walk can't follow it, such as a CDN; the hop says to where.

    `target` is the name of that in DNS, and `record` the record that leads there, in words.
    """

    def __init__(
        self,
        *,
        hop: str,
        id: str,  # noqa: A002
        reason: str,
        cause: str,
        target: str = "",
        record: str = "",
    ) -> None:
        super().__init__(reason)
        self.target = target
        self.record = record
        self.hop = Hop(hop=hop, id=id, detail=reason, unread=True, cause=cause)


class FunctionAbsentError(RequestRefusedError):
    """The account has no function, version or alias of this name: API Gateway answers 500, Lambda's Invoke 404."""

    def __init__(self, *, hop: str, id: str, reason: str, cause: str = "") -> None:  # noqa: A002
        super().__init__(500, "Internal Server Error", hop=hop, id=id, reason=reason, cause=cause)


def forbidden(hop: str, id: str, reason: str, cause: str = "") -> RequestRefusedError:  # noqa: A002
    """API Gateway doesn't know the name: 403."""
    return RequestRefusedError(403, "Forbidden", hop=hop, id=id, reason=reason, cause=cause)


def not_found(hop: str, id: str, reason: str, cause: str = "") -> RequestRefusedError:  # noqa: A002
    """The name doesn't lead to a stage or route: 404."""
    return RequestRefusedError(404, "Not Found", hop=hop, id=id, reason=reason, cause=cause)


def server_error(hop: str, id: str, reason: str, cause: str = "") -> RequestRefusedError:  # noqa: A002
    """API Gateway can't call the function: 500."""
    return RequestRefusedError(500, "Internal Server Error", hop=hop, id=id, reason=reason, cause=cause)


@dataclass(slots=True)
class Trace:
    """The hops of one request, in the order in which it passed them.

    A trace that `explains` is for a person who asks about an account: the walk goes on behind what it may not read,
    and makes notes of what refuses no request by itself, but is seldom wanted.
    """

    explains: bool = False
    hops: list[Hop] = field(default_factory=list)
    notes: list[Hop] = field(default_factory=list)

    def add(self, hop: str, id: str, detail: str) -> None:  # noqa: A002
        """Record a resource that let the request pass."""
        self.hops.append(Hop(hop=hop, id=id, detail=detail))

    def note(self, cause: str, hop: str, id: str, detail: str) -> None:  # noqa: A002
        """Record what is seldom wanted at a resource that lets the request pass."""
        if self.explains:
            self.notes.append(Hop(hop=hop, id=id, detail=detail, cause=cause))

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Go on behind the block if its reads are denied and the trace explains: what it would have set stays unset."""
        try:
            yield
        except ReadDeniedError as denied:
            if not self.explains:
                raise
            self.hops.append(unread(denied))

    @property
    def refusal(self) -> Hop | None:
        """The hop that refused the request, if one did."""
        return next((hop for hop in self.hops if hop.refused), None)


def unread(denied: ReadDeniedError) -> Hop:
    """The hop for a read that the credentials may not make."""
    detail = f"this hop could not be read: allow {denied.permission}"
    return Hop(hop=denied.hop, id="(not read)", detail=detail, unread=True, cause="denied")
