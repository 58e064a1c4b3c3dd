from tests.support.provided.example import Example

EXAMPLES = (
    Example(
        pulumi_type="aws:cloudwatch/logGroup:LogGroup",
        inputs={"name": "/aws/lambda/web", "retentionInDays": 14, "tags": {"old": "x"}},
        updates={"retentionInDays": 30, "tags": {"a": "b"}},
    ),
)
