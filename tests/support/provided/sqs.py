import json

from tests.support.provided.example import Example


def policy(action):
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


EXAMPLES = (
    Example(
        pulumi_type="aws:sqs/queue:Queue",
        inputs={"name": "jobs", "visibilityTimeoutSeconds": 60, "tags": {"a": "b"}},
        updates={"visibilityTimeoutSeconds": 90, "delaySeconds": 5, "tags": {"c": "d"}},
        follow=frozenset({"policy"}),
        replaces={"fifoQueue": True},
        gone="http://127.0.0.1/000000000000/gone",
    ),
    Example(
        pulumi_type="aws:sqs/queuePolicy:QueuePolicy",
        inputs=lambda made: {"queueUrl": made["Queue"].outputs["url"], "policy": policy("sqs:SendMessage")},
        updates={"policy": policy("sqs:*")},
        replaces={"queueUrl": "http://127.0.0.1/000000000000/other"},
        gone="http://127.0.0.1/000000000000/gone",
    ),
)
