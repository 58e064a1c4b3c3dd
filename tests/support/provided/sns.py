import json

from tests.support.provided.example import Example


def publishing(made, service):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": made["Topic"].outputs["arn"],
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


EXAMPLES = (
    Example(
        pulumi_type="aws:sns/topic:Topic",
        inputs={"name": "orders", "displayName": "Orders", "tags": {"a": "b"}},
        updates={"displayName": "All orders", "tracingConfig": "Active", "tags": {"c": "d"}},
        follow=frozenset({"policy"}),  # the one that was set afterwards
        replaces={"fifoTopic": True},
        valueless=frozenset({"beginningArchiveTime"}),
        gone="arn:aws:sns:us-east-1:000000000000:gone",
    ),
    Example(
        pulumi_type="aws:sns/topicSubscription:TopicSubscription",
        inputs=lambda made: {
            "topic": made["Topic"].outputs["arn"],
            "protocol": "email",
            "endpoint": "me@example.com",
        },
        updates={"filterPolicy": json.dumps({"kind": ["loud"]})},
        follow=frozenset({"filterPolicyScope"}),
        replaces={"endpoint": "you@example.com"},
        gone="arn:aws:sns:us-east-1:000000000000:gone:00000000-0000-0000-0000-000000000000",
    ),
    Example(
        pulumi_type="aws:sns/topicPolicy:TopicPolicy",
        inputs=lambda made: {"arn": made["Topic"].outputs["arn"], "policy": publishing(made, "cloudwatch")},
        replaces={"arn": "arn:aws:sns:us-east-1:000000000000:other"},
        gone="arn:aws:sns:us-east-1:000000000000:gone",
    ),
)
