"""EventBridge Scheduler: schedules.

Source: hashicorp/terraform-provider-aws, internal/service/scheduler/schedule.go.
"""

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from sandbox.provider.aws import Values
from sandbox.provider.blocks import Block
from sandbox.provider.call import Call, given, parameters
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.forms import ANYTHING, TEXT
from sandbox.provider.inputs import UNKNOWN
from sandbox.provider.refusals import ResourceRefusedError
from sandbox.provider.resource_type import ResourceType
from sandbox.provider.services.iam import role_of
from sandbox.schedule_expression import is_expression
from walk.policy import Act, evaluate


class Schedule(ResourceType):
    """`aws.scheduler.Schedule`."""

    pulumi_type = "aws:scheduler/schedule:Schedule"
    service = "scheduler"
    fields = (
        Field("name", required=True),
        Field("groupName", default="default"),
        Field("scheduleExpression", required=True),
        Field("scheduleExpressionTimezone", default="UTC"),
        Field("state", default="ENABLED"),
        Field(
            "flexibleTimeWindow",
            form=Block(Field("mode", required=True), "maximumWindowInMinutes"),
            required=True,
        ),
        Field(
            "target",
            form=Block(
                Field("arn", required=True),
                Field("roleArn", required=True),
                "input",
                Field("deadLetterConfig", form=Block("arn")),
                Field("retryPolicy", form=Block("maximumEventAgeInSeconds", "maximumRetryAttempts")),
                *unsupported(
                    *("ecsParameters", "eventbridgeParameters", "kinesisParameters"),
                    *("sagemakerPipelineParameters", "sqsParameters"),
                    form=ANYTHING,
                ),
            ),
            required=True,
        ),
        "description",
        Field("actionAfterCompletion", default="NONE"),
        *unsupported("startDate", "endDate", "kmsKeyArn", "namePrefix", form=TEXT),
        Output("arn", "Arn"),
    )
    autonamed = "name"
    replace_on_changes = frozenset({"name", "namePrefix", "groupName"})
    create_call = Call("CreateSchedule")
    identity = "{groupName}/{name}"
    identified_by = parameters(Name="{name}", GroupName="{groupName}")
    read_calls = (Call("GetSchedule"),)
    update_calls = (Call("UpdateSchedule"),)
    delete_call = Call("DeleteSchedule")

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse an expression or a time zone that Scheduler doesn't know.

        Source: "CreateSchedule", EventBridge Scheduler API Reference.
        """
        broken = []
        expression, zone = wanted["scheduleExpression"], wanted["scheduleExpressionTimezone"]
        if expression is not UNKNOWN and not is_expression(str(expression)):
            broken.append(("scheduleExpression", f"Invalid Schedule Expression {expression}"))
        if zone is not UNKNOWN and not _is_zone(zone):
            broken.append(("scheduleExpressionTimezone", f"{zone} is not a time zone of the IANA database"))
        return broken

    def check_references(self, wanted: Values, identity: str) -> None:
        """Refuse a role that Scheduler can't assume for schedules of this group.

        Source: "Set up the execution role", EventBridge Scheduler User Guide.
        """
        group = f"arn:aws:scheduler:{self.aws.region}:{self.aws.account_id}:schedule-group/{wanted['groupName']}"
        act = Act(
            service="scheduler.amazonaws.com",
            action="sts:AssumeRole",
            context={"aws:SourceAccount": self.aws.account_id, "aws:SourceArn": group},
        )
        role = role_of(self.aws.client("iam"), wanted["target"]["RoleArn"])
        verdict = evaluate(role["AssumeRolePolicyDocument"], act)
        if not verdict.allowed:
            raise ResourceRefusedError(
                "ValidationException",
                "The execution role you provide must allow AWS EventBridge Scheduler to assume the role: "
                f"{verdict.reason}",
                "target",
            )

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Send all of it: what an update of a schedule doesn't have is reset to its default."""
        self.client.update_schedule(**given(self.create_request(wanted)))


def _is_zone(name: str) -> bool:
    known = available_timezones() if name != "UTC" else ()
    return not known or name in known  # a machine may not have the database
