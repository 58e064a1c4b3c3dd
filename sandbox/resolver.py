"""The DNS of the sandbox: what resolvers would answer if the account's public zones were the whole of it.

A zone of the account is delegated, unless another one is above it: then it is so if that one has an NS record for it,
as on the Internet. So a program that asks DNS gets an answer, and sends nothing to the network.
"""

import ipaddress
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from typing import Any

from walk.account import Account
from walk.dns_names import closest_zones, records_for
from walk.errors import UnreadableAccountError
from walk.queries import every

HOST = "127.0.0.1"
RESOLVER_VARIABLE = "DUALMODE_RESOLVER"
"""Variable that tells the deployment's program which resolver to ask."""

# Source: RFC 1035, sections 3.2.2 and 4.1.1.
_TYPES = {1: "A", 2: "NS", 5: "CNAME"}
_CODES = {name: code for code, name in _TYPES.items()}
_ANSWERED, _SERVER_FAILED, _NO_SUCH_NAME = 0x8180, 0x8182, 0x8183
_TTL = 60
_LONGEST_MESSAGE = 512

Answer = Sequence[tuple[str, str, str]]
"""Records: name, type and value."""


class Resolver:
    """Answers on a free UDP port of loopback, from when it is made until it is stopped."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self.address = f"{HOST}:{self._socket.getsockname()[1]}"
        """Where it answers, as `address:port`."""
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name="resolver", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._stopping = True
        self._socket.sendto(b"", self._socket.getsockname())  # ends the wait for a question
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            message, sender = self._socket.recvfrom(_LONGEST_MESSAGE)
            if self._stopping:
                return
            answer = reply(message, lambda name, record_type: answers(self._account, name, record_type))
            if answer:
                self._socket.sendto(answer, sender)


def answers(account: Account, name: str, record_type: str) -> Answer:
    """Return the records that the account's public zones have for a question; none if they don't know it.

    Raises:
        UnreadableAccountError: the account can't be read.
    """
    route53 = account.client("route53")
    zones = every(route53, "list_hosted_zones", "HostedZones")
    if record_type == "NS":
        own = [zone for zone in zones if zone["Name"] == f"{name}." and not zone.get("Config", {}).get("PrivateZone")]
        above = closest_zones((zone for zone in zones if zone not in own), name)
        if own and not above:
            return [(name, "NS", server) for server in _servers(route53, own[0]["Id"])]
        return [found for zone in above[:1] for found in _records(route53, zone, name) if found[1] == "NS"]
    found = [record for zone in closest_zones(zones, name)[:1] for record in _records(route53, zone, name)]
    aliases = [record for record in found if record[1] == "CNAME"]
    if aliases and record_type != "CNAME":
        return [*aliases, *(answers(account, aliases[0][2], record_type) if aliases[0][2] != name else [])]
    return [record for record in found if record[1] == record_type]


def reply(message: bytes, answered: Callable[[str, str], Answer]) -> bytes | None:
    """Return the answer to a DNS message with one question, or None if it isn't one.

    Source: RFC 1035, section 4.1.
    """
    try:
        number, flags, questions = struct.unpack_from(">HHH", message)
        labels, at = [], 12
        while message[at]:
            labels.append(message[at + 1 : at + 1 + message[at]].decode("ascii").lower())
            at += 1 + message[at]
        code, _ = struct.unpack_from(">HH", message, at + 1)
    except (struct.error, IndexError, UnicodeDecodeError):
        return None
    if flags & 0x8000 or questions != 1:
        return None
    question = message[12 : at + 5]
    try:
        records = answered(".".join(labels), _TYPES.get(code, ""))
    except UnreadableAccountError:
        return struct.pack(">HHHHHH", number, _SERVER_FAILED, 1, 0, 0, 0) + question
    outcome = _ANSWERED if records else _NO_SUCH_NAME
    return struct.pack(">HHHHHH", number, outcome, 1, len(records), 0, 0) + question + b"".join(map(_record, records))


def _records(route53: Any, zone: Any, name: str) -> Answer:
    """Return the records of a name that have values, in a zone of the account."""
    found = every(route53, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone["Id"])
    return [
        (name, record["Type"], value["Value"].rstrip(".").lower())
        for record in records_for(found, name)
        if record["Type"] in _CODES
        for value in record.get("ResourceRecords", [])
    ]


def _servers(route53: Any, zone: str) -> list[str]:
    return [str(server) for server in route53.get_hosted_zone(Id=zone)["DelegationSet"]["NameServers"]]


def _record(record: tuple[str, str, str]) -> bytes:
    name, record_type, value = record
    data = ipaddress.IPv4Address(value).packed if record_type == "A" else _name(value)
    return _name(name) + struct.pack(">HHIH", _CODES[record_type], 1, _TTL, len(data)) + data


def _name(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode("ascii") for label in name.split(".")) + b"\0"
