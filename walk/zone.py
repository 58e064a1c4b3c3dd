"""The hosted zones of an account that hold a name, and where their records lead it."""

from dataclasses import dataclass
from typing import Any

from walk.account import Account
from walk.dns_names import closest_zones, records_for
from walk.queries import every, read
from walk.trace import forbidden

_LONGEST_CHAIN = 8  # resolvers follow about as many


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """Where a name leads: the target of its record, None if the account has no zone for it, and that in words."""

    target: str | None
    record: str


def zones_of(account: Account, name: str) -> list[dict[str, Any]]:
    """The account's public zones that match the name most closely."""
    return closest_zones(every(account.client("route53"), "list_hosted_zones", "HostedZones"), name)


def lead_of(account: Account, zones: list[dict[str, Any]], name: str) -> Lead:
    """Follow the record of a name in the zones that hold it, an A alias or a CNAME, until it leads out of them.

    Raises:
        RequestRefusedError: 403 if there is none.
    """
    if not zones:
        return Lead(target=None, record="no public hosted zone of the account holds this name")
    lead = _next(account, zones, name)
    for _ in range(_LONGEST_CHAIN):
        if lead.target is None or not closest_zones(zones, lead.target):
            return lead
        following = _next(account, zones, lead.target)
        lead = Lead(target=following.target, record=f"{lead.record} to {lead.target}, {following.record}")
    raise forbidden("record", name, f"its records lead on and on: {lead.record}", "record-loop")


def _next(account: Account, zones: list[dict[str, Any]], name: str) -> Lead:
    route53 = account.client("route53")
    others: set[str] = set()
    for zone in zones:
        records = every(route53, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone["Id"])
        answering = records_for(records, name)
        for record in answering:
            zone_id = zone["Id"].rpartition("/")[2]
            if record["Type"] == "A" and "AliasTarget" in record:
                return Lead(target=_bare(record["AliasTarget"]["DNSName"]), record=f"A alias in zone {zone_id}")
            if record["Type"] == "CNAME" and record.get("ResourceRecords"):
                return Lead(target=_bare(record["ResourceRecords"][0]["Value"]), record=f"CNAME in zone {zone_id}")
        others |= {record["Type"] + (" alias" if "AliasTarget" in record else "") for record in answering}
    has = f"only {' and '.join(sorted(others))}" if others else "nothing"
    reason = f"zone {in_words(zones[0])} has {has} for it, but API Gateway is reached by an A alias or a CNAME"
    raise forbidden("record", name, reason, "record-kind" if others else "record-missing")


def name_servers(account: Account, zones: list[dict[str, Any]]) -> list[set[str]]:
    """The name servers of each zone, as Route 53 gave them."""
    found = (
        read(account.client("route53"), "get_hosted_zone", absent="NoSuchHostedZone", Id=zone["Id"]) for zone in zones
    )
    return [{_bare(server) for server in zone["DelegationSet"]["NameServers"]} for zone in found if zone is not None]


def in_words(zone: dict[str, Any]) -> str:
    """A zone's name and id."""
    return f"{zone['Name'].rstrip('.')} ({zone['Id'].rpartition('/')[2]})"


def _bare(name: str) -> str:
    return name.rstrip(".").lower()
