"""Which sockets processes listen on, as the kernel says."""

from __future__ import annotations

import contextlib
import ipaddress
import sys
from pathlib import Path

_LISTEN = "0A"
_UNCONNECTED = "07"  # of a UDP socket that takes messages from everyone


def listening(pids: set[int]) -> dict[tuple[str, int], int]:
    """Address and port of each TCP or UDP socket that one of the processes listens on, with the process."""
    owners: dict[str, int] = {}
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
            with contextlib.suppress(OSError):
                owners[str(descriptor.readlink())] = pid
    found = {}
    states = {"tcp": _LISTEN, "tcp6": _LISTEN, "udp": _UNCONNECTED, "udp6": _UNCONNECTED}
    for table in (Path("/proc/net") / name for name in states):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            fields = line.split()
            owner = owners.get(f"socket:[{fields[9]}]")
            if fields[3] == states[table.name] and owner is not None:
                address, _, port = fields[1].partition(":")
                found[_address(address), int(port, 16)] = owner
    return found


def _address(written: str) -> str:
    """An address as text: the kernel writes it as words of four bytes in the machine's own order."""
    words = [bytes.fromhex(written[start : start + 8]) for start in range(0, len(written), 8)]
    address = ipaddress.ip_address(b"".join(word[::-1] if sys.byteorder == "little" else word for word in words))
    return str(getattr(address, "ipv4_mapped", None) or address)
