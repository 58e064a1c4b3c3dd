"""Events of EventBridge: those that match a pattern reach a path of the application."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra.dead_letters import DeadLetters
from infra.job_entries import Entries, check_entries, json_value, text
from infra.rules import check, checked_by, refuse

LONGEST_EVENT_AGE = 3600
"""Seconds that EventBridge tries to hand an event to Lambda."""

ATTEMPTS = 3
"""Times that EventBridge tries again in that time."""


def check_events(key: str, entries: Entries) -> None:
    """Each rule must have a pattern that EventBridge can compare."""
    check_entries(key, entries, required=("name", "path", "pattern"), optional=("bus",))
    for place, entry in enumerate(entries):
        where = f"{key}[{place}].pattern"
        pattern = json_value(where, entry["pattern"])
        if not isinstance(pattern, dict) or not pattern:
            refuse(where, pattern, "a pattern is an object of fields", 'set one such as {"source": ["shop"]}')
        check_pattern(where, pattern)
        text(f"{key}[{place}].bus", entry.get("bus", "default"))


def check_pattern(key: str, pattern: dict[str, object]) -> None:
    """Each field of a pattern must be a list of what it may be, or an object of fields.

    Source: "Creating Amazon EventBridge event patterns", EventBridge User Guide.
    """
    for name, wanted in pattern.items():
        if isinstance(wanted, dict):
            check_pattern(f"{key}.{name}", wanted)
        elif not isinstance(wanted, list) or not wanted:
            refuse(f"{key}.{name}", wanted, "a field of a pattern lists what it may be", f"set [{json.dumps(wanted)}]")


@dataclass(frozen=True, kw_only=True)
class EventSettings:
    """Events of EventBridge that the application gets."""

    events: Entries = field(default=(), metadata=checked_by(check_events))

    def __post_init__(self) -> None:
        """Checks the settings.

        Raises:
            ConfigError: a rule can't be.
        """
        check(self)

    @property
    def routes(self) -> dict[str, str]:
        """The path of each rule, as the runtime reads them."""
        return {str(entry["name"]): str(entry["path"]) for entry in self.events}


class EventRules(pulumi.ComponentResource):
    """Rules that give their events to an alias; what can't be delivered goes to a dead-letter queue.

    In another Pulumi program, where the path `/sold` of the application gets the events of the source `shop`:

        import pulumi
        from infra.container_function import ContainerFunction, FunctionSettings
        from infra.dead_letters import DeadLetters
        from infra.event_rules import EventRules, EventSettings
        from infra.job_entries import jobs_grant

        events = EventSettings(events=[{"name": "sold", "path": "/sold", "pattern": {"source": ["shop"]}}])
        function = ContainerFunction(
            "function",
            FunctionSettings(),
            function_name="shop",
            image_uri=pulumi.Config().require("image"),
            grants=[jobs_grant({"events": events.routes})],
        )
        failed = DeadLetters("failed", queue_name="shop-failed")
        EventRules("event", events, deployment="shop", alias=function.live, failed=failed)
    """

    def __init__(
        self,
        name: str,
        settings: EventSettings,
        *,
        deployment: str,
        alias: aws.lambda_.Alias,
        failed: DeadLetters,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dualmode:index:EventRules", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        rules = {
            str(entry["name"]): aws.cloudwatch.EventRule(
                f"{name}-{entry['name']}",
                name=f"{deployment}-{entry['name']}",
                event_bus_name=str(entry.get("bus", "default")),
                event_pattern=json.dumps(json_value("pattern", entry["pattern"]), sort_keys=True),
                opts=child,
            )
            for entry in settings.events
        }
        policy = pulumi.Output.json_dumps(send_policy(failed.queue.arn, [rule.arn for rule in rules.values()]))
        may_send = aws.sqs.QueuePolicy(f"{name}-may-send", queue_url=failed.queue.url, policy=policy, opts=child)
        for job, rule in rules.items():
            permission = aws.lambda_.Permission(
                f"{name}-{job}-permission",
                action="lambda:InvokeFunction",
                principal="events.amazonaws.com",
                function=alias.function_name,
                qualifier=alias.name,
                source_arn=rule.arn,
                opts=child,
            )
            aws.cloudwatch.EventTarget(
                f"{name}-{job}-target",
                rule=rule.name,
                event_bus_name=rule.event_bus_name,
                target_id="function",
                arn=alias.arn,
                input_transformer=aws.cloudwatch.EventTargetInputTransformerArgs(input_template=template_of(job)),
                dead_letter_config=aws.cloudwatch.EventTargetDeadLetterConfigArgs(arn=failed.queue.arn),
                retry_policy=aws.cloudwatch.EventTargetRetryPolicyArgs(
                    maximum_event_age_in_seconds=LONGEST_EVENT_AGE, maximum_retry_attempts=ATTEMPTS
                ),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[permission, may_send]),
            )
        self.register_outputs({})


def template_of(job: str) -> str:
    """Returns the template of what a target sends: the rule's name, which only the runtime reads, and the event.

    Whoever puts an event on the bus chooses what is in the event, and never what is beside it.
    """
    return f'{{"dualmode": {{"event": {json.dumps(job)}}}, "body": <aws.events.event.json>}}'


def send_policy(queue_arn: pulumi.Input[str], rule_arns: list[pulumi.Output[str]]) -> dict[str, object]:
    """Returns the policy that lets exactly these rules send to a queue."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue_arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": rule_arns}},
            }
        ],
    }
