"""The Lambda function that runs the image, and the alias that serves its newest version."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.capacity import CapacitySettings
from infra.grants import Grant
from infra.releases import NEWEST, ReleaseSettings, routing
from infra.rules import ConfigError, Rule, at_least, at_most, check, checked_by, is_known, one_of, refuse
from infra.variable_names import check_name

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

ENVIRONMENT_SIZE = 4096
"""Bytes of all variables of a function together, counted as JSON.

Source: "Lambda quotas", Lambda Developer Guide; Lambda's refusals show what is counted
(github-aws-runners/terraform-aws-github-runner#3594).
"""

LOG_LEVELS = ("DEBUG", "INFO", "WARN", "ERROR")
"""Levels of the application that Lambda filters by, without the two at the ends, which no logging of Python has.

Source: `LoggingConfig`, Lambda API Reference.
"""

MOST_OF_A_VPC = {"subnet": 16, "sg": 5}
"""Subnets and security groups that a function may have. Source: `VpcConfig`, Lambda API Reference."""


def check_variables(key: str, variables: Mapping[str, pulumi.Input[str]]) -> None:
    """Variables must have names and values that Lambda accepts and that the image doesn't reserve."""
    for name, text in variables.items():
        check_name(f"{key}.{name}", name, text)
        if isinstance(text, str) and "\0" in text:
            refuse(f"{key}.{name}", "...", "a variable's value can't contain a NUL character", "remove it")
    check_size(variables)


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
        role = aws.iam.Role(f"{name}-role", assume_role_policy=json.dumps(trust_policy()), opts=child)
        write_logs = aws.iam.RolePolicy(
            f"{name}-write-logs",
            role=role.name,
            policy=logs.arn.apply(lambda arn: json.dumps(log_policy(arn))),
            opts=child,
        )
        granted = [
            aws.iam.RolePolicy(
                f"{name}-{grant.name}",
                role=role.name,
                policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": grant.statements}),
                opts=child,
            )
            for grant in grants
            if not is_known(grant.statements) or grant.statements
        ]
        attached = [
            aws.iam.RolePolicyAttachment(f"{name}-{grant.name}-{place}", role=role.name, policy_arn=arn, opts=child)
            for grant in grants
            for place, arn in enumerate(grant.policy_arns)
        ]
        if settings.vpc_subnets:
            granted.append(
                aws.iam.RolePolicy(
                    f"{name}-network",
                    role=role.name,
                    policy=pulumi.Output.json_dumps(
                        pulumi.Output.all(logs.arn, settings.vpc_subnets, settings.vpc_security_groups).apply(
                            lambda known: network_policy(*known)
                        )
                    ),
                    opts=child,
                )
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
            opts=pulumi.ResourceOptions(parent=self, depends_on=[write_logs, *granted, *attached]),
        )
        described = {
            "imageUri": image_uri,
            "memorySize": settings.memory_size,
            "timeout": settings.timeout,
            "environment": variables,
            "ephemeralStorage": capacity.ephemeral_storage,
            "tracing": capacity.tracing,
        }
        self.newest_version = published(function, described, parent=self)
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


def published(
    function: aws.lambda_.Function, wanted: Mapping[str, pulumi.Input[Any]], parent: pulumi.Resource
) -> pulumi.Output[str]:
    """Returns the version that was published last, once AWS has confirmed that it runs what the program describes.

    The provider's state has what was wanted even if Lambda refused it: the state alone proves nothing.
    """
    found = aws.lambda_.get_function_output(
        function_name=function.name,
        qualifier=function.version,
        opts=pulumi.InvokeOutputOptions(parent=parent),
    )
    there = {
        "imageUri": found.image_uri,
        "memorySize": found.memory_size,
        "timeout": found.timeout,
        "environment": found.environment.apply(lambda found: (found.variables if found else None) or {}),
        "ephemeralStorage": found.ephemeral_storages.apply(lambda found: found[0].size),
        "tracing": found.tracing_config.apply(lambda found: found.mode == "Active"),
    }

    def checked(values: Mapping[str, Any]) -> str:
        for key, value in values["wanted"].items():
            if values["there"][key] != value:
                raise ConfigError(
                    f"Version {values['version']} of the function doesn't have the {key} that was deployed, because "
                    "AWS refused an update before: run `pulumi up --refresh`, which reads what AWS has and tries again."
                )
        return str(values["version"])

    compared = pulumi.Output.all(version=function.version, wanted=wanted, there=there)
    return pulumi.Output.unsecret(compared.apply(checked))


def variables_of(environment: Mapping[str, pulumi.Input[str]], grants: Iterable[Grant]) -> dict[str, pulumi.Input[str]]:
    """Returns the variables of a function: its own, and those of its grants.

    Raises:
        ConfigError: two set the same variable, or Lambda would not accept one of them, or all of them together.
    """
    variables = dict(environment)
    for grant in grants:
        for name, value in grant.variables.items():
            if name in variables:
                refuse(f"environment.{name}", "...", f"the grant {grant.name} sets it as well", "rename one of the two")
            variables[name] = value
    check_variables("environment", variables)
    return variables


def check_size(variables: Mapping[str, pulumi.Input[str]]) -> None:
    """Refuses more variables than Lambda accepts; if a value isn't known yet, only its name counts.

    Raises:
        ConfigError: there are too many.
    """
    known = {name: text if is_known(text) else "" for name, text in variables.items()}
    size = len(json.dumps(known, separators=(",", ":"), ensure_ascii=False).encode())
    if size > ENVIRONMENT_SIZE:
        raise ConfigError(
            f"environment is {size} bytes of names and values, but Lambda takes {ENVIRONMENT_SIZE}: "
            "keep long values in a file or a store, and set only where they are."
        )


def function_environment(
    variables: Mapping[str, pulumi.Input[str]],
) -> aws.lambda_.FunctionEnvironmentArgs | None:
    """Returns the variables, always encrypted in the state, even if a setting wasn't given as a secret: many are."""
    if not variables:
        return None  # an empty block would be a change at every update
    return aws.lambda_.FunctionEnvironmentArgs(variables=pulumi.Output.secret(dict(variables)))


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


def trust_policy() -> dict[str, object]:
    """Returns the policy that lets only the Lambda service assume the function's role."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }


def log_policy(log_group_arn: str) -> dict[str, object]:
    """Returns the function's permissions: it may only write to the streams of its own log group."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": f"{log_group_arn}:*",
            }
        ],
    }


