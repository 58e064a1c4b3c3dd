"""The way of a request through the account: which resources it passed, and which one refused it."""

from dataclasses import dataclass, field

from gateway.http_message import Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One resource on the way: what it is, its id in AWS's API, and what it says about the next one."""

    link: str
    id: str
    detail: str
    refused: bool = False

    def document(self) -> dict[str, str]:
        """The link as `--json` prints it."""
        return {"link": self.link, "id": self.id, "detail": f"refused: {self.detail}" if self.refused else self.detail}


class RequestRefusedError(Exception):
    """AWS would not let the request pass this resource: the client gets `status` and `message`, and no reason."""

    def __init__(self, status: int, message: str, *, link: str, id: str, reason: str) -> None:  # noqa: A002  AWS's word
        super().__init__(reason)
        self.status = status
        self.message = message
        self.link = Link(link=link, id=id, detail=reason, refused=True)


def forbidden(link: str, id: str, reason: str) -> RequestRefusedError:  # noqa: A002
    """API Gateway knows no such name: 403."""
    return RequestRefusedError(403, "Forbidden", link=link, id=id, reason=reason)


def not_found(link: str, id: str, reason: str) -> RequestRefusedError:  # noqa: A002
    """The name leads to no stage or route: 404."""
    return RequestRefusedError(404, "Not Found", link=link, id=id, reason=reason)


def server_error(link: str, id: str, reason: str) -> RequestRefusedError:  # noqa: A002
    """API Gateway can't call the function: 500."""
    return RequestRefusedError(500, "Internal Server Error", link=link, id=id, reason=reason)


@dataclass(slots=True)
class Way:
    """The links of one request, in the order in which it passed them."""

    links: list[Link] = field(default_factory=list)

    def add(self, link: str, id: str, detail: str) -> None:  # noqa: A002
        """Record a resource that let the request pass."""
        self.links.append(Link(link=link, id=id, detail=detail))

    @property
    def refusal(self) -> Link | None:
        """The link that refused the request, if one did."""
        return next((link for link in self.links if link.refused), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the client gets, and the way that led there; `duration` in milliseconds."""

    response: Response
    way: Way
    duration: float
