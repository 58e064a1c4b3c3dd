# ruff: noqa: D102  what each method means is said once, in kind.py
"""Route 53: records.

Source: hashicorp/terraform-provider-aws, internal/service/route53/record.go.
"""

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provider.inputs import UNKNOWN, Inputs
from sandbox.provider.kind import Kind, Values, given
from sandbox.provider.refusals import ResourceRefusedError, is_missing
from sandbox.provider.zones import record_in_zone, records_of_zone

_ADDRESSES: Mapping[str, Callable[[str], object]] = MappingProxyType({"A": IPv4Address, "AAAA": IPv6Address})


class Record(Kind):
    """`aws.route53.Record`, with simple or weighted routing."""

    pulumi_type = "aws:route53/record:Record"
    service = "route53"
    operation = "ChangeResourceRecordSets"
    replaces = frozenset({"name", "zoneId"})
    settled = frozenset({"name"})  # lower case, without the trailing dot

    def request(self, inputs: Inputs) -> Values:
        inputs.unsupported(
            *(
                "cidrRoutingPolicy",
                "failoverRoutingPolicies",
                "geolocationRoutingPolicies",
                "geoproximityRoutingPolicy",
            ),
            *("healthCheckId", "latencyRoutingPolicies", "multivalueAnswerRoutingPolicy"),
        )
        alias = inputs.only("alias", "aliases")
        weighted = inputs.only("policy", "weightedRoutingPolicies")
        values, ttl = inputs.texts("records"), inputs.integer("ttl")
        if (alias is None) == (values is None):
            inputs.fail("records", "either records or an alias must be given, and not both")
        if (ttl is None) != (values is None):
            inputs.fail("ttl", "goes with records, and only with them")
        record = {
            "Name": _name(inputs.required("name")),
            "Type": inputs.required("type"),
            "TTL": ttl,
            "SetIdentifier": inputs.text("setIdentifier"),
            "Weight": weighted.integer("weight") if weighted else None,
            "ResourceRecords": values if values in (None, UNKNOWN) else [{"Value": value} for value in values],
            "AliasTarget": {
                "HostedZoneId": alias.required("zoneId"),
                "DNSName": alias.required("name"),
                "EvaluateTargetHealth": alias.boolean("evaluateTargetHealth", False),
            }
            if alias
            else None,
        }
        action = "UPSERT" if inputs.boolean("allowOverwrite", False) is True else "CREATE"
        return {
            "HostedZoneId": _zone_id(inputs.required("zoneId")),
            "ChangeBatch": {"Changes": [{"Action": action, "ResourceRecordSet": record}]},
        }

    def create(self, request: Values) -> str:
        record = request["ChangeBatch"]["Changes"][0]["ResourceRecordSet"]
        self._refer(request, record)
        self.client.change_resource_record_sets(**given(request))
        return "_".join(
            part for part in (request["HostedZoneId"], record["Name"], record["Type"], record["SetIdentifier"]) if part
        )

    def limits(self, request: Values) -> list[tuple[str, str]]:
        record = request["ChangeBatch"]["Changes"][0]["ResourceRecordSet"]
        kind, values = record["Type"], record["ResourceRecords"]
        if kind not in _ADDRESSES or not isinstance(values, list):
            return []
        return [
            ("records", f"'{entry['Value']}' is not a valid address for a record of type {kind}")
            for entry in values
            if entry["Value"] is not UNKNOWN and not _is_address(entry["Value"], _ADDRESSES[kind])
        ]

    def equivalent(self, key: str, given: Any, found: Any) -> bool:
        if key == "name":
            return bool(_name(given) == found)
        if key == "aliases" and given and found:
            return all({**one, "name": _name(one["name"])} == other for one, other in zip(given, found, strict=False))
        return super().equivalent(key, given, found)

    def locate(self, request: Values) -> str | None:
        record = request["ChangeBatch"]["Changes"][0]["ResourceRecordSet"]
        zone = request["HostedZoneId"]
        name = self._full_name(zone, record["Name"])
        found = record_in_zone(self.aws, zone, name, record["Type"], record["SetIdentifier"] or "")
        return name if found else None

    def read(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        zone = _zone_id(str(state.get("zoneId")))
        try:
            name = self._full_name(zone, _name(str(state.get("name"))))
            record = record_in_zone(self.aws, zone, name, str(state.get("type")), state.get("setIdentifier") or "")
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        if record is None:
            return None
        alias = record.get("AliasTarget")
        return {
            **dict.fromkeys(("cidrRoutingPolicy", "geoproximityRoutingPolicy")),
            **{key: [] for key in ("failoverRoutingPolicies", "geolocationRoutingPolicies", "latencyRoutingPolicies")},
            "aliases": [
                {
                    "evaluateTargetHealth": bool(alias.get("EvaluateTargetHealth")),
                    "name": alias["DNSName"].rstrip(".").lower(),
                    "zoneId": alias["HostedZoneId"],
                }
            ]
            if alias
            else [],
            "allowOverwrite": bool(state.get("allowOverwrite")),
            "fqdn": record["Name"].replace("\\052", "*").rstrip("."),
            "healthCheckId": record.get("HealthCheckId", ""),
            "multivalueAnswerRoutingPolicy": False,
            "name": _name(str(state.get("name"))),
            "records": [value["Value"] for value in record.get("ResourceRecords") or []],
            "setIdentifier": record.get("SetIdentifier", ""),
            "ttl": record.get("TTL"),
            "type": record["Type"],
            "weightedRoutingPolicies": [{"weight": record["Weight"]}] if "Weight" in record else [],
            "zoneId": zone,
        }

    def update(self, identity: str, request: Values, old: Mapping[str, Any]) -> None:
        record = request["ChangeBatch"]["Changes"][0]["ResourceRecordSet"]
        zone = request["HostedZoneId"]
        self._refer(request, record)
        before = record_in_zone(self.aws, zone, record["Name"], old["type"], old.get("setIdentifier") or "")
        moved = old["type"] != record["Type"] or (old.get("setIdentifier") or "") != (record["SetIdentifier"] or "")
        changes: list[Values] = [{"Action": "UPSERT", "ResourceRecordSet": record}]
        if moved and before:
            changes.insert(0, {"Action": "DELETE", "ResourceRecordSet": before})
        self.client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=given({"Changes": changes}))

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        zone = _zone_id(str(state["zoneId"]))
        try:
            name = self._full_name(zone, _name(str(state["name"])))
            record = record_in_zone(self.aws, zone, name, str(state["type"]), state.get("setIdentifier") or "")
            if record is not None:
                changes = [{"Action": "DELETE", "ResourceRecordSet": record}]
                self.client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
        except ClientError as error:
            if not is_missing(error):
                raise

    def _full_name(self, zone: str, name: str) -> str:
        """Return the record's name with its zone's, which a program may leave out."""
        zone_name = str(self.client.get_hosted_zone(Id=zone)["HostedZone"]["Name"]).rstrip(".")
        if name == zone_name or name.endswith(f".{zone_name}"):
            return name
        return f"{name}.{zone_name}" if name else zone_name

    def _refer(self, request: Values, record: Values) -> None:
        """Complete the record's name; refuse a zone that isn't there, and records that can't stand side by side."""
        zone = request["HostedZoneId"]
        try:
            record["Name"] = self._full_name(zone, record["Name"])
        except ClientError as error:
            if not is_missing(error):
                raise
            raise ResourceRefusedError("NoSuchHostedZone", f"No hosted zone found with ID: {zone}", "zoneId") from None
        same = [
            existing
            for existing in records_of_zone(self.aws, zone)
            if existing["Name"].replace("\\052", "*") == f"{record['Name']}."
        ]
        others = {other["Type"] for other in same} - {record["Type"]}
        if others and "CNAME" in (record["Type"], *others):
            raise ResourceRefusedError(
                "InvalidChangeBatch",
                f"RRSet of type {record['Type']} with DNS name {record['Name']}. is not permitted as it conflicts with "
                f"other records with the same DNS name ({', '.join(sorted(others))}): a CNAME stands alone",
            )


def _is_address(text: str, read: Callable[[str], object]) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


def _name(name: Any) -> Any:
    return name if name is UNKNOWN else str(name).removesuffix(".").lower()


def _zone_id(zone: Any) -> Any:
    return zone if zone is UNKNOWN else str(zone).removeprefix("/hostedzone/")
