"""What CloudWatch, its logs and SNS refuse of alarms, dashboards, metric filters, subscriptions and policies."""

import json

import pytest

from sandbox.provider.refusals import InvalidInputsError, ResourceRefusedError
from tests.support.provided import Made

TYPES = {
    "Dashboard": "aws:cloudwatch/dashboard:Dashboard",
    "LogMetricFilter": "aws:cloudwatch/logMetricFilter:LogMetricFilter",
    "MetricAlarm": "aws:cloudwatch/metricAlarm:MetricAlarm",
    "TopicPolicy": "aws:sns/topicPolicy:TopicPolicy",
    "TopicSubscription": "aws:sns/topicSubscription:TopicSubscription",
}


def body(**widget):
    return {"dashboardBody": json.dumps({"widgets": [{"type": "text", "properties": {"markdown": "a"}} | widget]})}


def policy(action, **statement):
    allowed = {"Effect": "Allow", "Principal": "*", "Resource": "*", "Action": action} | statement
    return {"policy": json.dumps({"Version": "2012-10-17", "Statement": [allowed]})}


@pytest.fixture(scope="module")
def made(account, provider):
    return Made(provider, account)


@pytest.mark.parametrize(
    ("short", "inputs", "path", "reason"),
    [
        ("MetricAlarm", {"period": 45}, "period", "45 s is not a period: CloudWatch takes 10, 20, 30 or a multiple"),
        ("MetricAlarm", {"period": 0}, "period", "0 s is not a period"),
        (
            "MetricAlarm",
            {"period": 300, "evaluationPeriods": 289},
            "evaluationPeriods",
            "289 periods of 300 s are more than 86400 s",
        ),
        ("MetricAlarm", {"datapointsToAlarm": 6}, "datapointsToAlarm", "6 are more than the 5 evaluationPeriods"),
        (
            "MetricAlarm",
            {"extendedStatistic": "p99"},
            "statistic",
            "exactly one of statistic and extendedStatistic must be given",
        ),
        ("MetricAlarm", {"namespace": None}, "namespace", "is missing"),
        ("MetricAlarm", {"alarmActions": ["me@example.com"]}, "alarmActions", "Invalid arn syntax: me@example.com"),
        (
            "MetricAlarm",
            {"treatMissingData": "fine"},
            "treatMissingData",
            "fine is not a valid value: AWS takes breaching, ignore, missing, notBreaching",
        ),
        ("MetricAlarm", {"comparisonOperator": "Above"}, "comparisonOperator", "Value 'Above' at"),
        ("Dashboard", {"dashboardBody": "widgets"}, "dashboardBody", "must be JSON"),
        ("Dashboard", {"dashboardBody": "{}"}, "dashboardBody", "The dashboard body is invalid: it has no list of"),
        (
            "Dashboard",
            body(type="graph"),
            "dashboardBody",
            "The dashboard body is invalid: /widgets/0/type 'graph' is not a type of widget",
        ),
        (
            "Dashboard",
            body(x=12, width=13),
            "dashboardBody",
            "The dashboard body is invalid: /widgets/0/width does not fit into 24 columns",
        ),
        (
            "Dashboard",
            body(type="metric", properties={"metrics": [["AWS/Lambda", "Errors"]]}),
            "dashboardBody",
            "The dashboard body is invalid: /widgets/0/properties/region is missing",
        ),
        (
            "Dashboard",
            body(type="metric", properties={"region": "us-east-1"}),
            "dashboardBody",
            "The dashboard body is invalid: /widgets/0/properties has neither metrics nor annotations",
        ),
        (
            "LogMetricFilter",
            {
                "metricTransformation": {
                    "name": "a",
                    "namespace": "b",
                    "value": "1",
                    "defaultValue": "0",
                    "dimensions": {"c": "$.d"},
                }
            },
            "metricTransformation",
            "a metric with dimensions can't have a defaultValue",
        ),
        ("TopicSubscription", {"endpoint": "me"}, "endpoint", "Invalid parameter: Email address me"),
        ("TopicSubscription", {"protocol": "fax"}, "protocol", "fax is not a valid value: AWS takes application"),
        ("TopicPolicy", policy("sns:*"), "policy", "Invalid parameter: Policy statement action out of service scope!"),
        ("TopicPolicy", policy("s3:GetObject"), "policy", "Invalid parameter: Policy statement action out of service"),
    ],
)
def test_what_aws_forbids_is_refused_before_anything_is_made(made, provider, short, inputs, path, reason):
    with pytest.raises(InvalidInputsError) as caught:
        provider.check(TYPES[short], "mine", {**made[short].inputs, **inputs})
    ((found, sentence),) = caught.value.failures
    assert (found, sentence[: len(reason)]) == (path, reason)


@pytest.mark.parametrize(
    ("short", "inputs", "reason"),
    [
        ("LogMetricFilter", {"name": "other", "logGroupName": "gone"}, "The specified log group does not exist"),
        ("TopicSubscription", {"topic": "arn:aws:sns:us-east-1:000000000000:gone"}, "Topic does not exist"),
        ("TopicPolicy", {"arn": "arn:aws:sns:us-east-1:000000000000:gone"}, "Topic does not exist"),
    ],
)
def test_what_names_something_that_is_not_there_is_refused(made, provider, short, inputs, reason):
    with pytest.raises(ResourceRefusedError) as caught:
        provider.create(TYPES[short], "mine", {**made[short].inputs, **inputs})
    assert reason in str(caught.value)


def test_a_topic_without_its_policy_is_the_accounts_alone(made, provider, account):
    found = made["TopicPolicy"]
    provider.delete(TYPES["TopicPolicy"], "mine", found.identity, found.outputs)
    attributes = account.client("sns").get_topic_attributes(TopicArn=found.identity)["Attributes"]
    (statement,) = json.loads(attributes["Policy"])["Statement"]
    assert statement["Condition"] == {"StringEquals": {"AWS:SourceOwner": "000000000000"}}
