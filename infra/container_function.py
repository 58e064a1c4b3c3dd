"""The Lambda function that runs the image, and the alias that serves its newest version."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra.capacity import CapacitySettings
from infra.function_role import function_role
from infra.function_variables import check_variables, function_environment, variables_of
from infra.grants import Grant
from infra.published_version import published_version
from infra.releases import NEWEST, ReleaseSettings, routing
from infra.rules import Rule, at_least, at_most, check, checked_by, one_of, refuse

LIVE_ALIAS = "live"
"""Alias that every client goes through, so that a version can be swapped under them."""

LEAST_MEMORY, MOST_MEMORY = 128, 10240
"""Memory that a function may have, in MB. Source: "Lambda quotas", Lambda Developer Guide."""
MEMORY_RANGE = f"Lambda takes {LEAST_MEMORY} to {MOST_MEMORY} MB"

LONGEST_REQUEST = 29
"""Seconds a function may take before an HTTP API has given up on it (30 s, not adjustable).

Source: "Quotas for configuring and running an HTTP API", API Gateway Developer Guide.
"""

LOG_PERIODS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""Days that logs may be kept. Source: `PutRetentionPolicy`, CloudWatch Logs API Reference."""

LOG_LEVELS = ("DEBUG", "INFO", "WARN", "ERROR")
"""Levels of the application that Lambda filters by, without the two at the ends, which no logging of Python has.

Source: `LoggingConfig`, Lambda API Reference.
"""

MOST_OF_A_VPC = {"subnet": 16, "sg": 5}
"""Subnets and security groups that a function may have. Source: `VpcConfig`, Lambda API Reference."""


def identifiers_of(kind: str) -> Rule:
    """A list must have identifiers of EC2 resources of one kind, each once: `subnet-...` or `sg-...`."""

    def rule(key: str, given: Sequence[pulumi.Input[str]]) -> None:
        if len(given) > MOST_OF_A_VPC[kind]:
            refuse(key, len(given), f"Lambda takes {MOST_OF_A_VPC[kind]} at most", "leave some out")
        for place, identifier in enumerate(given):
            if isinstance(identifier, str) and not re.fullmatch(rf"{kind}-[0-9a-f]{{8,17}}", identifier):
                refuse(f"{key}[{place}]", identifier, f"it is an identifier in EC2, {kind}-...", "set that")
            if identifier in given[:place]:
                refuse(f"{key}[{place}]", identifier, "it is in the list already", "remove it")

    return rule


@dataclass(frozen=True, kw_only=True)
class FunctionSettings:
    """A function's resources and environment variables."""

    memory_size: pulumi.Input[int] = field(
        default=512,
        metadata=checked_by(at_least(LEAST_MEMORY, MEMORY_RANGE), at_most(MOST_MEMORY, MEMORY_RANGE)),
    )
    timeout: pulumi.Input[int] = field(
        default=LONGEST_REQUEST,
        metadata=checked_by(
            at_least(1, "Lambda takes 1 s or more"),
            at_most(LONGEST_REQUEST, "API Gateway gives up after 30 s"),
        ),
    )
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict, metadata=checked_by(check_variables))
    vpc_subnets: Sequence[pulumi.Input[str]] = field(default=(), metadata=checked_by(identifiers_of("subnet")))
    vpc_security_groups: Sequence[pulumi.Input[str]] = field(default=(), metadata=checked_by(identifiers_of("sg")))
    log_level: pulumi.Input[str] = field(
        default="INFO",
        metadata=checked_by(
            one_of(LOG_LEVELS, "Lambda filters logs by certain levels only", f"set one of {', '.join(LOG_LEVELS)}")
        ),
    )
    log_retention: pulumi.Input[int] = field(
        default=14,
        metadata=checked_by(
            one_of(
                LOG_PERIODS,
                "CloudWatch Logs keeps logs for certain periods only",
                f"set one of {', '.join(map(str, LOG_PERIODS))}",
            )
        ),
    )

    def __post_init__(self) -> None:
        """Checks the settings that are already known.

        Raises:
            ConfigError: a setting has a value that can't work.
        """
        check(self)
        for given, missing, what in (
            ("vpcSubnets", "vpcSecurityGroups", "security group"),
            ("vpcSecurityGroups", "vpcSubnets", "subnet"),
        ):
            settings = {"vpcSubnets": self.vpc_subnets, "vpcSecurityGroups": self.vpc_security_groups}
            if settings[given] and not settings[missing]:
                refuse(
                    given,
                    list(settings[given]),
                    f"a function in a VPC has at least one {what}",
                    f"set {missing} as well, or neither",
                )


