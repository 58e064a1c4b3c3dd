"""A DynamoDB table for the application's data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

import pulumi
import pulumi_aws as aws

from infra.grants import Grant
from infra.rules import check, checked_by, refuse

VARIABLE = "TABLE_NAME"
"""The variable that holds the table's name."""

ACTIONS = ("BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem")
"""What the function may do with the items; more is for the setting `policy`."""

MOST_NAME = 255
"""Bytes of a key attribute's name. Source: "Quotas in Amazon DynamoDB", DynamoDB Developer Guide."""

KEY = re.compile(r"\s*(?P<name>[^\s,:]+)(?::(?P<type>[SNB]))?\s*")


class Key(NamedTuple):
    """An attribute of a table's key: its name and its type, `S` (text), `N` (number) or `B` (bytes)."""

    name: str
    type: str


def check_table(key: str, given: str) -> None:
    """A table must have one key attribute or two, with different names."""
    if not given:
        return
    matches = [KEY.fullmatch(part) for part in given.split(",")]
    names = {match["name"] for match in matches if match}
    if len(matches) > 2 or None in matches or len(names) < len(matches):
        refuse(
            key,
            given,
            "a table's key is a partition key, or that and a sort key",
            "set one such as id, or customer,created:N where one of the two is a number",
        )
    if max(len(name.encode()) for name in names) > MOST_NAME:
        refuse(key, given, f"a key's name has {MOST_NAME} bytes at most", "set a shorter one")


@dataclass(frozen=True, kw_only=True)
class TableSettings:
    """The key of a table, and whether what holds data is protected."""

    table: str = field(default="", metadata=checked_by(check_table))
    protect: bool = False

    def __post_init__(self) -> None:
        """Checks the settings.

        Raises:
            ConfigError: the key is not the key of a table.
        """
        check(self)


class Table(pulumi.ComponentResource):
    """A table that is paid by the request, and can be restored to any second of the last 35 days.

    In another Pulumi program:

        import pulumi
        from infra.container_function import ContainerFunction, FunctionSettings
        from infra.table import Table, TableSettings

        table = Table("table", TableSettings(table="customer,created:N"), table_name="orders")
        ContainerFunction(
            "function",
            FunctionSettings(),
            function_name="shop",
            image_uri=pulumi.Config().require("image"),
            grants=[table.grant],
        )
    """

    grant: Grant
    table_name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: TableSettings,
        *,
        table_name: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dualmode:index:Table", name, None, opts)
        keys = keys_of(settings.table)
        table = aws.dynamodb.Table(
            f"{name}-table",
            name=table_name,
            billing_mode="PAY_PER_REQUEST",
            attributes=[aws.dynamodb.TableAttributeArgs(name=key.name, type=key.type) for key in keys],
            hash_key=keys[0].name,
            range_key=keys[1].name if len(keys) > 1 else None,
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
            deletion_protection_enabled=settings.protect,
            opts=pulumi.ResourceOptions(parent=self, protect=settings.protect),
        )
        self.table_name = table.name
        self.grant = Grant(
            name=name,
            statements=table.arn.apply(item_statements),
            variables={VARIABLE: table.name},
            stand_ins={VARIABLE: "table"},
        )
        self.register_outputs({"table_name": self.table_name})


def keys_of(given: str) -> list[Key]:
    """Returns the attributes of a key: `customer,created:N` is a text and a number."""
    matches = [KEY.fullmatch(part) for part in given.split(",")]
    return [Key(match["name"], match["type"] or "S") for match in matches if match]


def item_statements(table_arn: str) -> list[dict[str, object]]:
    """Returns the permissions on a table's items, also by an index."""
    actions = [f"dynamodb:{action}" for action in ACTIONS]
    return [{"Effect": "Allow", "Action": actions, "Resource": [table_arn, f"{table_arn}/index/*"]}]
