"""The role with which EventBridge Scheduler invokes one alias, and nothing else."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws


def scheduler_role(
    name: str,
    alias_arn: pulumi.Input[str],
    *,
    dead_letters_arn: pulumi.Input[str] | None = None,
    opts: pulumi.ResourceOptions,
) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
    """Returns a role for Scheduler, and its policy: to invoke the alias, and to send what it can't to a queue."""
    arn = pulumi.Output.from_input(alias_arn)
    role = aws.iam.Role(f"{name}-role", assume_role_policy=pulumi.Output.json_dumps(arn.apply(trust_policy)), opts=opts)
    statements: list[dict[str, object]] = [{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn}]
    if dead_letters_arn is not None:
        statements.append({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": dead_letters_arn})
    document = pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": statements})
    return role, aws.iam.RolePolicy(f"{name}-invoke", role=role.name, policy=document, opts=opts)


def trust_policy(alias_arn: str) -> dict[str, object]:
    """Returns the policy that lets only Scheduler assume the role, for schedules of the same account and region.

    Source: "Confused deputy prevention in EventBridge Scheduler", EventBridge Scheduler User Guide.
    """
    _, partition, _, region, account, *_ = alias_arn.split(":")
    group = f"arn:{partition}:scheduler:{region}:{account}:schedule-group/default"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "scheduler.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": account, "aws:SourceArn": group}},
            }
        ],
    }