class ContainerFunction(pulumi.ComponentResource):
    """A function that runs a container image, published as versions behind the alias `live`.

    In another Pulumi program:

        import pulumi
        import pulumi_aws as aws
        from infra.container_function import ContainerFunction, FunctionSettings
        from infra.grants import Grant

        topic = aws.sns.Topic("orders")
        publish = {"Effect": "Allow", "Action": "sns:Publish", "Resource": topic.arn}
        function = ContainerFunction(
            "function",
            FunctionSettings(environment={"GREETING": "Hello"}),
            function_name="shop",
            image_uri=pulumi.Config().require("image"),
            grants=[Grant(name="orders", statements=[publish], variables={"ORDERS": topic.arn})],
        )

    Raises:
        ConfigError: Lambda would not accept its variables, or two parts of the deployment set the same one.
    """

    function_name: pulumi.Output[str]
    function_arn: pulumi.Output[str]
    log_group: pulumi.Output[str]
    """Name of the group that the function logs to."""
    role_name: pulumi.Output[str]
    role_arn: pulumi.Output[str]
    live: aws.lambda_.Alias
    """The alias that every client goes through."""
    newest_version: pulumi.Output[str]
    """The version that was published last: what the program describes."""

    def __init__(
        self,
        name: str,
        settings: FunctionSettings,
        *,
        function_name: pulumi.Input[str],
        image_uri: pulumi.Input[str],
        architecture: pulumi.Input[str] = "x86_64",
        releases: ReleaseSettings | None = None,
        capacity: CapacitySettings | None = None,
        grants: Sequence[Grant] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        variables = variables_of(settings.environment, grants)
        capacity = capacity or CapacitySettings()
        super().__init__("dualmode:index:ContainerFunction", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # Created before the function: otherwise Lambda creates one that is kept forever, even after the stack.
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=pulumi.Output.concat("/aws/lambda/", function_name),
            retention_in_days=settings.log_retention,
            opts=child,
        )
        role, permissions = function_role(
            name,
            log_group_arn=logs.arn,
            grants=grants,
            subnets=settings.vpc_subnets,
            security_groups=settings.vpc_security_groups,
            opts=child,
        )
        function = aws.lambda_.Function(
            f"{name}-function",
            name=function_name,
            package_type="Image",
            image_uri=image_uri,
            # After an update that Lambda refused, the provider's state has the new image but still the old hash, so
            # that the next update sees a change and tries again. Source: hashicorp/terraform-provider-aws,
            # internal/service/lambda/function.go, `resetNonRefreshableAttributes`; issue 49310.
            source_code_hash=pulumi.Output.from_input(image_uri).apply(lambda uri: uri.partition("@")[2] or uri),
            architectures=[architecture],
            role=role.arn,
            memory_size=settings.memory_size,
            timeout=settings.timeout,
            environment=function_environment(variables),
            vpc_config=aws.lambda_.FunctionVpcConfigArgs(
                subnet_ids=settings.vpc_subnets, security_group_ids=settings.vpc_security_groups
            )
            if settings.vpc_subnets
            else None,
            reserved_concurrent_executions=capacity.reserved_concurrency or None,
            # Without a block the provider leaves disk and tracing as they were, instead of turning them off.
            ephemeral_storage=aws.lambda_.FunctionEphemeralStorageArgs(size=capacity.ephemeral_storage),
            tracing_config=aws.lambda_.FunctionTracingConfigArgs(mode="Active" if capacity.tracing else "PassThrough"),
            snap_start=aws.lambda_.FunctionSnapStartArgs(apply_on="PublishedVersions") if capacity.snap_start else None,
            logging_config=logging(settings.log_level, logs.name),
            publish=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=permissions),
        )
        described = {
            "imageUri": image_uri,
            "memorySize": settings.memory_size,
            "timeout": settings.timeout,
            "environment": variables,
            "ephemeralStorage": capacity.ephemeral_storage,
            "tracing": capacity.tracing,
        }
        self.newest_version = published_version(function, described, parent=self)
        releases = releases or ReleaseSettings()
        chosen = pulumi.Output.all(releases.live_version, releases.canary_percent, self.newest_version)
        self.live = aws.lambda_.Alias(
            f"{name}-live",
            name=LIVE_ALIAS,
            function_name=function.name,
            function_version=chosen.apply(lambda values: values[2] if values[0] == NEWEST else str(values[0])),
            routing_config=chosen.apply(lambda values: routing(*values)),
            opts=child,
        )
        self.function_name = function.name
        self.function_arn = function.arn
        self.log_group = logs.name
        self.role_name = role.name
        self.role_arn = role.arn
        self.register_outputs({"function_name": self.function_name, "live_version": self.live.function_version})


def logging(level: pulumi.Input[str], log_group: pulumi.Input[str]) -> aws.lambda_.FunctionLoggingConfigArgs:
    """Returns where the function logs, and what Lambda drops: lines of the application below its level.

    Lambda's own lines stay at INFO or below. From WARN on it would also drop the report of each request that succeeds,
    with its memory and its start. Source: "Log level filtering", Lambda Developer Guide.
    """
    return aws.lambda_.FunctionLoggingConfigArgs(
        log_format="JSON",
        log_group=log_group,
        application_log_level=level,
        system_log_level=pulumi.Output.from_input(level).apply(lambda level: level if level == "DEBUG" else "INFO"),
    )
