"""CloudWatch: alarms on one metric, and dashboards.

Source: hashicorp/terraform-provider-aws, internal/service/cloudwatch/{metric_alarm,dashboard}.go.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.call import Call, given, parameters
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.forms import ANYTHING, INTEGER, JSON, TEXT, TEXTS, Plain
from sandbox.provider.inputs import Inputs, is_known
from sandbox.provider.resource_type import ResourceType
from sandbox.provider.tags import Tags

_DAY, _WEEK = 86_400, 604_800  # seconds
_SHORT_PERIODS = (10, 20, 30)  # seconds
_WIDGETS = frozenset({"alarm", "custom", "explorer", "log", "metric", "text"})
_COLUMNS, _MOST_ROWS = 24, 1000


def _pairs(inputs: Inputs, key: str) -> Any:
    found = inputs.names(key)
    if not isinstance(found, Mapping):
        return found
    return [{"Name": name, "Value": value} for name, value in sorted(found.items())]


def _map(found: Any) -> dict[str, str]:
    return {pair["Name"]: pair["Value"] for pair in found}


_DIMENSIONS = Plain(_pairs, _map, dict)


class MetricAlarm(ResourceType):
    """`aws.cloudwatch.MetricAlarm`, of one metric."""

    pulumi_type = "aws:cloudwatch/metricAlarm:MetricAlarm"
    service = "cloudwatch"
    fields = (
        Field("name", "AlarmName", required=True),
        Field("actionsEnabled", default=True),
        *("alarmActions", "insufficientDataActions", "okActions", "alarmDescription"),
        Field("comparisonOperator", required=True),
        "datapointsToAlarm",
        Field("dimensions", form=_DIMENSIONS),
        Field("evaluateLowSampleCountPercentiles", "EvaluateLowSampleCountPercentile", echoed=True),
        Field("evaluationPeriods", required=True),
        *("extendedStatistic", "metricName", "namespace", "period", "statistic", "threshold"),
        Field("treatMissingData", default="missing", allowed=("breaching", "ignore", "missing", "notBreaching")),
        "unit",
        *unsupported("evaluationCriteria", "evaluationWindow", "warmUpConfiguration", form=ANYTHING),
        *unsupported("evaluationInterval", form=INTEGER),
        *unsupported("metricQueries", form=TEXTS),
        *unsupported("thresholdMetricId", form=TEXT),
        Output("arn", "AlarmArn"),
    )
    tags = Tags("{arn}")
    autonamed = "name"
    replace_on_changes = frozenset({"name"})
    create_call = Call("PutMetricAlarm")
    identity = "{name}"
    read_calls = (Call("DescribeAlarms", "MetricAlarms[0]", AlarmNames=["{id}"]),)
    delete_call = Call("DeleteAlarms", AlarmNames=["{id}"])

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse what PutMetricAlarm refuses. Source: "PutMetricAlarm", CloudWatch API Reference."""
        if not is_known({name: value for name, value in wanted.items() if name in _LIMITED}):
            return []
        return [*_metric_mistakes(wanted), *_period_mistakes(wanted)]

    def read(self, identity: str, state: Mapping[str, Any]) -> Any:
        """Return the alarm; with a percentile it has no other statistic, though the emulator says so."""
        alarm = super().read(identity, state)
        return alarm and {**alarm, "Statistic": None if alarm.get("ExtendedStatistic") else alarm.get("Statistic")}

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Put the whole alarm again: what isn't given is as in a new one; its tags have calls of their own."""
        self.client.put_metric_alarm(**given({**self.create_request(wanted), "Tags": None}))
        super().update(identity, wanted, old)


_LIMITED = frozenset(
    {
        *("alarmActions", "datapointsToAlarm", "evaluationPeriods", "extendedStatistic", "insufficientDataActions"),
        *("metricName", "namespace", "okActions", "period", "statistic", "threshold"),
    }
)


def _metric_mistakes(wanted: Values) -> Iterator[tuple[str, str]]:
    for name in ("metricName", "namespace", "period", "threshold"):
        if wanted[name] is None:
            yield name, "is missing: an alarm of one metric has it"
    if (wanted["statistic"] is None) == (wanted["extendedStatistic"] is None):
        yield "statistic", "exactly one of statistic and extendedStatistic must be given"
    for name in ("alarmActions", "insufficientDataActions", "okActions"):
        for arn in wanted[name] or ():
            if not arn.startswith("arn:"):
                yield name, f"Invalid arn syntax: {arn}"


def _period_mistakes(wanted: Values) -> Iterator[tuple[str, str]]:
    period, periods = wanted["period"], wanted["evaluationPeriods"]
    if period is None:
        return
    if period not in _SHORT_PERIODS and (period < 60 or period % 60):
        yield "period", f"{period} s is not a period: CloudWatch takes 10, 20, 30 or a multiple of 60"
    longest = _DAY if period < 3600 else _WEEK
    if period * periods > longest:
        yield "evaluationPeriods", f"{periods} periods of {period} s are more than {longest} s"
    if (wanted["datapointsToAlarm"] or 0) > periods:
        yield "datapointsToAlarm", f"{wanted['datapointsToAlarm']} are more than the {periods} evaluationPeriods"


class Dashboard(ResourceType):
    """`aws.cloudwatch.Dashboard`."""

    pulumi_type = "aws:cloudwatch/dashboard:Dashboard"
    service = "cloudwatch"
    fields = (
        Field("dashboardName", required=True),
        Field("dashboardBody", form=JSON, required=True),
        Output("dashboardArn", "DashboardArn"),
    )
    replace_on_changes = frozenset({"dashboardName"})
    create_call = Call("PutDashboard")
    identity = "{dashboardName}"
    identified_by = parameters(DashboardName="{id}")
    read_calls = (Call("GetDashboard"),)
    update_calls = (Call("PutDashboard"),)
    delete_call = Call("DeleteDashboards", DashboardNames=["{id}"])

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse a body that PutDashboard refuses. Source: "Dashboard body structure", CloudWatch API Reference."""
        body = wanted["dashboardBody"]
        if not isinstance(body, str):
            return []
        return [("dashboardBody", f"The dashboard body is invalid: {mistake}") for mistake in _mistakes(body)]


def _mistakes(text: str) -> Iterator[str]:
    try:
        body = json.loads(text)
    except ValueError:
        return  # said already
    widgets = body.get("widgets") if isinstance(body, dict) else None
    if not isinstance(widgets, list):
        yield "it has no list of widgets"
        return
    for number, widget in enumerate(widgets):
        where, properties = f"/widgets/{number}", widget.get("properties")
        if widget.get("type") not in _WIDGETS:
            yield f"{where}/type {widget.get('type')!r} is not a type of widget"
        if not 1 <= widget.get("width", 6) <= _COLUMNS - widget.get("x", 0):
            yield f"{where}/width does not fit into {_COLUMNS} columns"
        if not 1 <= widget.get("height", 6) <= _MOST_ROWS:
            yield f"{where}/height is not between 1 and {_MOST_ROWS}"
        if not isinstance(properties, dict):
            yield f"{where}/properties is missing"
        elif widget.get("type") == "metric":
            if "region" not in properties:
                yield f"{where}/properties/region is missing"
            if not properties.get("metrics") and not properties.get("annotations"):
                yield f"{where}/properties has neither metrics nor annotations"
