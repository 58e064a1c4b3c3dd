"""Route 53's zones and the records in them, looked up by name."""

from typing import Any

from sandbox.provider.aws import Aws
from walk.dns_names import closest_zones


def find_record(aws: Aws, name: str, record_type: str) -> dict[str, Any] | None:
    """Return the record set that resolvers would find: the one in the closest zone above the name."""
    pages = aws.client("route53").get_paginator("list_hosted_zones").paginate()
    zones = closest_zones((zone for page in pages for zone in page["HostedZones"]), name)
    found = (record_in_zone(aws, zone["Id"], name, record_type) for zone in zones)
    return next((record for record in found if record is not None), None)


def record_in_zone(aws: Aws, zone: str, name: str, record_type: str, identifier: str = "") -> dict[str, Any] | None:
    """Return one record set of a zone, or None."""
    wanted = f"{name.rstrip('.').lower()}."
    for record in records_of_zone(aws, zone):
        same = record["Name"].replace("\\052", "*") == wanted and record["Type"] == record_type
        if same and record.get("SetIdentifier", "") == identifier:
            return record
    return None


def records_of_zone(aws: Aws, zone: str) -> list[dict[str, Any]]:
    """Return every record set of a zone."""
    pages = aws.client("route53").get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
    return [record for page in pages for record in page["ResourceRecordSets"]]
