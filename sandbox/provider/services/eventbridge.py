"""EventBridge: rules and their targets.

Source: hashicorp/terraform-provider-aws, internal/service/events/{rule,target}.go.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.blocks import Block
from sandbox.provider.call import Call, given, parameters
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.forms import ANYTHING, BOOLEAN, JSON, TEXT, TEXTS
from sandbox.provider.refusals import ResourceRefusedError
from sandbox.provider.resource_type import Reference, ResourceType
from sandbox.provider.tags import Tags


class EventRule(ResourceType):
    """`aws.cloudwatch.EventRule`."""

    pulumi_type = "aws:cloudwatch/eventRule:EventRule"
    service = "events"
    fields = (
        Field("name", required=True),
        Field("eventBusName", default="default"),
        Field("eventPattern", form=JSON),
        "scheduleExpression",
        "description",
        "roleArn",
        Field("state", default="ENABLED"),
        Field("forceDestroy", "", BOOLEAN),
        *unsupported("isEnabled", form=BOOLEAN),
        *unsupported("namePrefix", form=TEXT),
        Output("arn", "Arn"),
    )
    tags = Tags("{arn}")
    autonamed = "name"
    replace_on_changes = frozenset({"name", "namePrefix", "eventBusName"})
    create_call = Call("PutRule")
    identity = "{name}"
    identified_by = parameters(Name="{id}", EventBusName="{eventBusName}")
    read_calls = (Call("DescribeRule"),)
    update_calls = (Call("PutRule"),)
    delete_call = Call("DeleteRule")
    references = (
        Reference(
            "eventBusName",
            Call("DescribeEventBus", Name="{eventBusName}"),
            "events",
            "the event bus {value} doesn't exist",
            "ResourceNotFoundException",
        ),
    )

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse a rule that nothing makes fire.

        Source: "PutRule", EventBridge API Reference.
        """
        if wanted["eventPattern"] is None and wanted["scheduleExpression"] is None:
            return [("eventPattern", "Parameter(s) EventPattern or ScheduleExpression must be specified")]
        return []


class EventTarget(ResourceType):
    """`aws.cloudwatch.EventTarget`."""

    pulumi_type = "aws:cloudwatch/eventTarget:EventTarget"
    service = "events"
    fields = (
        Field("rule", required=True),
        Field("targetId", "Targets[0].Id", required=True),
        Field("arn", "Targets[0].Arn", required=True),
        Field("eventBusName", default="default"),
        Field("input", "Targets[0].Input"),
        Field("inputPath", "Targets[0].InputPath"),
        Field(
            "inputTransformer",
            "Targets[0].InputTransformer",
            Block(Field("inputPaths", "InputPathsMap"), Field("inputTemplate", required=True)),
        ),
        Field("deadLetterConfig", "Targets[0].DeadLetterConfig", Block("arn")),
        Field("retryPolicy", "Targets[0].RetryPolicy", Block("maximumEventAgeInSeconds", "maximumRetryAttempts")),
        Field("roleArn", "Targets[0].RoleArn"),
        Field("forceDestroy", "", BOOLEAN),
        *unsupported(
            *("appsyncTarget", "batchTarget", "ecsTarget", "httpTarget", "kinesisTarget", "redshiftTarget"),
            *("sagemakerPipelineTarget", "sqsTarget"),
            form=ANYTHING,
        ),
        *unsupported("runCommandTargets", form=TEXTS),
    )
    autonamed = "targetId"
    replace_on_changes = frozenset({"rule", "targetId", "eventBusName"})
    create_call = Call("PutTargets")
    identity = "{rule}-{targetId}"
    references = (
        Reference(
            "rule",
            Call("DescribeRule", Name="{rule}", EventBusName="{eventBusName}"),
            "events",
            "Rule {value} does not exist on its event bus",
            "ResourceNotFoundException",
        ),
    )

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse several ways to say what is sent.

        Source: "PutTargets", EventBridge API Reference.
        """
        ways = [name for name in ("input", "inputPath", "inputTransformer") if wanted[name] is not None]
        if len(ways) > 1:
            return [(ways[1], "Only one of Input, InputPath, or InputTransformer must be provided")]
        return []

    def make(self, wanted: Values) -> str:
        """Put the target, which AWS may refuse in an answer that is no error."""
        self._put(wanted)
        return f"{wanted['rule']}-{wanted['targetId']}"

    def read(self, identity: str, state: Mapping[str, Any]) -> Any:
        """Return the target in the form of the request that made it."""
        bus = state.get("eventBusName") or "default"
        if not state.get("rule"):
            return None
        targets = self.client.list_targets_by_rule(Rule=state["rule"], EventBusName=bus)["Targets"]
        found = [target for target in targets if target["Id"] == state.get("targetId")]
        return {"Rule": state["rule"], "EventBusName": bus, "Targets": found} if found else None

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Put it again."""
        self._put(wanted)

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        """Remove the target."""
        where = {"Rule": state["rule"], "EventBusName": state.get("eventBusName") or "default"}
        self.client.remove_targets(**where, Ids=[state["targetId"]])

    def _put(self, wanted: Values) -> None:
        failed = self.client.put_targets(**given(self.create_request(wanted))).get("FailedEntries")
        if failed:
            raise ResourceRefusedError(failed[0]["ErrorCode"], failed[0]["ErrorMessage"])
