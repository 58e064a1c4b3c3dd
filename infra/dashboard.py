"""A dashboard of a deployment in CloudWatch: what is asked of it, how it answers, and what that costs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

COLD_STARTS = "InitDuration"
"""Metric of cold starts: how long each init took, in milliseconds. How many there were is its number of samples."""

COLD_START = "{ $.record.metrics.initDurationMs > 0 }"
"""Lambda's report of a request that had to wait for init.

Source: "platform.report", Lambda Telemetry API; "Filter pattern syntax for metric filters", CloudWatch Logs User Guide.
"""

WIDTH, HEIGHT = 12, 6
"""Size of a widget, in the dashboard's grid of 24 columns."""


@dataclass(frozen=True, kw_only=True)
class DashboardSettings:
    """Whether there is a dashboard."""

    dashboard: bool = False


class Dashboard(pulumi.ComponentResource):
    """A dashboard, and the metric of cold starts, which CloudWatch doesn't have by itself.

    In another Pulumi program, for an API that there is already:

        import pulumi
        from infra.container_function import ContainerFunction, FunctionSettings
        from infra.dashboard import Dashboard

        config = pulumi.Config()
        settings = FunctionSettings(memory_size=1024)
        function = ContainerFunction("function", settings, function_name="shop", image_uri=config.require("image"))
        Dashboard(
            "dashboard",
            deployment="shop",
            function_arn=function.function_arn,
            log_group=function.log_group,
            memory_size=1024,
            api_id=config.require("api"),
        )
    """

    def __init__(
        self,
        name: str,
        *,
        deployment: str,
        function_arn: pulumi.Input[str],
        log_group: pulumi.Input[str],
        memory_size: pulumi.Input[int],
        api_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dualmode:index:Dashboard", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        namespace = f"dualmode/{deployment}"
        aws.cloudwatch.LogMetricFilter(
            f"{name}-cold-starts",
            log_group_name=log_group,
            pattern=COLD_START,
            metric_transformation=aws.cloudwatch.LogMetricFilterMetricTransformationArgs(
                name=COLD_STARTS, namespace=namespace, value="$.record.metrics.initDurationMs", unit="Milliseconds"
            ),
            opts=child,
        )
        known = pulumi.Output.all(
            function_arn=function_arn, log_group=log_group, memory_size=memory_size, api_id=api_id, namespace=namespace
        )
        aws.cloudwatch.Dashboard(
            f"{name}-dashboard",
            dashboard_name=deployment,
            dashboard_body=known.apply(lambda values: json.dumps(dashboard_body(**values))),
            opts=child,
        )
        self.register_outputs({})


def dashboard_body(
    *, function_arn: str, log_group: str, memory_size: int, api_id: str, namespace: str
) -> dict[str, object]:
    """Returns the dashboard's widgets.

    Source: "Dashboard body structure and syntax", CloudWatch API Reference.
    """
    function_name, region = function_arn.rpartition(":")[2], function_arn.split(":")[3]
    function, api = ("FunctionName", function_name), ("ApiId", api_id)
    widgets = [
        ("Requests", [of("AWS/ApiGateway", name, *api, stat="Sum") for name in ("Count", "4xx", "5xx")]),
        ("Errors", [of("AWS/Lambda", name, *function, stat="Sum") for name in ("Errors", "Throttles")]),
        (
            "Latency (ms)",
            [
                *(of("AWS/ApiGateway", "Latency", *api, stat=stat, label=stat) for stat in ("p50", "p90", "p99")),
                of("AWS/Lambda", "Duration", *function, stat="p99", label="function p99"),
            ],
        ),
        (
            "Cold starts",
            [
                of(namespace, COLD_STARTS, stat="SampleCount", label="number"),
                of(namespace, COLD_STARTS, stat="p90", label="init p90 (ms)", yAxis="right"),
            ],
        ),
        ("Concurrency", [of("AWS/Lambda", "ConcurrentExecutions", *function, stat="Maximum")]),
        (
            "What costs money",
            [
                [{"expression": f"duration / 1000 * {memory_size / 1024:g}", "label": "GB-seconds"}],
                of("AWS/Lambda", "Duration", *function, stat="Sum", id="duration", visible=False),
                of("AWS/ApiGateway", "Count", *api, stat="Sum", label="requests"),
                of("AWS/Logs", "IncomingBytes", "LogGroupName", log_group, stat="Sum", label="log", yAxis="right"),
            ],
        ),
    ]
    return {
        "widgets": [
            {
                "type": "metric",
                "x": number % 2 * WIDTH,
                "y": number // 2 * HEIGHT,
                "width": WIDTH,
                "height": HEIGHT,
                "properties": {"title": title, "region": region, "view": "timeSeries", "metrics": metrics},
            }
            for number, (title, metrics) in enumerate(widgets)
        ]
    }


def of(namespace: str, metric: str, *dimension: str, **rendering: Any) -> Sequence[object]:
    """Returns a metric as a widget names it: its namespace, its name, its dimension, and how it is shown."""
    return [namespace, metric, *dimension, rendering]
