from tests.support.provided.example import Example

EXAMPLES = (
    Example(
        pulumi_type="aws:dynamodb/table:Table",
        inputs={
            "name": "orders",
            "billingMode": "PAY_PER_REQUEST",
            "attributes": [{"name": "customer", "type": "S"}, {"name": "created", "type": "N"}],
            "hashKey": "customer",
            "rangeKey": "created",
            "tags": {"a": "b"},
        },
        updates={
            "deletionProtectionEnabled": True,
            "pointInTimeRecovery": {"enabled": True},
            "tags": {"c": "d"},
        },
        replaces={"hashKey": "created"},
        valueless=frozenset({"streamArn", "streamLabel"}),
    ),
)
