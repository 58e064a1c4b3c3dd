from tests.support.provided.example import Example

EXAMPLES = (
    Example(
        pulumi_type="aws:sqs/queue:Queue",
        inputs={"name": "jobs", "visibilityTimeoutSeconds": 60, "tags": {"a": "b"}},
        updates={"visibilityTimeoutSeconds": 90, "delaySeconds": 5, "tags": {"c": "d"}},
        replaces={"fifoQueue": True},
        gone="http://127.0.0.1/000000000000/gone",
    ),
)
