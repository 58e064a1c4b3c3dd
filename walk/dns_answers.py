"""What DNS says of a name, as this machine asks it."""

import socket
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The addresses of a name, none if DNS doesn't know it, and the name that its CNAMEs end at."""

    addresses: frozenset[str]
    canonical: str

    def leads_to(self, target: str, expected: "Answer | None") -> bool:
        """Whether a client that uses this answer reaches the target, whose own answer is `expected`."""
        return self.canonical == target or (expected is not None and bool(self.addresses & expected.addresses))


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """How DNS is asked: for a name's addresses, and for the name servers of a zone; None if no resolver answers."""

    addresses: Callable[[str], Answer | None]
    servers: Callable[[str], set[str] | None]


_UNKNOWN = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


def ask(name: str) -> Answer | None:
    """Return what the system's resolver answers for a name, or None if it doesn't answer."""
    try:
        found = socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
    except socket.gaierror as error:
        return Answer(addresses=frozenset(), canonical=name) if error.errno in _UNKNOWN else None
    except (OSError, UnicodeError):
        return None
    canonical = next((entry[3] for entry in found if entry[3]), name)
    return Answer(addresses=frozenset(str(entry[4][0]) for entry in found), canonical=canonical.rstrip(".").lower())
