"""CloudWatch Logs: log groups, and metrics made from their lines.

Source: hashicorp/terraform-provider-aws, internal/service/logs/{group,metric_filter}.go.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.blocks import Block
from sandbox.provider.call import Call, parameters
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.forms import BOOLEAN, INTEGER, MAP, TEXT
from sandbox.provider.resource_type import ResourceType
from sandbox.provider.tags import Tags

# Source: "PutRetentionPolicy", CloudWatch Logs API Reference. 0 is the provider's word for "for ever".
_RETENTIONS = (
    *(0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


class LogGroup(ResourceType):
    """`aws.cloudwatch.LogGroup`."""

    pulumi_type = "aws:cloudwatch/logGroup:LogGroup"
    service = "logs"
    fields = (
        Field("name", "logGroupName", required=True),
        Field("logGroupClass", filled="STANDARD"),
        Field(
            "retentionInDays",
            "",
            INTEGER,
            answer="retentionInDays",
            default=0,
            allowed=_RETENTIONS,
            not_allowed="{value} days is not a retention: AWS takes {allowed}",
        ),
        Field("skipDestroy", "", BOOLEAN),
        *unsupported("namePrefix", form=TEXT),
        *unsupported("deletionProtectionEnabled", "kmsKeyId"),
        Output("arn", "arn"),
    )
    tags = Tags("{arn}")
    autonamed = "name"
    replace_on_changes = frozenset({"name", "namePrefix", "logGroupClass"})
    create_call = Call("CreateLogGroup")
    identity = "{name}"
    identified_by = parameters(logGroupName="{id}")
    read_calls = (Call("DescribeLogGroups", "logGroups[?logGroupName=='{id}'] | [0]", logGroupNamePrefix="{id}"),)
    delete_call = Call("DeleteLogGroup")

    def finish(self, identity: str, wanted: Values) -> None:
        """Say how long the group keeps what is written."""
        super().finish(identity, wanted)
        self._retain(identity, wanted["retentionInDays"])

    def read(self, identity: str, state: Mapping[str, Any]) -> Any:
        """Return the group with its ARN in the form that all other resources take."""
        group = super().read(identity, state)
        return group and {**group, "arn": group["arn"].removesuffix(":*")}

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Change the retention, which has calls of its own."""
        self._retain(identity, wanted["retentionInDays"])
        super().update(identity, wanted, old)

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        """Remove the group unless the program wants it kept."""
        if not state.get("skipDestroy"):
            super().delete(identity, state)

    def _retain(self, name: str, days: int) -> None:
        if days:
            self.client.put_retention_policy(logGroupName=name, retentionInDays=days)
        else:
            self.client.delete_retention_policy(logGroupName=name)


class LogMetricFilter(ResourceType):
    """`aws.cloudwatch.LogMetricFilter`."""

    pulumi_type = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
    service = "logs"
    fields = (
        Field("name", "filterName", required=True),
        Field("logGroupName", required=True),
        Field("pattern", "filterPattern", required=True),
        Field(
            "metricTransformation",
            "metricTransformations[0]",
            Block(
                Field("name", "metricName", required=True),
                Field("namespace", "metricNamespace", required=True),
                Field("value", "metricValue", required=True),
                Field("defaultValue", "defaultValue"),
                Field("dimensions", "dimensions", MAP),
                Field("unit", "unit", filled="None"),
            ),
            required=True,
        ),
        *unsupported("applyOnTransformedLogs", form=BOOLEAN),
    )
    autonamed = "name"
    replace_on_changes = frozenset({"name", "logGroupName"})
    create_call = Call("PutMetricFilter")
    identity = "{name}"
    read_calls = (
        Call(
            "DescribeMetricFilters",
            "metricFilters[?filterName=='{id}'] | [0]",
            logGroupName="{logGroupName}",
            filterNamePrefix="{id}",
        ),
    )
    update_calls = (Call("PutMetricFilter"),)
    delete_call = Call("DeleteMetricFilter", logGroupName="{logGroupName}", filterName="{id}")

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse what excludes each other. Source: `MetricTransformation`, CloudWatch Logs API Reference."""
        made = wanted["metricTransformation"]
        if isinstance(made, Mapping) and made.get("dimensions") and made.get("defaultValue") is not None:
            return [("metricTransformation", "a metric with dimensions can't have a defaultValue")]
        return []
