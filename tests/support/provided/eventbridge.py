import json

from tests.support.provided.example import Example

EXAMPLES = (
    Example(
        pulumi_type="aws:cloudwatch/eventRule:EventRule",
        inputs={"name": "paid", "eventPattern": json.dumps({"source": ["shop"]}), "tags": {"a": "b"}},
        updates={"eventPattern": json.dumps({"source": ["till"]}), "tags": {"c": "d"}},
        replaces={"name": "other"},
    ),
    Example(
        pulumi_type="aws:cloudwatch/eventTarget:EventTarget",
        inputs=lambda made: {
            "rule": made["EventRule"].outputs["name"],
            "targetId": "function",
            "arn": made["Alias"].outputs["arn"],
            "inputTransformer": {"inputTemplate": '{"body": <aws.events.event.json>}'},
            "deadLetterConfig": {"arn": made["Queue"].outputs["arn"]},
        },
        updates={"inputTransformer": {"inputTemplate": '{"other": <aws.events.event.json>}'}},
        replaces={"targetId": "other"},
        gone="gone-gone",
    ),
)
