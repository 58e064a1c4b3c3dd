"""Queues: batches of their messages reach a path of the application; what fails too often is a dead letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra.dead_letters import RETENTION, DeadLetters
from infra.job_entries import Entries, check_entries, number
from infra.rules import check, checked_by, refuse

VISIBILITY_FACTOR = 6
"""A message stays hidden for this many of the function's timeouts, so that throttled batches don't count as failed.

Source: "Configuring an Amazon SQS queue as an event source", Lambda Developer Guide.
"""

MOST_WITHOUT_WINDOW = 10
"""Messages in a batch that Lambda doesn't wait for. Source: `CreateEventSourceMapping`, Lambda API Reference."""

READ = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
"""What Lambda does with a queue in the function's name. Source: as for `VISIBILITY_FACTOR`."""


def check_queues(key: str, entries: Entries) -> None:
    """Each queue must have batches that Lambda takes."""
    check_entries(
        key, entries, required=("name", "path"), optional=("batchSize", "batchWindow", "maxReceives", "maxConcurrency")
    )
    for place, entry in enumerate(entries):
        where = f"{key}[{place}]"
        size = number(f"{where}.batchSize", entry.get("batchSize", 10), 1, 10000, "Lambda takes batches of")
        window = number(
            f"{where}.batchWindow", entry.get("batchWindow", 0), 0, 300, "Lambda waits for a batch, in seconds,"
        )
        if size > MOST_WITHOUT_WINDOW and window == 0:
            refuse(
                f"{where}.batchSize",
                size,
                f"Lambda fills a batch of more than {MOST_WITHOUT_WINDOW} only if it may wait",
                "set batchWindow to 1 s or more",
            )
        number(f"{where}.maxReceives", entry.get("maxReceives", 5), 1, 1000, "SQS counts")
        if "maxConcurrency" in entry:
            number(f"{where}.maxConcurrency", entry["maxConcurrency"], 2, 1000, "Lambda takes")


@dataclass(frozen=True, kw_only=True)
class QueueSettings:
    """Queues whose messages the application gets."""

    queues: Entries = field(default=(), metadata=checked_by(check_queues))

    def __post_init__(self) -> None:
        """Checks the settings.

        Raises:
            ConfigError: a queue can't be.
        """
        check(self)


class Queues(pulumi.ComponentResource):
    """Queues, each with a dead-letter queue; their messages go to an alias, given to `lead_to`.

    In another Pulumi program, where the path `/orders` of the application gets the messages:

        import pulumi
        from infra.container_function import ContainerFunction, FunctionSettings
        from infra.job_entries import jobs_grant
        from infra.queues import Queues, QueueSettings

        queues = QueueSettings(queues=[{"name": "orders", "path": "/orders"}])
        orders = Queues("queue", queues, deployment="shop", timeout=29)
        function = ContainerFunction(
            "function",
            FunctionSettings(timeout=29),
            function_name="shop",
            image_uri=pulumi.Config().require("image"),
            grants=[jobs_grant({"queues": orders.routes}, orders.statements)],
        )
        orders.lead_to(function.live)

    The alarms of the dead-letter queues tell the topics of SNS in `told`.
    """

    queues: Mapping[str, aws.sqs.Queue]
    """The queues by their names in the settings."""

    dead_letters: list[DeadLetters]

    def __init__(
        self,
        name: str,
        settings: QueueSettings,
        *,
        deployment: str,
        timeout: pulumi.Input[int],
        told: Sequence[pulumi.Input[str]] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dualmode:index:Queues", name, None, opts)
        self._name, self._settings = name, settings
        self.queues, self.dead_letters = {}, []
        for entry in settings.queues:
            job = str(entry["name"])
            failed = DeadLetters(
                f"{name}-{job}-failed",
                queue_name=f"{deployment}-{job}-failed",
                told=told,
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.dead_letters.append(failed)
            self.queues[job] = aws.sqs.Queue(
                f"{name}-{job}",
                name=f"{deployment}-{job}",
                message_retention_seconds=RETENTION,
                visibility_timeout_seconds=visibility(timeout, int(str(entry.get("batchWindow", 0)))),
                redrive_policy=pulumi.Output.json_dumps(
                    {"deadLetterTargetArn": failed.queue.arn, "maxReceiveCount": int(str(entry.get("maxReceives", 5)))}
                ),
                sqs_managed_sse_enabled=True,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({"queue_urls": {job: queue.url for job, queue in self.queues.items()}})

    @property
    def statements(self) -> list[dict[str, object]]:
        """The permission that the function needs: to receive from exactly these queues."""
        return [{"Effect": "Allow", "Action": list(READ), "Resource": [queue.arn for queue in self.queues.values()]}]

    @property
    def routes(self) -> pulumi.Output[dict[str, str]]:
        """The path of each queue by its ARN, as the runtime reads them."""
        paths = [str(entry["path"]) for entry in self._settings.queues]
        arns = pulumi.Output.all(*(queue.arn for queue in self.queues.values()))
        return arns.apply(lambda known: dict(zip(known, paths, strict=True)))

    def lead_to(self, alias: aws.lambda_.Alias) -> None:
        """Lets the messages reach an alias."""
        for entry in self._settings.queues:
            concurrency = int(str(entry.get("maxConcurrency", 0)))
            scaling = aws.lambda_.EventSourceMappingScalingConfigArgs(maximum_concurrency=concurrency)
            aws.lambda_.EventSourceMapping(
                f"{self._name}-{entry['name']}-mapping",
                event_source_arn=self.queues[str(entry["name"])].arn,
                function_name=alias.arn,
                batch_size=int(str(entry.get("batchSize", 10))),
                maximum_batching_window_in_seconds=int(str(entry.get("batchWindow", 0))),
                function_response_types=["ReportBatchItemFailures"],
                scaling_config=scaling if concurrency else None,
                opts=pulumi.ResourceOptions(parent=self),
            )


def visibility(timeout: pulumi.Input[int], window: int) -> pulumi.Output[int]:
    """Returns the seconds that a message of a batch is hidden, for a function's timeout and a batch's window in s."""
    return pulumi.Output.from_input(timeout).apply(lambda seconds: VISIBILITY_FACTOR * seconds + window)
