"""Schedules: requests to paths of the application, at a rate or by a cron expression, from EventBridge Scheduler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import available_timezones

import pulumi
import pulumi_aws as aws

from infra.dead_letters import DeadLetters
from infra.job_entries import Entries, check_entries, json_value, text
from infra.rules import check, checked_by, refuse
from infra.schedule_expression import cron_mistake, is_rate
from infra.scheduler_role import scheduler_role

METHODS = ("POST", "GET", "PUT", "PATCH", "DELETE")

LONGEST_EVENT_AGE = 3600
"""Seconds that Scheduler tries to hand an event to Lambda; one that is late is worth less than the next one."""

ATTEMPTS = 3
"""Times that Scheduler tries again in that time."""


def check_schedules(key: str, entries: Entries) -> None:
    """Each schedule must have a time and a request that can be."""
    check_entries(
        key, entries, required=("name", "path"), optional=("rate", "cron", "timeZone", "method", "body", "enabled")
    )
    for place, entry in enumerate(entries):
        where = f"{key}[{place}]"
        if ("rate" in entry) == ("cron" in entry):
            refuse(where, ", ".join(entry), "a schedule has a rate or a cron expression", "set one of the two")
        if "rate" in entry:
            rate = text(f"{where}.rate", entry["rate"])
            if not is_rate(rate):
                refuse(
                    f"{where}.rate", rate, "a rate is a number of minutes, hours or days", "write 1 minute or 6 hours"
                )
            if "timeZone" in entry:
                refuse(f"{where}.timeZone", entry["timeZone"], "a rate has no time zone", "remove it, or set cron")
        else:
            cron = text(f"{where}.cron", entry["cron"])
            mistake = cron_mistake(cron)
            if mistake:
                refuse(f"{where}.cron", cron, mistake, "write one such as 30 3 * * ? *, every day at 3:30")
            check_time_zone(f"{where}.timeZone", text(f"{where}.timeZone", entry.get("timeZone", "UTC")))
        method = entry.get("method", "POST")
        if method not in METHODS:
            refuse(
                f"{where}.method", method, "a schedule sends one of a few methods", f"set one of {', '.join(METHODS)}"
            )
        if "body" in entry:
            if method == "GET":
                refuse(f"{where}.body", "...", "a GET request has no body", "remove it, or set method to POST")
            json_value(f"{where}.body", entry["body"])
        if str(entry.get("enabled", True)).lower() not in ("true", "false"):
            refuse(f"{where}.enabled", entry["enabled"], "a schedule is on or off", "set true or false")


def check_time_zone(key: str, name: str) -> None:
    """A time zone must be one of the IANA database, as far as this machine has it."""
    known = available_timezones() if name != "UTC" else ()
    if known and name not in known:
        refuse(key, name, "it is not in the IANA time zone database", "set one such as Europe/Berlin")


@dataclass(frozen=True, kw_only=True)
class ScheduleSettings:
    """Requests that the application gets by the clock."""

    schedules: Entries = field(default=(), metadata=checked_by(check_schedules))

    def __post_init__(self) -> None:
        """Checks the settings.

        Raises:
            ConfigError: a schedule can't be.
        """
        check(self)

    @property
    def routes(self) -> dict[str, str]:
        """Method and path of each schedule, as the runtime reads them."""
        return {str(entry["name"]): f"{entry.get('method', 'POST')} {entry['path']}" for entry in self.schedules}


class Schedules(pulumi.ComponentResource):
    """The schedules of a deployment, which invoke one alias; what can't be delivered goes to a dead-letter queue.

    In another Pulumi program, which posts to `/nightly` of the application at 3:30 UTC:

        import pulumi
        from infra.container_function import ContainerFunction, FunctionSettings
        from infra.dead_letters import DeadLetters
        from infra.job_entries import jobs_grant
        from infra.schedules import Schedules, ScheduleSettings

        times = ScheduleSettings(schedules=[{"name": "nightly", "path": "/nightly", "cron": "30 3 * * ? *"}])
        function = ContainerFunction(
            "function",
            FunctionSettings(),
            function_name="shop",
            image_uri=pulumi.Config().require("image"),
            grants=[jobs_grant({"schedules": times.routes})],
        )
        failed = DeadLetters("failed", queue_name="shop-failed")
        Schedules("schedule", times, deployment="shop", alias_arn=function.live.arn, failed=failed)
    """

    def __init__(
        self,
        name: str,
        settings: ScheduleSettings,
        *,
        deployment: str,
        alias_arn: pulumi.Input[str],
        failed: DeadLetters,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dualmode:index:Schedules", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        role, policy = scheduler_role(name, alias_arn, dead_letters_arn=failed.queue.arn, opts=child)
        for entry in settings.schedules:
            aws.scheduler.Schedule(
                f"{name}-{entry['name']}",
                name=f"{deployment}-{entry['name']}",
                schedule_expression=f"rate({entry['rate']})" if "rate" in entry else f"cron({entry['cron']})",
                schedule_expression_timezone=str(entry.get("timeZone", "UTC")),
                state="ENABLED" if str(entry.get("enabled", True)).lower() == "true" else "DISABLED",
                flexible_time_window=aws.scheduler.ScheduleFlexibleTimeWindowArgs(mode="OFF"),
                target=aws.scheduler.ScheduleTargetArgs(
                    arn=alias_arn,
                    role_arn=role.arn,
                    input=pulumi.Output.json_dumps(event_of(entry)),
                    dead_letter_config=aws.scheduler.ScheduleTargetDeadLetterConfigArgs(arn=failed.queue.arn),
                    retry_policy=aws.scheduler.ScheduleTargetRetryPolicyArgs(
                        maximum_event_age_in_seconds=LONGEST_EVENT_AGE, maximum_retry_attempts=ATTEMPTS
                    ),
                ),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
            )
        self.register_outputs({})


def event_of(entry: Mapping[str, object]) -> dict[str, Any]:
    """Returns the event that a schedule sends: its name, which only the runtime reads, and its body."""
    body = {"body": json_value("body", entry["body"])} if "body" in entry else {}
    return {"dualmode": {"schedule": entry["name"]}, **body}
