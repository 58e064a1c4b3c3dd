"""A queue for what failed for good, with an alarm while something is in it."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

RETENTION = 14 * 24 * 3600
"""Seconds that a dead letter is kept, the most that SQS can. Source: `SetQueueAttributes`, SQS API Reference."""


class DeadLetters(pulumi.ComponentResource):
    """A dead-letter queue and its alarm, which tells topics of SNS if there are any.

    In another Pulumi program:

        import pulumi
        import pulumi_aws as aws
        from infra.dead_letters import DeadLetters

        failed = DeadLetters("failed", queue_name="orders-failed")
        redrive = {"deadLetterTargetArn": failed.queue.arn, "maxReceiveCount": 3}
        aws.sqs.Queue("orders", name="orders", redrive_policy=pulumi.Output.json_dumps(redrive))
    """

    queue: aws.sqs.Queue

    def __init__(
        self,
        name: str,
        *,
        queue_name: pulumi.Input[str],
        told: Sequence[pulumi.Input[str]] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dualmode:index:DeadLetters", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.queue = aws.sqs.Queue(
            f"{name}-queue",
            name=queue_name,
            message_retention_seconds=RETENTION,
            sqs_managed_sse_enabled=True,
            opts=child,
        )
        aws.cloudwatch.MetricAlarm(
            f"{name}-alarm",
            name=queue_name,
            alarm_description="Messages that failed for good wait in this queue.",
            namespace="AWS/SQS",
            metric_name="ApproximateNumberOfMessagesVisible",
            dimensions={"QueueName": self.queue.name},
            # Source: "Available CloudWatch metrics for Amazon SQS", SQS Developer Guide.
            statistic="Maximum",
            period=300,
            evaluation_periods=1,
            threshold=0,
            comparison_operator="GreaterThanThreshold",
            treat_missing_data="notBreaching",
            alarm_actions=list(told) or None,
            ok_actions=list(told) or None,
            opts=child,
        )
        self.register_outputs({"queue_url": self.queue.url})
