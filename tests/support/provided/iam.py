from tests.support.provided import TRUST, WRITE_LOGS
from tests.support.provided.example import Example

EXAMPLES = (
    Example(
        pulumi_type="aws:iam/role:Role",
        inputs={"name": "web", "assumeRolePolicy": TRUST, "tags": {"old": "x"}},
        updates={"description": "runs the web", "maxSessionDuration": 7200, "tags": {"a": "b"}},
    ),
    Example(
        pulumi_type="aws:iam/rolePolicy:RolePolicy",
        inputs=lambda made: {"name": "logs", "role": made["Role"].outputs["name"], "policy": WRITE_LOGS},
        updates={"policy": WRITE_LOGS.replace("logs:PutLogEvents", "logs:CreateLogStream")},
        gone="gone:gone",
    ),
)
