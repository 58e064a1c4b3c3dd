"""Route 53's zones and the records in them, looked up by name."""

from typing import Any

from sandbox.provider.kind import Aws


def public_zones(aws: Aws) -> list[dict[str, Any]]:
    """Return every public hosted zone of the account."""
    pages = aws.client("route53").get_paginator("list_hosted_zones").paginate()
    return [zone for page in pages for zone in page["HostedZones"] if not zone.get("Config", {}).get("PrivateZone")]


def find_record(aws: Aws, name: str, kind: str) -> dict[str, Any] | None:
    """Return the record set that resolvers would find: the one in the closest zone above the name."""
    wanted = f"{name.rstrip('.').lower()}."
    zones = [zone for zone in public_zones(aws) if wanted == zone["Name"] or wanted.endswith(f".{zone['Name']}")]
    closest = max(zones, key=lambda zone: len(zone["Name"]), default=None)
    return None if closest is None else record_in_zone(aws, closest["Id"], wanted, kind)


def record_in_zone(aws: Aws, zone: str, name: str, kind: str, identifier: str = "") -> dict[str, Any] | None:
    """Return one record set of a zone, or None."""
    wanted = f"{name.rstrip('.').lower()}."
    for record in records_of_zone(aws, zone):
        same = record["Name"].replace("\\052", "*") == wanted and record["Type"] == kind
        if same and record.get("SetIdentifier", "") == identifier:
            return record
    return None


def records_of_zone(aws: Aws, zone: str) -> list[dict[str, Any]]:
    """Return every record set of a zone."""
    pages = aws.client("route53").get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
    return [record for page in pages for record in page["ResourceRecordSets"]]
