"""What the settings for jobs create and secure, seen in the account."""

import json

import pytest

from tests.support.program import Program

ACCOUNT = "000000000000"
NAME = "dualmode-dev"
ALIAS = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{NAME}:live"


def queue(name):
    return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{NAME}-{name}"


def rule(name):
    return f"arn:aws:events:us-east-1:{ACCOUNT}:rule/{NAME}-{name}"


def policy(deployed, name):
    return json.loads(deployed.one("RolePolicy", name).inputs["policy"])["Statement"]


@pytest.fixture(scope="module")
def everything(ministack, tmp_path_factory):
    """A deployment with a job of each kind, in an account that no other test changes."""
    return Program(ministack, tmp_path_factory.mktemp("jobs")).deploy(
        schedules=[
            {"name": "nightly", "path": "/nightly", "cron": "30 3 * * ? *", "timeZone": "Europe/Berlin", "body": "[1]"},
            {"name": "often", "path": "/often", "rate": "5 minutes", "method": "GET", "enabled": False},
        ],
        queues=[{"name": "mail", "path": "/mail", "batchSize": 50, "batchWindow": 3, "maxReceives": 2}],
        events=[{"name": "paid", "path": "/paid", "pattern": {"source": ["shop"]}}],
        keepWarm=5,
        timeout=20,
    )


def test_the_function_is_told_the_path_of_each_job(everything):
    found = everything.account.client("lambda").get_function_configuration(FunctionName=NAME)["Environment"]
    assert json.loads(found["Variables"]["DUALMODE_JOBS"]) == {
        "schedules": {"nightly": "POST /nightly", "often": "GET /often"},
        "queues": {queue("mail"): "/mail"},
        "events": {"paid": "/paid"},
    }


def test_the_function_may_read_exactly_its_queues_and_send_what_failed_for_good(everything):
    assert policy(everything, "function-jobs") == [
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue("failed")},
        {
            "Effect": "Allow",
            "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            "Resource": [queue("mail")],
        },
    ]


def test_scheduler_may_invoke_the_alias_alone_and_only_for_schedules_of_the_account(everything):
    invoke = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": ALIAS}
    assert policy(everything, "schedule-invoke") == [
        invoke,
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue("failed")},
    ]
    assert policy(everything, "keep-warm-invoke") == [invoke]
    group = f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule-group/default"
    for role in ("schedule-role", "keep-warm-role"):
        assert json.loads(everything.one("Role", role).inputs["assumeRolePolicy"])["Statement"] == [
            {
                "Effect": "Allow",
                "Principal": {"Service": "scheduler.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": group}},
            }
        ]


def test_a_schedule_sends_its_name_and_its_body_at_its_time(everything):
    scheduler = everything.account.client("scheduler")
    seen = {}
    for name in (f"{NAME}-nightly", f"{NAME}-often", f"{NAME}.keep-warm"):
        found = scheduler.get_schedule(Name=name)
        time = (found["ScheduleExpression"], found["ScheduleExpressionTimezone"], found["State"])
        seen[name] = (*time, json.loads(found["Target"]["Input"]), found["Target"]["Arn"])
    assert seen == {
        f"{NAME}-nightly": (
            *("cron(30 3 * * ? *)", "Europe/Berlin", "ENABLED"),
            *({"dualmode": {"schedule": "nightly"}, "body": [1]}, ALIAS),
        ),
        f"{NAME}-often": ("rate(5 minutes)", "UTC", "DISABLED", {"dualmode": {"schedule": "often"}}, ALIAS),
        f"{NAME}.keep-warm": ("rate(5 minutes)", "UTC", "ENABLED", {"dualmode": {"keepWarm": True}}, ALIAS),
    }


def test_a_queue_hides_a_batch_for_six_timeouts_and_its_window_and_gives_up_after_max_receives(everything):
    found = everything.one("Queue", "queue-mail").inputs
    assert found["visibilityTimeoutSeconds"] == 6 * 20 + 3
    assert json.loads(found["redrivePolicy"]) == {"deadLetterTargetArn": queue("mail-failed"), "maxReceiveCount": 2}
    mapping = everything.one("EventSourceMapping").inputs
    assert {name: mapping[name] for name in mapping if not name.startswith("__")} == {
        "eventSourceArn": queue("mail"),
        "functionName": ALIAS,
        "batchSize": 50,
        "maximumBatchingWindowInSeconds": 3,
        "functionResponseTypes": ["ReportBatchItemFailures"],
    }


def test_only_the_rule_may_invoke_the_alias_and_send_to_the_dead_letter_queue(everything):
    granted = everything.one("Permission", "event-paid-permission").inputs
    assert (granted["principal"], granted["qualifier"], granted["sourceArn"]) == (
        *("events.amazonaws.com", "live"),
        rule("paid"),
    )
    assert json.loads(everything.one("QueuePolicy").inputs["policy"])["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue("failed"),
            "Condition": {"ArnEquals": {"aws:SourceArn": [rule("paid")]}},
        }
    ]


def test_a_dead_letter_is_kept_for_fourteen_days_and_the_first_one_rings(everything):
    queues, alarms = everything.account.client("sqs"), everything.account.client("cloudwatch").describe_alarms()
    for name in (f"{NAME}-failed", f"{NAME}-mail-failed"):
        url = queues.get_queue_url(QueueName=name)["QueueUrl"]
        kept = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["MessageRetentionPeriod"])["Attributes"]
        assert int(kept["MessageRetentionPeriod"]) == 14 * 24 * 60 * 60
        (alarm,) = (alarm for alarm in alarms["MetricAlarms"] if alarm["AlarmName"] == name)
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")


def test_each_dead_letter_queue_has_an_alarm(everything):
    assert dead_letter_alarms(everything) == {f"{NAME}-failed": ([], []), f"{NAME}-mail-failed": ([], [])}


def dead_letter_alarms(deployed):
    """What the alarms on queues do when they begin and when they are over, each by its queue's name and its own."""
    found = deployed.account.client("cloudwatch").describe_alarms()["MetricAlarms"]
    alarms = [alarm for alarm in found if alarm["Namespace"] == "AWS/SQS"]
    assert [alarm["Dimensions"] for alarm in alarms] == [
        [{"Name": "QueueName", "Value": alarm["AlarmName"]}] for alarm in alarms
    ]
    return {alarm["AlarmName"]: (alarm["AlarmActions"], alarm["OKActions"]) for alarm in alarms}


def test_with_an_address_for_alarms_the_one_of_each_dead_letter_queue_sends_an_email(program):
    queues = [{"name": "mail", "path": "/mail"}]
    events = [{"name": "paid", "path": "/paid", "pattern": {"source": ["shop"]}}]
    deployed = program.deploy(queues=queues, events=events, alarmEmail="ops@example.com")
    told = [deployed.one("Topic").outputs["arn"]]
    assert dead_letter_alarms(deployed) == {f"{NAME}-failed": (told, told), f"{NAME}-mail-failed": (told, told)}


def test_without_jobs_there_is_nothing_of_them(without_domain):
    kinds = ("Schedule", "Queue", "EventSourceMapping", "EventRule", "MetricAlarm", "FunctionEventInvokeConfig")
    assert {kind: without_domain.count(kind) for kind in kinds} == dict.fromkeys(kinds, 0)
