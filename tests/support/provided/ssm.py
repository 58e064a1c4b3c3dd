from tests.support.provided.example import Example

EXAMPLES = (
    Example(
        pulumi_type="aws:ssm/parameter:Parameter",
        inputs={"name": "/web/greeting", "type": "SecureString", "value": "hello", "tags": {"a": "b"}},
        updates={"value": "good morning", "description": "what the web says", "tags": {"c": "d"}},
        follow=frozenset({"version"}),
        replaces={"name": "/web/other"},
    ),
)
