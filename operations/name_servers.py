"""Asks public DNS which name servers a zone is delegated to."""

import os
import secrets
import socket
import struct
import time

RESOLVERS = ("1.1.1.1:53", "8.8.8.8:53")
"""Public resolvers: a company's own may know another zone of the same name."""

RESOLVER_VARIABLE = "DUALMODE_RESOLVER"
"""Variable with another resolver, `address:port`, for networks that reach no public one."""

_SECONDS = 3.0
_NS, _IN = 2, 1
_RECURSION_WANTED, _ANSWER, _TRUNCATED = 0x0100, 0x8000, 0x0200
_NO_SUCH_NAME = 3
_POINTER = 0xC0


def ask(zone: str) -> set[str] | None:
    """Return the names of a zone's servers, none if it isn't delegated, or None if no resolver says.

    Source: RFC 1035, section 4.1, for the messages.
    """
    number = secrets.randbits(16)
    labels = b"".join(bytes([len(label)]) + label for label in zone.encode("idna").split(b"."))
    question = struct.pack(">6H", number, _RECURSION_WANTED, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, _NS, _IN)
    deadline = time.monotonic() + _SECONDS
    try:
        resolvers = [_address(text) for text in (os.environ.get(RESOLVER_VARIABLE) or ",".join(RESOLVERS)).split(",")]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            for resolver in resolvers:
                udp.sendto(question, resolver)
            while (left := deadline - time.monotonic()) > 0:
                udp.settimeout(left)
                message, sender = udp.recvfrom(4096)
                if sender in resolvers and message[:2] == question[:2]:
                    return _read(message, len(question))
    except (OSError, ValueError, struct.error, IndexError):
        pass  # no network, no such resolver, or not a DNS message
    return None


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.strip().rpartition(":")
    return host, int(port)


def _read(message: bytes, at: int) -> set[str] | None:
    _, flags, _, count, _, _ = struct.unpack_from(">6H", message)
    code = flags & 0x000F
    if not flags & _ANSWER or flags & _TRUNCATED or code not in (0, _NO_SUCH_NAME):
        return None
    found = set()
    for _ in range(count):
        _, at = _name(message, at)
        kind, _, _, length = struct.unpack_from(">HHIH", message, at)
        at += 10
        if kind == _NS:
            found.add(_name(message, at)[0])
        at += length
    return found


def _name(message: bytes, at: int) -> tuple[str, int]:
    """The name at a place of the message, and the place after it."""
    labels: list[str] = []
    after = 0
    for _ in range(128):
        length = message[at]
        if length >= _POINTER:  # the rest is at another place
            after = after or at + 2
            at = struct.unpack_from(">H", message, at)[0] & 0x3FFF
        elif length:
            labels.append(message[at + 1 : at + 1 + length].decode("ascii").lower())
            at += 1 + length
        else:
            return ".".join(labels), after or at + 1
    raise ValueError("a name in the answer has no end")
