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

TRACE_ACTIONS = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
"""What a traced function does. Source: "Visualize Lambda function invocations using AWS X-Ray"."""


@dataclass(frozen=True, kw_only=True)
class CapacitySettings:
    """Concurrency in environments, of which each takes one request at a time; the disk in MB."""

    reserved_concurrency: int = field(default=0, metadata=checked_by(at_least(0, ENVIRONMENTS)))
    provisioned_concurrency: int = field(default=0, metadata=checked_by(at_least(0, ENVIRONMENTS)))
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
        if 0 < self.reserved_concurrency < self.provisioned_concurrency:
            refuse(
                "provisionedConcurrency",
                self.provisioned_concurrency,
                f"it is part of reservedConcurrency, which is {self.reserved_concurrency}",
                "set reservedConcurrency to as many or more, or remove it",
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
    """Environments of a function that are always started, so that as many requests at once wait for none."""

    def __init__(
        self,
        name: str,
        settings: CapacitySettings,
        *,
        alias: aws.lambda_.Alias,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dualmode:index:ProvisionedConcurrency", name, None, opts)
        aws.lambda_.ProvisionedConcurrencyConfig(
            f"{name}-environments",
            function_name=alias.function_name,
            qualifier=alias.name,
            provisioned_concurrent_executions=settings.provisioned_concurrency,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
