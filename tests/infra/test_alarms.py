"""Alarms and the dashboard under the real engine: turned on, changed and turned off again, as the account has them."""

import json

from infra.alarms import publish_policy
from infra.dashboard import COLD_START, dashboard_body
from tests.support.provided import push_image
from tests.support.pulumi_command import needs_pulumi
from walk.policy import Act, evaluate

pytestmark = needs_pulumi
NAME = "dualmode-dev"
TOPIC = f"arn:aws:sns:us-east-1:000000000000:{NAME}-alarms"
# Source: "Types of metrics for Lambda functions", Lambda Developer Guide; "Monitor CloudWatch metrics for HTTP APIs",
# API Gateway Developer Guide; "Monitoring with CloudWatch metrics", CloudWatch Logs User Guide.
METRICS = {
    *(("AWS/Lambda", name, "FunctionName") for name in ("ConcurrentExecutions", "Duration", "Errors", "Throttles")),
    *(("AWS/ApiGateway", name, "ApiId") for name in ("4xx", "5xx", "Count", "Latency")),
    ("AWS/Logs", "IncomingBytes", "LogGroupName"),
}


def alarms(account):
    """What each alarm watches, when it rings and where it says so."""
    found = account.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return {
        alarm["AlarmName"]: (
            alarm["Namespace"],
            alarm["MetricName"],
            {each["Name"]: each["Value"] for each in alarm["Dimensions"]},
            alarm.get("ExtendedStatistic") or alarm["Statistic"],
            alarm["ComparisonOperator"],
            alarm["Threshold"],
            (alarm["Period"], alarm["EvaluationPeriods"], alarm["TreatMissingData"]),
            (alarm["AlarmActions"], alarm["OKActions"]),
        )
        for alarm in found
    }


def states(account):
    found = account.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return {alarm["AlarmName"].removeprefix(f"{NAME}-"): alarm["StateValue"] for alarm in found}


def subscribed(account):
    found = account.client("sns").list_subscriptions()["Subscriptions"]
    return [(each["TopicArn"], each["Protocol"], each["Endpoint"]) for each in found]


def everything(account):
    """All that alarms and the dashboard can add to an account."""
    return (
        alarms(account),
        account.client("sns").list_topics()["Topics"],
        subscribed(account),
        account.client("cloudwatch").list_dashboards()["DashboardEntries"],
        account.client("logs").describe_metric_filters()["metricFilters"],
    )


def api_id(account):
    (api,) = account.client("apigatewayv2").get_apis()["Items"]
    return api["ApiId"]


def test_alarms_are_turned_on_changed_and_turned_off_again(stack, account):
    image = push_image(account)
    stack(imageUri=image).up()
    before = everything(account)
    assert before == ({}, [], [], [], [])
    stack(imageUri=image, alarmEmail="ann@example.com").up()
    function, api = {"FunctionName": NAME}, {"ApiId": api_id(account)}
    told = ((300, 1, "notBreaching"), ([TOPIC], [TOPIC]))
    least = "GreaterThanOrEqualToThreshold"
    expected = {
        f"{NAME}-errors": ("AWS/Lambda", "Errors", function, "Sum", least, 1, *told),
        f"{NAME}-throttles": ("AWS/Lambda", "Throttles", function, "Sum", least, 1, *told),
        f"{NAME}-5xx": ("AWS/ApiGateway", "5xx", api, "Sum", least, 1, *told),
        f"{NAME}-slow": ("AWS/Lambda", "Duration", function, "p99", least, 23_200, *told),  # of 29 s
    }
    assert alarms(account) == expected
    assert subscribed(account) == [(TOPIC, "email", "ann@example.com")]
    stack(imageUri=image, alarmEmail="bob@example.com", timeout=10).up()
    assert alarms(account) == expected | {f"{NAME}-slow": (*expected[f"{NAME}-slow"][:5], 8000, *told)}
    assert subscribed(account) == [(TOPIC, "email", "bob@example.com")]
    stack(imageUri=image).up()
    assert everything(account) == before


