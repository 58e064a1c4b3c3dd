"""The trace of a request through the account: which resources it passed, and which one refused it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One resource of a trace: what it is, its id in AWS's API, and what it says about the next one."""

    hop: str
    id: str
    detail: str
    refused: bool = False

    def document(self) -> dict[str, str]:
        """The hop as `--json` prints it."""
        return {"hop": self.hop, "id": self.id, "detail": f"refused: {self.detail}" if self.refused else self.detail}


class RequestRefusedError(Exception):
    """AWS would refuse the request at this resource: the client gets `status` and `message`, without a reason."""

    def __init__(self, status: int, message: str, *, hop: str, id: str, reason: str) -> None:  # noqa: A002  AWS's word
        super().__init__(reason)
        self.status = status
        self.message = message
        self.hop = Hop(hop=hop, id=id, detail=reason, refused=True)


class FunctionAbsentError(RequestRefusedError):
    """The account has no function, version or alias of this name: API Gateway answers 500, Lambda's Invoke 404."""

    def __init__(self, *, hop: str, id: str, reason: str) -> None:  # noqa: A002
        super().__init__(500, "Internal Server Error", hop=hop, id=id, reason=reason)


def forbidden(hop: str, id: str, reason: str) -> RequestRefusedError:  # noqa: A002
    """API Gateway doesn't know the name: 403."""
    return RequestRefusedError(403, "Forbidden", hop=hop, id=id, reason=reason)


def not_found(hop: str, id: str, reason: str) -> RequestRefusedError:  # noqa: A002
    """The name doesn't lead to a stage or route: 404."""
    return RequestRefusedError(404, "Not Found", hop=hop, id=id, reason=reason)


def server_error(hop: str, id: str, reason: str) -> RequestRefusedError:  # noqa: A002
    """API Gateway can't call the function: 500."""
    return RequestRefusedError(500, "Internal Server Error", hop=hop, id=id, reason=reason)


@dataclass(slots=True)
class Trace:
    """The hops of one request, in the order in which it passed them."""

    hops: list[Hop] = field(default_factory=list)

    def add(self, hop: str, id: str, detail: str) -> None:  # noqa: A002
        """Record a resource that let the request pass."""
        self.hops.append(Hop(hop=hop, id=id, detail=detail))

    @property
    def refusal(self) -> Hop | None:
        """The hop that refused the request, if one did."""
        return next((hop for hop in self.hops if hop.refused), None)
