"""Jobs: what reaches the application without a client, each at a path of its own."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi  # noqa: TC002  as in every component's file
import pulumi_aws as aws

from infra.alarms import Alarms
from infra.dead_letters import DeadLetters
from infra.event_rules import EventRules
from infra.grants import Grant
from infra.job_entries import check_length, jobs_grant
from infra.keep_warm import KeepWarm
from infra.queues import Queues
from infra.schedules import Schedules
from infra.settings import Settings


class Jobs:
    """The jobs of one function, each kind only if it is set; the function's alias is given to `lead_to`.

    Lambda tries an event of Scheduler or EventBridge three times; after the third failure it is a dead letter.
    """

    grants: list[Grant]
    """What the function gets: the paths of its jobs, and the permissions that they need."""

    def __init__(self, settings: Settings, deployment: str, alarms: Alarms | None = None) -> None:
        """Makes the queues, which the function needs; the alarms tell of their dead letters, if there are any.

        Raises:
            ConfigError: the name of a job doesn't fit behind the deployment's.
        """
        self._settings, self._deployment = settings, deployment
        check_length("schedules", settings.schedules.schedules, deployment)
        check_length("queues", settings.queues.queues, deployment)
        check_length("events", settings.events.events, deployment)
        told = [alarms.topic_arn] if alarms else []
        statements: list[Mapping[str, object]] = []
        routes: dict[str, pulumi.Input[Mapping[str, str]]] = {}
        self._failed: DeadLetters | None = None
        self._queues: Queues | None = None
        if settings.schedules.schedules or settings.events.events:
            self._failed = DeadLetters("failed-events", queue_name=f"{deployment}-failed", told=told)
            statements.append({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": self._failed.queue.arn})
            asynchronous = {"schedules": settings.schedules.routes, "events": settings.events.routes}
            routes |= {kind: paths for kind, paths in asynchronous.items() if paths}
        if settings.queues.queues:
            timeout = settings.function.timeout
            self._queues = Queues("queue", settings.queues, deployment=deployment, timeout=timeout, told=told)
            statements += self._queues.statements
            routes["queues"] = self._queues.routes
        self.grants = [jobs_grant(routes, statements)] if routes else []

    def lead_to(self, alias: aws.lambda_.Alias) -> None:
        """Lets the jobs reach an alias."""
        settings, deployment = self._settings, self._deployment
        if self._failed:
            send_failures_to(self._failed.queue, alias)
        if self._failed and settings.schedules.schedules:
            Schedules("schedule", settings.schedules, deployment=deployment, alias_arn=alias.arn, failed=self._failed)
        if self._failed and settings.events.events:
            EventRules("event", settings.events, deployment=deployment, alias=alias, failed=self._failed)
        if self._queues:
            self._queues.lead_to(alias)
        if settings.keep_warm.keep_warm:
            KeepWarm("keep-warm", settings.keep_warm, deployment=deployment, alias_arn=alias.arn)


def send_failures_to(queue: aws.sqs.Queue, alias: aws.lambda_.Alias) -> None:
    """Sends the events to a queue that an alias fails on for good, when nobody waits for their result."""
    on_failure = aws.lambda_.FunctionEventInvokeConfigDestinationConfigOnFailureArgs(destination=queue.arn)
    aws.lambda_.FunctionEventInvokeConfig(
        "failed-events",
        function_name=alias.function_name,
        qualifier=alias.name,
        destination_config=aws.lambda_.FunctionEventInvokeConfigDestinationConfigArgs(on_failure=on_failure),
    )