def test_an_alarm_rings_when_its_metric_crosses_and_the_topic_says_so(stack, account):
    stack(imageUri=push_image(account), alarmEmail="ann@example.com").up()
    queues, topics, metrics = account.client("sqs"), account.client("sns"), account.client("cloudwatch")
    heard = queues.create_queue(QueueName="heard")["QueueUrl"]
    topics.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:000000000000:heard")
    seen = [states(account)]
    function = [{"Name": "FunctionName", "Value": NAME}]
    for name, value in (("Errors", 0), ("Duration", 23_199), ("Errors", 1), ("Duration", 29_000)):
        metrics.put_metric_data(
            Namespace="AWS/Lambda", MetricData=[{"MetricName": name, "Dimensions": function, "Value": value}]
        )
        seen.append(states(account))
    unknown = dict.fromkeys(("5xx", "errors", "slow", "throttles"), "INSUFFICIENT_DATA")
    assert seen == [
        unknown,
        unknown | {"errors": "OK"},
        unknown | {"errors": "OK", "slow": "OK"},
        unknown | {"errors": "ALARM", "slow": "OK"},
        unknown | {"errors": "ALARM", "slow": "ALARM"},
    ]
    messages = queues.receive_message(QueueUrl=heard, MaxNumberOfMessages=10, WaitTimeSeconds=1)["Messages"]
    told = [json.loads(json.loads(message["Body"])["Message"]) for message in messages]
    assert sorted((each["AlarmName"], each["NewStateValue"]) for each in told) == [
        (f"{NAME}-errors", "ALARM"),
        (f"{NAME}-errors", "OK"),
        (f"{NAME}-slow", "ALARM"),
        (f"{NAME}-slow", "OK"),
    ]


def test_only_the_deployments_own_alarms_may_publish(stack, account):
    stack(imageUri=push_image(account), alarmEmail="ann@example.com").up()
    policy = account.client("sns").get_topic_attributes(TopicArn=TOPIC)["Attributes"]["Policy"]
    assert json.loads(policy) == publish_policy(TOPIC, NAME)

    def allowed(alarm, account_id="000000000000", service="cloudwatch", action="sns:Publish"):
        context = {
            "aws:SourceArn": f"arn:aws:cloudwatch:us-east-1:{account_id}:alarm:{alarm}",
            "aws:SourceAccount": account_id,
        }
        act = Act(service=f"{service}.amazonaws.com", action=action, resource=TOPIC, context=context)
        return evaluate(policy, act).allowed

    assert allowed(f"{NAME}-errors")
    assert not allowed("shop-errors")
    assert not allowed(f"{NAME}-errors", account_id="111111111111")
    assert not allowed(f"{NAME}-errors", service="events")
    assert not allowed(f"{NAME}-errors", action="sns:Subscribe")


def test_the_dashboard_is_turned_on_changed_and_turned_off_again(stack, account):
    image, client = push_image(account), account.client("cloudwatch")
    stack(imageUri=image).up()
    before = everything(account)
    bodies = []
    for memory in (512, 1024):
        stack(imageUri=image, dashboard=True, memorySize=memory).up()
        bodies.append(json.loads(client.get_dashboard(DashboardName=NAME)["DashboardBody"]))
    names = {"function_arn": f"arn:aws:lambda:us-east-1:000000000000:function:{NAME}", "api_id": api_id(account)}
    places = {"log_group": f"/aws/lambda/{NAME}", "namespace": f"dualmode/{NAME}"}
    assert bodies == [dashboard_body(**names, **places, memory_size=memory) for memory in (512, 1024)]
    (made,) = account.client("logs").describe_metric_filters()["metricFilters"]
    assert (made["logGroupName"], made["filterPattern"], made["metricTransformations"]) == (
        f"/aws/lambda/{NAME}",
        COLD_START,
        [
            {
                "metricName": "InitDuration",
                "metricNamespace": f"dualmode/{NAME}",
                "metricValue": "$.record.metrics.initDurationMs",
                "unit": "Milliseconds",
            }
        ],
    )
    stack(imageUri=image).up()
    assert everything(account) == before


def test_each_metric_of_the_dashboard_is_one_that_there_is():
    arn = "arn:aws:lambda:eu-west-1:1:function:shop"
    values = {"log_group": "/aws/lambda/shop", "memory_size": 1536, "api_id": "abc", "namespace": "dualmode/shop"}
    widgets = dashboard_body(function_arn=arn, **values)["widgets"]
    metrics = [metric for widget in widgets for metric in widget["properties"]["metrics"]]
    named = {tuple(metric[:3]) for metric in metrics if len(metric) > 3}
    assert named == METRICS
    assert {(metric[2], metric[3]) for metric in metrics if len(metric) > 3} == {
        ("FunctionName", "shop"),
        ("ApiId", "abc"),
        ("LogGroupName", "/aws/lambda/shop"),
    }
    assert {tuple(metric[:2]) for metric in metrics if len(metric) == 3} == {("dualmode/shop", "InitDuration")}
    # 1536 MB for a second are 1.5 GB-seconds.
    assert [metric[0]["expression"] for metric in metrics if len(metric) == 1] == ["duration / 1000 * 1.5"]
    assert {widget["properties"]["region"] for widget in widgets} == {"eu-west-1"}
    corners = [(widget["x"], widget["y"]) for widget in widgets]
    assert corners == [(0, 0), (12, 0), (0, 6), (12, 6), (0, 12), (12, 12)]
