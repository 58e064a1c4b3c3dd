"""The role of a function: it may write its logs, do what its grants say, and be put into a VPC."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from infra.grants import Grant
from infra.rules import is_known


def function_role(
    name: str,
    *,
    log_group_arn: pulumi.Output[str],
    grants: Sequence[Grant],
    subnets: Sequence[pulumi.Input[str]],
    security_groups: Sequence[pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> tuple[aws.iam.Role, list[pulumi.Resource]]:
    """Returns a role for a function, and its permissions: Lambda asks for them when it makes the function."""
    role = aws.iam.Role(f"{name}-role", assume_role_policy=json.dumps(trust_policy()), opts=opts)
    permissions: list[pulumi.Resource] = [
        aws.iam.RolePolicy(
            f"{name}-write-logs",
            role=role.name,
            policy=log_group_arn.apply(lambda arn: json.dumps(log_policy(arn))),
            opts=opts,
        )
    ]
    permissions += [
        aws.iam.RolePolicy(
            f"{name}-{grant.name}",
            role=role.name,
            policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": grant.statements}),
            opts=opts,
        )
        for grant in grants
        if not is_known(grant.statements) or grant.statements
    ]
    permissions += [
        aws.iam.RolePolicyAttachment(f"{name}-{grant.name}-{place}", role=role.name, policy_arn=arn, opts=opts)
        for grant in grants
        for place, arn in enumerate(grant.policy_arns)
    ]
    if subnets:
        known = pulumi.Output.all(log_group_arn, subnets, security_groups)
        policy = pulumi.Output.json_dumps(known.apply(lambda known: network_policy(*known)))
        permissions.append(aws.iam.RolePolicy(f"{name}-network", role=role.name, policy=policy, opts=opts))
    return role, permissions


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
