from tests.support.provided.example import Example

EXAMPLES = (
    Example(
        pulumi_type="aws:scheduler/schedule:Schedule",
        inputs=lambda made: {
            "name": "nightly",
            "scheduleExpression": "rate(5 minutes)",
            "flexibleTimeWindow": {"mode": "OFF"},
            "target": {
                "arn": made["Alias"].outputs["arn"],
                "roleArn": made["Role"].outputs["arn"],
                "input": "{}",
            },
        },
        updates={"scheduleExpression": "cron(30 3 * * ? *)", "scheduleExpressionTimezone": "Europe/Berlin"},
        replaces={"name": "other"},
        gone="default/gone",
    ),
)
