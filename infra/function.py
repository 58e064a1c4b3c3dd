"""The Lambda function that runs the image, and the alias that serves its newest version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

LIVE_ALIAS = "live"
"""Alias that every client goes through, so that a version can be swapped under them."""


@dataclass(frozen=True, kw_only=True)
class ContainerFunctionArgs:
    """What a function runs, and with how much: `memory_size` in MB, `timeout` in seconds, `log_retention` in days."""

    function_name: str
    image_uri: pulumi.Input[str]
    architecture: pulumi.Input[str]
    memory_size: pulumi.Input[int]
    timeout: pulumi.Input[int]
    environment: Mapping[str, pulumi.Input[str]]
    log_retention: pulumi.Input[int]


class ContainerFunction(pulumi.ComponentResource):
    """A function that runs a container image, published as versions behind the alias `live`."""

    function_name: pulumi.Output[str]
    alias_name: pulumi.Output[str]
    alias_invoke_arn: pulumi.Output[str]
    """What an integration calls: the alias, as API Gateway names it."""
    live_version: pulumi.Output[str]
    """Number of the version that the alias serves."""

    def __init__(self, name: str, args: ContainerFunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dualmode:index:ContainerFunction", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # Made before the function: left to itself, Lambda makes one that is kept for ever and outlives the stack.
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=f"/aws/lambda/{args.function_name}",
            retention_in_days=args.log_retention,
            opts=child,
        )
        role = aws.iam.Role(f"{name}-role", assume_role_policy=json.dumps(trust_policy()), opts=child)
        write_logs = aws.iam.RolePolicy(
            f"{name}-write-logs",
            role=role.name,
            policy=logs.arn.apply(lambda arn: json.dumps(log_policy(arn))),
            opts=child,
        )
        function = aws.lambda_.Function(
            f"{name}-function",
            name=args.function_name,
            package_type="Image",
            image_uri=args.image_uri,
            architectures=[args.architecture],
            role=role.arn,
            memory_size=args.memory_size,
            timeout=args.timeout,
            environment=function_environment(args.environment),
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(log_format="JSON", log_group=logs.name),
            publish=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[write_logs]),
        )
        alias = aws.lambda_.Alias(
            f"{name}-live",
            name=LIVE_ALIAS,
            function_name=function.name,
            function_version=function.version,
            opts=child,
        )
        self.function_name = function.name
        self.alias_name = alias.name
        self.alias_invoke_arn = alias.invoke_arn
        self.live_version = alias.function_version
        self.register_outputs({"function_name": self.function_name, "live_version": self.live_version})


def function_environment(
    variables: Mapping[str, pulumi.Input[str]],
) -> aws.lambda_.FunctionEnvironmentArgs | None:
    """Returns the variables, encrypted in the state whether or not a setting was given as a secret: many are."""
    if not variables:
        return None  # an empty block is a difference to be made at every update
    return aws.lambda_.FunctionEnvironmentArgs(variables=pulumi.Output.secret(dict(variables)))


def trust_policy() -> dict[str, object]:
    """Returns the policy that lets the Lambda service, and nobody else, assume the function's role."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }


def log_policy(log_group_arn: str) -> dict[str, object]:
    """Returns all that the function may do: write to the streams of its own log group."""
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
