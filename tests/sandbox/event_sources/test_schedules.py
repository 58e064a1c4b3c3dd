"""When the sandbox fires the schedules of an account, and which one a name means."""

import json

import pytest

from sandbox.errors import SandboxError
from sandbox.event_sources.schedules import Schedules

TARGET = {
    "Arn": "arn:aws:lambda:us-east-1:000000000000:function:web:live",
    "RoleArn": "arn:aws:iam::000000000000:role/clock",
    "DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:000000000000:failed"},
    "Input": '{"a": 1}',
}


class Clock:
    """Shows the seconds that it is set to."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def schedules(ministack, account, clock):
    ministack.reset()
    return Schedules(account=account, asynchronous=None, clock=clock)


def put(account, name, expression, **other):
    call = {"FlexibleTimeWindow": {"Mode": "OFF"}, "Target": TARGET, **other}
    account.client("scheduler").create_schedule(Name=name, ScheduleExpression=expression, **call)


def due(schedules, clock, seconds):
    clock.now = seconds
    return [schedule["Name"] for schedule in schedules.due()]


def test_a_rate_is_due_after_each_interval_and_nothing_else_is(schedules, account, clock):
    put(account, "minute", "rate(1 minute)")
    put(account, "hour", "rate(1 hour)")
    put(account, "off", "rate(1 minute)", State="DISABLED")
    put(account, "cron", "cron(* * * * ? *)")
    seen = {seconds: due(schedules, clock, seconds) for seconds in (0, 59, 60, 61, 119, 120, 3601)}
    assert seen == {0: [], 59: [], 60: ["minute"], 61: [], 119: [], 120: ["minute"], 3601: ["minute", "hour"]}


def test_a_schedule_is_named_with_or_without_the_deployment(schedules, account):
    put(account, "shop-dev-nightly", "rate(1 day)")
    assert schedules.named("nightly")["Name"] == schedules.named("shop-dev-nightly")["Name"] == "shop-dev-nightly"
    with pytest.raises(SandboxError, match=r"^There is no schedule daily: the schedules are shop-dev-nightly\.$"):
        schedules.named("daily")


def test_what_scheduler_may_not_invoke_is_a_dead_letter_with_the_input(schedules, account):
    statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
    trust = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
    account.client("iam").create_role(RoleName="clock", AssumeRolePolicyDocument=json.dumps(trust))
    account.client("iam").put_role_policy(
        RoleName="clock", PolicyName="send", PolicyDocument=json.dumps({"Statement": [statement]})
    )
    url = account.client("sqs").create_queue(QueueName="failed")["QueueUrl"]
    put(account, "nightly", "rate(1 day)")
    with pytest.raises(SandboxError, match=r"^Scheduler's role .* may not invoke .*web:live: statement 1 is about"):
        schedules.fire(schedules.named("nightly"))
    assert [m["Body"] for m in account.client("sqs").receive_message(QueueUrl=url)["Messages"]] == ['{"a": 1}']
