"""Alarms of a deployment, and the topic that sends them by email."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pulumi
import pulumi_aws as aws

from infra.rules import check, checked_by, refuse

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

PERIOD = 300
"""Seconds over which each alarm looks."""

NEAR_THE_TIMEOUT = 0.8
"""Share of the timeout from which on a request counts as slow."""


def check_address(key: str, address: str) -> None:
    """An address must be one that SNS takes."""
    if address and not ADDRESS.fullmatch(address):
        refuse(key, address, "that is not an email address", "set one such as me@example.com")


@dataclass(frozen=True, kw_only=True)
class AlarmSettings:
    """Who gets the alarms."""

    alarm_email: str = field(default="", metadata=checked_by(check_address))

    def __post_init__(self) -> None:
        """Checks the settings.

        Raises:
            ConfigError: the address is not one.
        """
        check(self)


class Watched(NamedTuple):
    """A metric, and the value from which on there is an alarm; `statistic` is `Sum` or a percentile."""

    name: str
    text: str
    namespace: str
    metric: str
    dimensions: Mapping[str, pulumi.Input[str]]
    statistic: str = "Sum"
    threshold: pulumi.Input[float] = 1


class Alarms(pulumi.ComponentResource):
    """An email when something is wrong, and one when it is over, for the alarms of `watch` and others of a deployment.

    The topic is made first: what comes before the function may have alarms of its own.

    In another Pulumi program, for an API and a function that there are already:

        import pulumi
        from infra.alarms import Alarms, AlarmSettings

        api = pulumi.Config().require("api")
        alarms = Alarms("alarms", AlarmSettings(alarm_email="team@example.com"), deployment="shop")
        alarms.watch(function_name="shop", timeout=29, api_id=api)
    """

    topic_arn: pulumi.Output[str]
    """The topic that sends the emails, once alarms may publish to it: those whose names begin with the deployment's."""

    def __init__(
        self,
        name: str,
        settings: AlarmSettings,
        *,
        deployment: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dualmode:index:Alarms", name, None, opts)
        self._deployment = deployment
        child = pulumi.ResourceOptions(parent=self)
        # Not encrypted with AWS's own key: CloudWatch can't use that one, and nothing secret is in an alarm.
        topic = aws.sns.Topic(f"{name}-topic", name=f"{deployment}-alarms", opts=child)
        policy = aws.sns.TopicPolicy(
            f"{name}-policy",
            arn=topic.arn,
            policy=topic.arn.apply(lambda arn: json.dumps(publish_policy(arn, deployment))),
            opts=child,
        )
        aws.sns.TopicSubscription(
            f"{name}-email", topic=topic.arn, protocol="email", endpoint=settings.alarm_email, opts=child
        )
        self.topic_arn = pulumi.Output.all(topic.arn, policy.id).apply(lambda made: str(made[0]))
        self.register_outputs({"topic_arn": self.topic_arn})

    def watch(self, *, function_name: pulumi.Input[str], timeout: pulumi.Input[int], api_id: pulumi.Input[str]) -> None:
        """Makes the alarms of a function, whose timeout is in seconds, and of its API."""
        name = self.pulumi_resource_name
        for watched in watched_metrics(function_name, timeout, api_id):
            percentile = watched.statistic.startswith("p")
            aws.cloudwatch.MetricAlarm(
                f"{name}-{watched.name}",
                name=f"{self._deployment}-{watched.name}",
                alarm_description=watched.text,
                namespace=watched.namespace,
                metric_name=watched.metric,
                dimensions=watched.dimensions,
                statistic=None if percentile else watched.statistic,
                extended_statistic=watched.statistic if percentile else None,
                comparison_operator="GreaterThanOrEqualToThreshold",
                threshold=watched.threshold,
                period=PERIOD,
                evaluation_periods=1,
                treat_missing_data="notBreaching",
                alarm_actions=[self.topic_arn],
                ok_actions=[self.topic_arn],
                opts=pulumi.ResourceOptions(parent=self),
            )


def alarms_of(settings: AlarmSettings, deployment: str) -> Alarms | None:
    """Makes the deployment's alarms; None without an address for them."""
    return Alarms("alarms", settings, deployment=deployment) if settings.alarm_email else None


def watched_metrics(
    function_name: pulumi.Input[str], timeout: pulumi.Input[int], api_id: pulumi.Input[str]
) -> Sequence[Watched]:
    """Returns what there is an alarm on.

    Source: "Types of metrics for Lambda functions", Lambda Developer Guide; "Monitor CloudWatch metrics for HTTP APIs",
    API Gateway Developer Guide.
    """
    function, api = {"FunctionName": function_name}, {"ApiId": api_id}
    slow = pulumi.Output.from_input(timeout).apply(lambda seconds: seconds * 1000 * NEAR_THE_TIMEOUT)
    return (
        Watched("errors", "The function failed or timed out.", "AWS/Lambda", "Errors", function),
        Watched(
            "throttles", "Requests found no free environment of the function.", "AWS/Lambda", "Throttles", function
        ),
        Watched("5xx", "The API answered with a server error.", "AWS/ApiGateway", "5xx", api),
        Watched(
            "slow",
            f"The slowest percent of requests took {NEAR_THE_TIMEOUT:.0%} of the timeout or more.",
            *("AWS/Lambda", "Duration", function, "p99", slow),
        ),
    )


def publish_policy(topic_arn: str, deployment: str) -> dict[str, object]:
    """Returns the policy that lets CloudWatch publish to the topic, and only for the deployment's own alarms.

    Source: "Amazon SNS policy for alarms", Amazon CloudWatch User Guide.
    """
    _, partition, _, region, account, _ = topic_arn.split(":")
    alarms = f"arn:{partition}:cloudwatch:{region}:{account}:alarm:{deployment}-*"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": topic_arn,
                "Condition": {"ArnLike": {"aws:SourceArn": alarms}, "StringEquals": {"aws:SourceAccount": account}},
            }
        ],
    }
