"""Questions to public DNS, so that a record that is missing is said at once. No answer means no statement, no error."""

import os
import secrets
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

RESOLVERS = ("1.1.1.1:53", "8.8.8.8:53")
"""Public resolvers: Cloudflare's and Google's. Both are asked, and the first answer counts."""

RESOLVER_VARIABLE = "DUALMODE_RESOLVER"
"""Variable with another resolver, `address:port`, for networks that reach no public one; the sandbox sets its own."""

TIMEOUT = 2.0
"""Seconds that an answer may take."""

TYPES: Mapping[str, int] = {"A": 1, "NS": 2, "CNAME": 5}
"""Numbers of the record types that are read. Source: RFC 1035, section 3.2.2."""

_NO_ERROR, _NO_SUCH_NAME = 0, 3
_LONGEST_MESSAGE = 512


@dataclass(frozen=True, kw_only=True)
class Found:
    """One record of an answer; `value` is an address, or a name in lower case without a dot at the end."""

    type: str
    value: str


def ask(name: str, record_type: str, timeout: float = TIMEOUT) -> Sequence[Found] | None:
    """Returns the records that DNS answers, with the aliases on the way; None if there is no answer to rely on.

    An empty list says that DNS has no such record.
    """
    question = _question(name, TYPES[record_type])
    resolvers = {_address(text) for text in (os.environ.get(RESOLVER_VARIABLE) or ",".join(RESOLVERS)).split(",")}
    deadline = time.monotonic() + timeout
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            for resolver in resolvers:
                udp.sendto(question, resolver)
            while resolvers and (left := deadline - time.monotonic()) > 0:
                udp.settimeout(left)
                message, sender = udp.recvfrom(_LONGEST_MESSAGE)
                if sender in resolvers and message[:2] == question[:2] and message[12 : len(question)] == question[12:]:
                    resolvers.discard(sender)
                    records = _records(message)
                    if records is not None:
                        return records
    except (OSError, ValueError, struct.error, IndexError):
        pass  # no network, no such resolver, or not a DNS message
    return None


def leads_to(name: str, target: str) -> bool:
    """Says whether a name's address is another one's: by an alias (CNAME), or by sharing an address with it."""
    found = ask(name, "A")
    if not found:
        return False
    if any(record.type == "CNAME" and record.value == target.lower() for record in found):
        return True
    addresses = {record.value for record in found if record.type == "A"}
    return any(record.type == "A" and record.value in addresses for record in ask(target, "A") or ())


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.strip().rpartition(":")
    return host, int(port) if port.isdecimal() else 0


def _question(name: str, record_type: int) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode("ascii") for label in name.split("."))
    # One question, recursion wanted, class IN. Source: RFC 1035, section 4.1.
    return (
        struct.pack(">HHHHHH", secrets.randbits(16), 0x0100, 1, 0, 0, 0)
        + labels
        + b"\0"
        + struct.pack(">HH", record_type, 1)
    )


def _records(message: bytes) -> Sequence[Found] | None:
    """Returns an answer's records, None if it is cut off or says that the resolver failed."""
    _, flags, _, count, _, _ = struct.unpack_from(">HHHHHH", message)
    truncated, code = flags & 0x0200, flags & 0x000F
    if not flags & 0x8000 or truncated or code not in (_NO_ERROR, _NO_SUCH_NAME):
        return None
    types = {code: name for name, code in TYPES.items()}
    _, at = _name(message, 12)
    at += 4
    found = []
    for _ in range(count):
        _, at = _name(message, at)
        record_type, _, _, length = struct.unpack_from(">HHIH", message, at)
        at += 10
        if record_type == TYPES["A"]:
            found.append(Found(type="A", value=socket.inet_ntoa(message[at : at + length])))
        elif record_type in types:
            found.append(Found(type=types[record_type], value=_name(message, at)[0]))
        at += length
    return found


def _name(message: bytes, at: int) -> tuple[str, int]:
    """Returns the name at a place of the message, and the place after it.

    Raises:
        ValueError: the name points to itself.
    """
    labels: list[str] = []
    after = 0
    for _ in range(128):
        length = message[at]
        if length >= 0xC0:  # the rest is at another place
            after = after or at + 2
            at = struct.unpack_from(">H", message, at)[0] & 0x3FFF
        elif length:
            labels.append(message[at + 1 : at + 1 + length].decode("ascii").lower())
            at += 1 + length
        else:
            return ".".join(labels), after or at + 1
    raise ValueError("a name in the answer has no end")
