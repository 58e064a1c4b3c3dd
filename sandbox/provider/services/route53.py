"""Route 53: records.

Source: hashicorp/terraform-provider-aws, internal/service/route53/record.go.
"""

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.blocks import OneBlock
from sandbox.provider.call import Call, given
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.forms import ANYTHING, BOOLEAN, TEXT, TEXTS, Form, Plain
from sandbox.provider.inputs import UNKNOWN, Inputs
from sandbox.provider.refusals import ResourceRefusedError, or_none
from sandbox.provider.resource_type import ResourceType
from sandbox.provider.zones import record_in_zone, records_of_zone

_ADDRESSES: Mapping[str, Callable[[str], object]] = MappingProxyType({"A": IPv4Address, "AAAA": IPv6Address})


def _name(name: Any) -> Any:
    return name if name is UNKNOWN else str(name).removesuffix(".").lower()


def _zone_id(zone: Any) -> Any:
    return zone if zone is UNKNOWN else str(zone).removeprefix("/hostedzone/")


def _values(inputs: Inputs, key: str) -> Any:
    values = inputs.texts(key)
    return values if values in (None, UNKNOWN) else [{"Value": value} for value in values]


def _weight(inputs: Inputs, key: str) -> Any:
    policy = inputs.only(key)
    return policy.integer("weight") if policy else None


_NAME = Plain(lambda inputs, key: _name(inputs.required(key)), _name, str)
_ZONE_ID = Plain(lambda inputs, key: _zone_id(inputs.required(key)), _zone_id, str)
_VALUES = Plain(_values, lambda found: [value["Value"] for value in found], list)
_WEIGHT = Plain(_weight, lambda found: [{"weight": found}], list)
_SECONDS = Plain(Inputs.integer, int, ANYTHING.empty)
_TARGET = Plain(Inputs.text, _name, str)


def _part(name: str, member: str, form: Form | None = None, *, required: bool = False) -> Field:
    """Return an input that is a member of the one record in the request, and of the record in the answer."""
    at = f"ChangeBatch.Changes[0].ResourceRecordSet.{member}"
    return Field(name, at, form, required=required, answer=member)


