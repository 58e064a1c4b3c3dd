import json

from tests.support.provided import TRUST, WRITE_LOGS
from tests.support.provided.example import Example

SCHEDULER = {
    "Effect": "Allow",
    "Principal": {"Service": "scheduler.amazonaws.com"},
    "Action": "sts:AssumeRole",
    "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:scheduler:*:000000000000:schedule-group/default"}},
}
BOTH = json.dumps({"Version": "2012-10-17", "Statement": [*json.loads(TRUST)["Statement"], SCHEDULER]})

EXAMPLES = (
    Example(
        pulumi_type="aws:iam/role:Role",
        inputs={"name": "web", "assumeRolePolicy": BOTH, "tags": {"old": "x"}},
        updates={"description": "runs the web", "maxSessionDuration": 7200, "tags": {"a": "b"}},
        follow=frozenset({"managedPolicyArns"}),  # the policy that was attached to it afterwards
    ),
    Example(
        pulumi_type="aws:iam/rolePolicy:RolePolicy",
        inputs=lambda made: {"name": "logs", "role": made["Role"].outputs["name"], "policy": WRITE_LOGS},
        updates={"policy": WRITE_LOGS.replace("logs:PutLogEvents", "logs:CreateLogStream")},
        gone="gone:gone",
    ),
    Example(
        pulumi_type="aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        inputs=lambda made: {
            "role": made["Role"].outputs["name"],
            "policyArn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
        },
        replaces={"policyArn": "arn:aws:iam::aws:policy/AmazonS3FullAccess"},
        gone="gone/arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
    ),
    Example(
        pulumi_type="aws:iam/policy:Policy",
        inputs={"name": "deploy", "policy": WRITE_LOGS, "description": "deploys", "tags": {"old": "x"}},
        updates={"policy": WRITE_LOGS.replace("logs:PutLogEvents", "logs:CreateLogStream"), "tags": {"a": "b"}},
        replaces={"description": "deploys more"},
        gone="arn:aws:iam::000000000000:policy/gone",
    ),
    Example(
        pulumi_type="aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        inputs={"url": "https://token.sandbox.test", "clientIdLists": ["sts.amazonaws.com"], "tags": {"a": "b"}},
        replaces={"url": "https://other.sandbox.test"},
        gone="arn:aws:iam::000000000000:oidc-provider/gone",
    ),
)
