"""Names in DNS: which zones hold one, and which certificates cover it."""

from collections.abc import Iterable
from typing import Any


def closest_zones(zones: Iterable[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """The public hosted zones that match a name most closely; several if they have the same name."""
    wanted = f".{name.rstrip('.').lower()}."
    holding = [
        zone
        for zone in zones
        if wanted.endswith(f".{zone['Name'].lower()}") and not zone.get("Config", {}).get("PrivateZone")
    ]
    longest = max((len(zone["Name"]) for zone in holding), default=0)
    return [zone for zone in holding if len(zone["Name"]) == longest]


def records_for(records: Iterable[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """The records of a zone that answer for a name: its own, or a wildcard's if the name has none."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        by_name.setdefault(record["Name"].rstrip(".").lower().replace("\\052", "*"), []).append(record)
    wildcard = "*." + name.partition(".")[2]
    return by_name.get(name) or by_name.get(wildcard, [])


def covers(covered: str, name: str) -> bool:
    """Say whether a certificate's name covers a domain: itself, or one label below a wildcard."""
    covered, name = covered.lower(), name.lower()
    label, _, parent = name.partition(".")
    return covered == name or (bool(label) and covered == f"*.{parent}")
