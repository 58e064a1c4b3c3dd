# ruff: noqa: D102  what each method means is said once, in kind.py
"""CloudWatch Logs: log groups.

Source: hashicorp/terraform-provider-aws, internal/service/logs/group.go.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provider.inputs import UNKNOWN, Inputs
from sandbox.provider.kind import Kind, Values, given, region_of
from sandbox.provider.refusals import is_missing

# Source: "PutRetentionPolicy", CloudWatch Logs API Reference. 0 is the provider's word for "for ever".
_RETENTIONS = (
    0,
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)


class LogGroup(Kind):
    """`aws.cloudwatch.LogGroup`."""

    pulumi_type = "aws:cloudwatch/logGroup:LogGroup"
    service = "logs"
    operation = "CreateLogGroup"
    spelt = MappingProxyType({"logGroupName": "name"})
    replaces = frozenset({"name", "namePrefix", "logGroupClass"})
    autonamed = "name"

    def request(self, inputs: Inputs) -> Values:
        region_of(self.aws, inputs)
        inputs.unsupported("namePrefix", "deletionProtectionEnabled", "kmsKeyId")
        inputs.boolean("skipDestroy", False)
        return {
            "logGroupName": inputs.required("name"),
            "logGroupClass": inputs.text("logGroupClass"),
            "tags": inputs.names("tags") or None,
            "retention": inputs.integer("retentionInDays", 0),
        }

    def limits(self, request: Values) -> list[tuple[str, str]]:
        days = request["retention"]
        if days is UNKNOWN or days in _RETENTIONS:
            return []
        return [("retentionInDays", f"{days} days is not a retention: AWS takes {', '.join(map(str, _RETENTIONS))}")]

    def create(self, request: Values) -> str:
        name = str(request["logGroupName"])
        self.client.create_log_group(**given({key: value for key, value in request.items() if key != "retention"}))
        self._retain(name, request["retention"])
        return name

    def locate(self, request: Values) -> str | None:
        return str(request["logGroupName"]) if self.read(request["logGroupName"], {}) else None

    def read(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        groups = self.client.describe_log_groups(logGroupNamePrefix=identity)["logGroups"]
        group = next((group for group in groups if group["logGroupName"] == identity), None)
        if group is None:
            return None
        arn = group["arn"].removesuffix(":*")
        tags = self.client.list_tags_for_resource(resourceArn=arn).get("tags") or {}
        return {
            "arn": arn,
            "deletionProtectionEnabled": bool(group.get("deletionProtectionEnabled")),
            "kmsKeyId": group.get("kmsKeyId", ""),
            "logGroupClass": group.get("logGroupClass", "STANDARD"),
            "name": identity,
            "namePrefix": "",
            "region": self.aws.region,
            "retentionInDays": group.get("retentionInDays", 0),
            "skipDestroy": bool(state.get("skipDestroy")),
            "tags": tags,
            "tagsAll": tags,
        }

    def update(self, identity: str, request: Values, old: Mapping[str, Any]) -> None:
        self._retain(identity, request["retention"])
        wanted = request["tags"] or {}
        gone = [key for key in old.get("tags") or {} if key not in wanted]
        if gone:
            self.client.untag_resource(resourceArn=old["arn"], tagKeys=gone)
        if wanted:
            self.client.tag_resource(resourceArn=old["arn"], tags=wanted)

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        if state.get("skipDestroy"):
            return
        try:
            self.client.delete_log_group(logGroupName=identity)
        except ClientError as error:
            if not is_missing(error):
                raise

    def _retain(self, name: str, days: int) -> None:
        if days:
            self.client.put_retention_policy(logGroupName=name, retentionInDays=days)
        else:
            self.client.delete_retention_policy(logGroupName=name)
