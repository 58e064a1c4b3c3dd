"""Which of the account's alarms a request would set off on AWS: MiniStack keeps alarms, but never evaluates them."""

from collections.abc import Iterator

from sandbox.edge.answer import Answer
from sandbox.output import ALARM
from walk.account import Account
from walk.queries import every
from walk.trace import Hop

_LEAST_MS = 800.0
"""No alarm on the duration is below this: the shortest timeout is 1 s, and it looks at 80 % of it."""


def alarmed(account: Account, answer: Answer) -> list[Hop]:
    """Return a hop for each alarm that this one answer would set off, by the metrics that AWS counts for it.

    Source: "Types of metrics for Lambda functions", Lambda Developer Guide; "Monitor CloudWatch metrics for HTTP APIs",
    API Gateway Developer Guide.
    """
    counted = dict(_counted(answer))
    if not counted:
        return []
    alarms = every(account.client("cloudwatch"), "describe_alarms", "MetricAlarms")
    return [
        Hop(
            hop=ALARM,
            id=alarm["AlarmName"],
            detail=f"would go off: {alarm.get('AlarmDescription') or alarm['MetricName']}",
        )
        for alarm in alarms
        if counted.get((str(alarm.get("Namespace")), str(alarm.get("MetricName"))), -1.0) >= alarm["Threshold"]
    ]


def _counted(answer: Answer) -> Iterator[tuple[tuple[str, str], float]]:
    """The metrics that count the answer, with its values; durations in ms."""
    refusal = answer.trace.refusal
    if answer.response.status >= 500:
        yield ("AWS/ApiGateway", "5xx"), 1
    if refusal is not None and refusal.cause == "concurrency-zero":
        yield ("AWS/Lambda", "Throttles"), 1
    if refusal is not None and refusal.cause == "function-failed":
        yield ("AWS/Lambda", "Errors"), 1
    if answer.log is not None and answer.duration >= _LEAST_MS:
        answer.log.wait()
        duration = answer.log.duration()
        if duration is not None:
            yield ("AWS/Lambda", "Duration"), duration
