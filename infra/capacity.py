"""What a function has at hand: its share of the account's concurrency, warm environments, disk and tracing."""

from __future__ import annotations

from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra.grants import Grant
from infra.rules import at_least, at_most, check, checked_by, refuse

LEAST_STORAGE, MOST_STORAGE = 512, 10240
"""Disk at /tmp that a function may have, in MB. Source: "Lambda quotas", Lambda Developer Guide."""
STORAGE_RANGE = f"Lambda takes {LEAST_STORAGE} to {MOST_STORAGE} MB"

ENVIRONMENTS = "it is a number of environments, and 0 is for none"

UTILIZATION = 0.7
"""Share of the provisioned environments that target tracking keeps busy: above it, it starts more.

Source: "Configuring provisioned concurrency", Lambda Developer Guide.
"""

TRACE_ACTIONS = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
"""What a traced function does. Source: "Visualize Lambda function invocations using AWS X-Ray"."""


@dataclass(frozen=True, kw_only=True)
class CapacitySettings:
    """Concurrency in environments, of which each takes one request at a time; the disk in MB."""

    reserved_concurrency: int = field(default=0, metadata=checked_by(at_least(0, ENVIRONMENTS)))
    provisioned_concurrency: int = field(default=0, metadata=checked_by(at_least(0, ENVIRONMENTS)))
    provisioned_concurrency_max: int = field(default=0, metadata=checked_by(at_least(0, ENVIRONMENTS)))
    snap_start: bool = False
    ephemeral_storage: int = field(
        default=LEAST_STORAGE,
        metadata=checked_by(at_least(LEAST_STORAGE, STORAGE_RANGE), at_most(MOST_STORAGE, STORAGE_RANGE)),
    )
    tracing: bool = False

    def __post_init__(self) -> None:
        """Checks the settings.

        Raises:
            ConfigError: a setting has a value that can't work, or two contradict each other.

        Source: "Configuring provisioned concurrency" and "Improving startup performance with Lambda SnapStart".
        """
        check(self)
        for key, wanted in (
            ("provisionedConcurrency", self.provisioned_concurrency),
            ("provisionedConcurrencyMax", self.provisioned_concurrency_max),
        ):
            if 0 < self.reserved_concurrency < wanted:
                refuse(
                    key,
                    wanted,
                    f"it is part of reservedConcurrency, which is {self.reserved_concurrency}",
                    "set reservedConcurrency to as many or more, or remove it",
                )
        if self.provisioned_concurrency_max and not self.provisioned_concurrency:
            refuse(
                "provisionedConcurrencyMax",
                self.provisioned_concurrency_max,
                "it is what provisionedConcurrency may grow to, which is not set",
                "set provisionedConcurrency as well, to the number that is always there",
            )
        if 0 < self.provisioned_concurrency_max < self.provisioned_concurrency:
            refuse(
                "provisionedConcurrencyMax",
                self.provisioned_concurrency_max,
                f"it is what provisionedConcurrency may grow to, which is {self.provisioned_concurrency}",
                f"set {self.provisioned_concurrency} or more, or remove it",
            )
        if self.snap_start and self.provisioned_concurrency:
            refuse(
                "snapStart",
                self.snap_start,
                "Lambda takes no snapshot of a version with provisioned concurrency",
                "remove snapStart or provisionedConcurrency",
            )
        if self.snap_start and self.ephemeral_storage > LEAST_STORAGE:
            refuse(
                "snapStart",
                self.snap_start,
                f"Lambda takes no snapshot of a function with more than {LEAST_STORAGE} MB at /tmp",
                "remove snapStart or ephemeralStorage",
            )

    @property
    def grant(self) -> Grant:
        """What a traced function may do; these actions take no resource."""
        statement = {"Effect": "Allow", "Action": list(TRACE_ACTIONS), "Resource": "*"}
        return Grant(name="tracing", statements=[statement] if self.tracing else [])


class ProvisionedConcurrency(pulumi.ComponentResource):
    """Environments of a function that are always started, so that as many requests at once wait for none.

    With `provisioned_concurrency_max`, target tracking starts up to so many while there are more requests.

    In another Pulumi program:

        import pulumi
        from infra.capacity import CapacitySettings, ProvisionedConcurrency
        from infra.container_function import ContainerFunction, FunctionSettings

        image = pulumi.Config().require("image")
        function = ContainerFunction("function", FunctionSettings(), function_name="shop", image_uri=image)
        ProvisionedConcurrency("capacity", CapacitySettings(provisioned_concurrency=2), alias=function.live)
    """

    def __init__(
        self,
        name: str,
        settings: CapacitySettings,
        *,
        alias: aws.lambda_.Alias,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dualmode:index:ProvisionedConcurrency", name, None, opts)
        tracked = settings.provisioned_concurrency_max > 0
        environments = aws.lambda_.ProvisionedConcurrencyConfig(
            f"{name}-environments",
            function_name=alias.function_name,
            qualifier=alias.name,
            provisioned_concurrent_executions=settings.provisioned_concurrency,
            opts=pulumi.ResourceOptions(
                parent=self,
                # Target tracking changes the number, and an update of something else must not set it back. Without
                # target tracking the last number would stay, and cost money: the environments are made anew.
                ignore_changes=["provisionedConcurrentExecutions"] if tracked else None,
                replacement_trigger="tracked" if tracked else "fixed",
                delete_before_replace=True,
            ),
        )
        if tracked:
            track(name, settings, alias, pulumi.ResourceOptions(parent=self, depends_on=[environments]))
        self.register_outputs({})


def track(name: str, settings: CapacitySettings, alias: aws.lambda_.Alias, opts: pulumi.ResourceOptions) -> None:
    """Lets AWS choose the number of an alias's environments, by how many of them are busy."""
    target = aws.appautoscaling.Target(
        f"{name}-target",
        service_namespace="lambda",
        scalable_dimension="lambda:function:ProvisionedConcurrency",
        resource_id=pulumi.Output.concat("function:", alias.function_name, ":", alias.name),
        min_capacity=settings.provisioned_concurrency,
        max_capacity=settings.provisioned_concurrency_max,
        opts=opts,
    )
    metric = aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs(
        predefined_metric_type="LambdaProvisionedConcurrencyUtilization"
    )
    aws.appautoscaling.Policy(
        f"{name}-utilization",
        name="utilization",
        policy_type="TargetTrackingScaling",
        service_namespace=target.service_namespace,
        scalable_dimension=target.scalable_dimension,
        resource_id=target.resource_id,
        target_tracking_scaling_policy_configuration=aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs(
            target_value=UTILIZATION, predefined_metric_specification=metric
        ),
        opts=opts,
    )
