from tests.support.provided.example import Example

EXAMPLES = (
    Example(
        pulumi_type="aws:sns/topic:Topic",
        inputs={"name": "orders", "displayName": "Orders", "tags": {"a": "b"}},
        updates={"displayName": "All orders", "tracingConfig": "Active", "tags": {"c": "d"}},
        replaces={"fifoTopic": True},
        valueless=frozenset({"beginningArchiveTime"}),
        gone="arn:aws:sns:us-east-1:000000000000:gone",
    ),
)
