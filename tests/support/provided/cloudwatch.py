import json

from tests.support.provided.example import Example

EXAMPLES = (
    Example(
        pulumi_type="aws:cloudwatch/logGroup:LogGroup",
        inputs={"name": "/aws/lambda/web", "retentionInDays": 14, "tags": {"old": "x"}},
        updates={"retentionInDays": 30, "tags": {"a": "b"}},
    ),
    Example(
        pulumi_type="aws:cloudwatch/logMetricFilter:LogMetricFilter",
        inputs=lambda made: {
            "name": "cold-starts",
            "logGroupName": made["LogGroup"].outputs["name"],
            "pattern": "{ $.record.metrics.initDurationMs > 0 }",
            "metricTransformation": {"name": "InitDuration", "namespace": "web", "value": "1", "unit": "Count"},
        },
        updates={
            "pattern": "{ $.record.metrics.initDurationMs > 100 }",
            "metricTransformation": {"name": "Slow", "namespace": "web", "value": "1", "unit": "Count"},
        },
        replaces={"logGroupName": "other"},
    ),
    Example(
        pulumi_type="aws:cloudwatch/metricAlarm:MetricAlarm",
        inputs=lambda made: {
            "name": "web-errors",
            "namespace": "AWS/Lambda",
            "metricName": "Errors",
            "dimensions": {"FunctionName": "web"},
            "statistic": "Sum",
            "period": 60,
            "evaluationPeriods": 5,
            "datapointsToAlarm": 1,
            "comparisonOperator": "GreaterThanOrEqualToThreshold",
            "threshold": 1,
            "treatMissingData": "notBreaching",
            "alarmActions": [made["Topic"].outputs["arn"]],
            "tags": {"old": "x"},
        },
        updates={
            "statistic": "Maximum",
            "threshold": 2,
            "dimensions": {"FunctionName": "web", "Resource": "web:live"},
            "alarmActions": [],
            "alarmDescription": "It failed.",
            "tags": {"a": "b"},
        },
        replaces={"name": "other"},
    ),
    Example(
        pulumi_type="aws:cloudwatch/dashboard:Dashboard",
        inputs={
            "dashboardName": "web",
            "dashboardBody": json.dumps({"widgets": [{"type": "text", "properties": {"markdown": "# Web"}}]}),
        },
        updates={"dashboardBody": json.dumps({"widgets": []})},
        replaces={"dashboardName": "other"},
    ),
)
