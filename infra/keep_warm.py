"""Keeps the function warm: a schedule whose event the runtime answers at once, so that no application gets it.

Lambda makes a function inactive that nobody invoked for weeks; this schedule is enough to prevent that, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra.rules import at_least, at_most, check, checked_by
from infra.scheduler_role import scheduler_role

MOST_MINUTES = 24 * 60

EVENT = {"dualmode": {"keepWarm": True}}


@dataclass(frozen=True, kw_only=True)
class KeepWarmSettings:
    """How often the function is invoked to stay warm, in minutes; 0 for not at all."""

    keep_warm: int = field(
        default=0,
        metadata=checked_by(
            at_least(0, "0 turns it off"),
            at_most(MOST_MINUTES, "once a day is enough to keep a function from becoming inactive"),
        ),
    )

    def __post_init__(self) -> None:
        """Checks the settings.

        Raises:
            ConfigError: it isn't such a number.
        """
        check(self)


class KeepWarm(pulumi.ComponentResource):
    """A schedule that invokes an alias every `keep_warm` minutes. An event that fails is not tried again.

    In another Pulumi program:

        import pulumi
        from infra.container_function import ContainerFunction, FunctionSettings
        from infra.keep_warm import KeepWarm, KeepWarmSettings

        image = pulumi.Config().require("image")
        function = ContainerFunction("function", FunctionSettings(), function_name="shop", image_uri=image)
        KeepWarm("keep-warm", KeepWarmSettings(keep_warm=5), deployment="shop", alias_arn=function.live.arn)
    """

    def __init__(
        self,
        name: str,
        settings: KeepWarmSettings,
        *,
        deployment: str,
        alias_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dualmode:index:KeepWarm", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        role, policy = scheduler_role(name, alias_arn, opts=child)
        minutes = settings.keep_warm
        aws.scheduler.Schedule(
            f"{name}-schedule",
            # No job's name is so: they have no dot.
            name=f"{deployment}.keep-warm",
            schedule_expression=f"rate({minutes} minute{'' if minutes == 1 else 's'})",
            flexible_time_window=aws.scheduler.ScheduleFlexibleTimeWindowArgs(mode="OFF"),
            target=aws.scheduler.ScheduleTargetArgs(
                arn=alias_arn,
                role_arn=role.arn,
                input=pulumi.Output.json_dumps(EVENT),
                retry_policy=aws.scheduler.ScheduleTargetRetryPolicyArgs(
                    maximum_event_age_in_seconds=60, maximum_retry_attempts=0
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.register_outputs({})