def network_policy(log_group_arn: str, subnets: Sequence[str], security_groups: Sequence[str]) -> dict[str, object]:
    """Returns what Lambda needs to put a function into these subnets; the function's own code may do none of it.

    Source: "Giving Lambda functions access to resources in an Amazon VPC", Lambda Developer Guide.
    """
    _, partition, _, region, account, _, group = log_group_arn.split(":", 6)
    ec2 = f"arn:{partition}:ec2:{region}:{account}"
    interfaces = f"{ec2}:network-interface/*"  # EC2 names an interface only when it makes it
    actions = {
        "ec2:CreateNetworkInterface": [
            interfaces,
            *(f"{ec2}:subnet/{subnet}" for subnet in subnets),
            *(f"{ec2}:security-group/{security_group}" for security_group in security_groups),
        ],
        "ec2:DeleteNetworkInterface": interfaces,
        "ec2:AssignPrivateIpAddresses": interfaces,
        "ec2:UnassignPrivateIpAddresses": interfaces,
        # These two take no resource. Source: "Actions, resources, and condition keys for Amazon EC2".
        "ec2:DescribeNetworkInterfaces": "*",
        "ec2:DescribeSubnets": "*",
    }
    function = f"arn:{partition}:lambda:{region}:{account}:function:{group.removeprefix('/aws/lambda/')}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            *({"Effect": "Allow", "Action": action, "Resource": where} for action, where in actions.items()),
            {
                "Effect": "Deny",
                "Action": list(actions),
                "Resource": "*",  # a denial is for all of them
                # Only calls by the function's code carry this, not those that Lambda makes.
                "Condition": {"ArnEquals": {"lambda:SourceFunctionArn": function}},
            },
        ],
    }
