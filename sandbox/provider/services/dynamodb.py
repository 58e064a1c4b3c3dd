"""DynamoDB: tables that are paid by the request.

Source: hashicorp/terraform-provider-aws, internal/service/dynamodb/table.go.
"""

import time
from collections.abc import Mapping
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.blocks import Block, Blocks
from sandbox.provider.call import Call, given, parameters
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.forms import ANYTHING, BOOLEAN, INTEGER, TEXT, TEXTS
from sandbox.provider.inputs import UNKNOWN, is_known
from sandbox.provider.refusals import ResourceRefusedError
from sandbox.provider.resource_type import ResourceType
from sandbox.provider.tags import Tags

_PATIENCE = 600.0  # seconds
_RECOVERY = (
    "{Recovery: ContinuousBackupsDescription.PointInTimeRecoveryDescription.{"
    "PointInTimeRecoveryEnabled: PointInTimeRecoveryStatus == 'ENABLED', RecoveryPeriodInDays: RecoveryPeriodInDays}}"
)


class Table(ResourceType):
    """`aws.dynamodb.Table`, with billing mode PAY_PER_REQUEST."""

    pulumi_type = "aws:dynamodb/table:Table"
    service = "dynamodb"
    fields = (
        Field("name", "TableName", required=True),
        Field(
            "billingMode",
            required=True,
            allowed=("PAY_PER_REQUEST",),
            not_allowed="must be PAY_PER_REQUEST: the sandbox's provider makes tables that are paid by the request",
            answer="BillingModeSummary.BillingMode",
        ),
        Field(
            "attributes",
            "AttributeDefinitions",
            Blocks(Field("name", "AttributeName", required=True), Field("type", "AttributeType", required=True)),
            required=True,
        ),
        Field("hashKey", "", TEXT, required=True, answer="KeySchema[?KeyType=='HASH'].AttributeName | [0]"),
        Field("rangeKey", "", TEXT, answer="KeySchema[?KeyType=='RANGE'].AttributeName | [0]"),
        Field("deletionProtectionEnabled", default=False),
        Field(
            "pointInTimeRecovery",
            "",
            Block(
                Field("enabled", "PointInTimeRecoveryEnabled", BOOLEAN, required=True),
                Field("recoveryPeriodInDays", "RecoveryPeriodInDays", INTEGER, filled=35, supported=False),
            ),
            answer="Recovery",
            filled={"PointInTimeRecoveryEnabled": False},
        ),
        *unsupported(
            *("globalTableWitness", "importTable", "onDemandThroughput", "serverSideEncryption", "ttl"),
            "warmThroughput",
            form=ANYTHING,
        ),
        *unsupported("globalSecondaryIndexes", "localSecondaryIndexes", "replicas", form=TEXTS),
        *unsupported("readCapacity", "writeCapacity", form=INTEGER),
        *unsupported(
            *("restoreBackupArn", "restoreDateTime", "restoreSourceName", "restoreSourceTableArn", "streamViewType"),
            "tableClass",
            form=TEXT,
        ),
        *unsupported("restoreToLatestTime", "streamEnabled", form=BOOLEAN),
        Output("arn", "TableArn"),
        Output("streamArn", "LatestStreamArn"),
        Output("streamLabel", "LatestStreamLabel"),
    )
    tags = Tags("{arn}", listed="ListTagsOfResource")
    autonamed = "name"
    replace_on_changes = frozenset({"name", "hashKey", "rangeKey"})
    create_call = Call("CreateTable")
    identity = "{name}"
    identified_by = parameters(TableName="{id}")
    read_calls = (Call("DescribeTable", "Table"), Call("DescribeContinuousBackups", _RECOVERY))
    delete_call = Call("DeleteTable")

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse attributes that aren't those of the key.

        Source: "CreateTable", DynamoDB API Reference, and its refusals.
        """
        attributes, keys = wanted["attributes"], _keys(wanted)
        if attributes is UNKNOWN or not is_known(attributes) or not is_known(keys):
            return []
        defined = {attribute["AttributeName"] for attribute in attributes or ()}
        missing, unused = sorted(set(keys) - defined), sorted(defined - set(keys))
        if missing:
            return [("attributes", f"the key {missing[0]} is not among the attributes")]
        if unused:
            return [("attributes", f"the attribute {unused[0]} is in no key: DynamoDB takes attributes of keys only")]
        return []

    def create_request(self, wanted: Values) -> Values:
        """Return the request with the key."""
        kinds = zip(_keys(wanted), ("HASH", "RANGE"), strict=False)
        schema = [{"AttributeName": name, "KeyType": kind} for name, kind in kinds]
        return {**super().create_request(wanted), "KeySchema": schema}

    def finish(self, identity: str, wanted: Values) -> None:
        """Wait until the table is there, and turn on its recovery."""
        super().finish(identity, wanted)
        self._settle(identity)
        self._set_recovery(identity, wanted["pointInTimeRecovery"])

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Change what has a call of its own: protection, recovery and tags."""
        if wanted["deletionProtectionEnabled"] != old.get("deletionProtectionEnabled"):
            self.client.update_table(TableName=identity, DeletionProtectionEnabled=wanted["deletionProtectionEnabled"])
            self._settle(identity)
        self._set_recovery(identity, wanted["pointInTimeRecovery"])
        super().update(identity, wanted, old)

    def _set_recovery(self, name: str, wanted: Values | None) -> None:
        if wanted is not None:
            self.client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=given(wanted))

    def _settle(self, name: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while (status := self.client.describe_table(TableName=name)["Table"]["TableStatus"]) != "ACTIVE":
            if time.monotonic() > deadline:
                raise ResourceRefusedError("ResourceNotReady", f"the table was still {status} after {_PATIENCE:.0f} s")
            time.sleep(0.05)


def _keys(wanted: Values) -> list[Any]:
    return [wanted[name] for name in ("hashKey", "rangeKey") if wanted[name]]
