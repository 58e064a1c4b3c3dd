from tests.support.provided import KEEP_TWENTY, PULL
from tests.support.provided.example import Example

EXAMPLES = (
    Example(
        pulumi_type="aws:ecr/repository:Repository",
        inputs={"name": "web", "forceDelete": True, "tags": {"old": "x"}},
        updates={
            "imageTagMutability": "IMMUTABLE",
            "imageScanningConfiguration": {"scanOnPush": True},
            "tags": {"a": "b"},
        },
    ),
    Example(
        pulumi_type="aws:ecr/lifecyclePolicy:LifecyclePolicy",
        inputs=lambda made: {"repository": made["Repository"].outputs["name"], "policy": KEEP_TWENTY},
        replaces={"policy": "{}"},
    ),
    Example(
        pulumi_type="aws:ecr/repositoryPolicy:RepositoryPolicy",
        inputs=lambda made: {"repository": made["Repository"].outputs["name"], "policy": PULL},
        updates={"policy": PULL.replace("LambdaPulls", "Pulls")},
    ),
)