class Record(ResourceType):
    """`aws.route53.Record`, with simple or weighted routing."""

    pulumi_type = "aws:route53/record:Record"
    service = "route53"
    regional = False
    fields = (
        Field("zoneId", "HostedZoneId", _ZONE_ID, required=True),
        _part("name", "Name", _NAME, required=True),
        _part("type", "Type", required=True),
        _part("ttl", "TTL", _SECONDS),
        _part("setIdentifier", "SetIdentifier"),
        _part("weightedRoutingPolicies", "Weight", _WEIGHT),
        _part("records", "ResourceRecords", _VALUES),
        _part(
            "aliases",
            "AliasTarget",
            OneBlock(
                Field("zoneId", "HostedZoneId", required=True),
                Field("name", "DNSName", _TARGET, required=True),
                Field("evaluateTargetHealth", default=False),
            ),
        ),
        Field("allowOverwrite", "", BOOLEAN),
        *unsupported("failoverRoutingPolicies", "geolocationRoutingPolicies", "latencyRoutingPolicies", form=TEXTS),
        *unsupported("cidrRoutingPolicy", "geoproximityRoutingPolicy", form=ANYTHING),
        *unsupported("multivalueAnswerRoutingPolicy", form=BOOLEAN),
        *unsupported("healthCheckId", form=TEXT),
        Output("fqdn", "Fqdn"),
    )
    replace_on_changes = frozenset({"name", "zoneId"})
    normalised = frozenset({"name"})  # lower case, without the trailing dot
    create_call = Call("ChangeResourceRecordSets")

    def read_inputs(self, inputs: Inputs) -> Values:
        """Refuse values together with an alias, and values without a time to live."""
        wanted = super().read_inputs(inputs)
        values = wanted["records"]
        if (wanted["aliases"] is None) == (values is None):
            inputs.fail("records", "either records or an alias must be given, not both")
        if (wanted["ttl"] is None) != (values is None):
            inputs.fail("ttl", "must be given with records, and only with them")
        return wanted

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse what is not a valid address."""
        record_type, values = wanted["type"], wanted["records"]
        if record_type not in _ADDRESSES or not isinstance(values, list):
            return []
        return [
            ("records", f"'{entry['Value']}' is not a valid address for a record of type {record_type}")
            for entry in values
            if entry["Value"] is not UNKNOWN and not _is_address(entry["Value"], _ADDRESSES[record_type])
        ]

    def create_request(self, wanted: Values) -> Values:
        """Return the change of one record, over another one only where the program says so."""
        request = super().create_request(wanted)
        request["ChangeBatch"]["Changes"][0]["Action"] = "UPSERT" if wanted["allowOverwrite"] is True else "CREATE"
        return request

    def make(self, wanted: Values) -> str:
        """Make the record by its full name."""
        complete = {**wanted, "name": self._full_name(wanted["zoneId"], wanted["name"])}
        super().make(complete)
        parts = (complete[name] for name in ("zoneId", "name", "type", "setIdentifier"))
        return "_".join(part for part in parts if part)

    def locate(self, wanted: Values) -> str | None:
        """Return the name of a record that is there already."""
        name = self._full_name(wanted["zoneId"], wanted["name"])
        found = record_in_zone(self.aws, wanted["zoneId"], name, wanted["type"], wanted["setIdentifier"] or "")
        return name if found else None

    def read(self, identity: str, state: Mapping[str, Any]) -> Any:
        """Return the record, with its name as the program has it."""
        record = self._record(state)
        if record is None:
            return None
        full_name = record["Name"].replace("\\052", "*").rstrip(".")
        return {**record, "HostedZoneId": state.get("zoneId"), "Name": state.get("name"), "Fqdn": full_name}

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Change the record; another type or set is another record, which replaces the old one at once."""
        name = self._full_name(wanted["zoneId"], wanted["name"])
        request = self.create_request({**wanted, "name": name, "allowOverwrite": True})
        moved = old["type"] != wanted["type"] or (old.get("setIdentifier") or "") != (wanted["setIdentifier"] or "")
        before = self._record({**old, "zoneId": wanted["zoneId"], "name": name}) if moved else None
        if before:
            request["ChangeBatch"]["Changes"].insert(0, {"Action": "DELETE", "ResourceRecordSet": before})
        self.client.change_resource_record_sets(**given(request))

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        """Remove the record as it is now."""
        record = self._record(state)
        if record is not None:
            changes = [{"Action": "DELETE", "ResourceRecordSet": record}]
            zone = _zone_id(state["zoneId"])
            self.client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})

    def equivalent(self, name: str, given: Any, found: Any) -> bool:
        """Treat names as equal regardless of case and of a final dot."""
        if name == "name":
            return bool(_name(given) == found)
        if name == "aliases" and given and found:
            return all({**one, "name": _name(one["name"])} == other for one, other in zip(given, found, strict=False))
        return super().equivalent(name, given, found)

    def check_references(self, wanted: Values, identity: str) -> None:
        """Refuse a zone that doesn't exist, and records that can't exist side by side."""
        zone, record_type = wanted["zoneId"], wanted["type"]
        name = or_none(lambda: self._full_name(zone, wanted["name"]))
        if name is None:
            raise ResourceRefusedError("NoSuchHostedZone", f"No hosted zone found with ID: {zone}", "zoneId")
        same = [
            existing
            for existing in records_of_zone(self.aws, zone)
            if existing["Name"].replace("\\052", "*") == f"{name}."
        ]
        others = {other["Type"] for other in same} - {record_type}
        if others and "CNAME" in (record_type, *others):
            raise ResourceRefusedError(
                "InvalidChangeBatch",
                f"RRSet of type {record_type} with DNS name {name}. is not permitted as it conflicts with "
                f"other records with the same DNS name ({', '.join(sorted(others))}): a CNAME stands alone",
            )

    def _record(self, state: Mapping[str, Any]) -> dict[str, Any] | None:
        zone = _zone_id(str(state.get("zoneId")))
        name = self._full_name(zone, _name(str(state.get("name"))))
        return record_in_zone(self.aws, zone, name, str(state.get("type")), state.get("setIdentifier") or "")

    def _full_name(self, zone: str, name: str) -> str:
        """Return the record's name with its zone's, which a program may leave out."""
        zone_name = str(self.client.get_hosted_zone(Id=zone)["HostedZone"]["Name"]).rstrip(".")
        if name == zone_name or name.endswith(f".{zone_name}"):
            return name
        return f"{name}.{zone_name}" if name else zone_name


def _is_address(text: str, read: Callable[[str], object]) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True
