from tests.support.provided.example import Example

EXAMPLES = (
    Example(
        pulumi_type="docker-build:index:Image",
        inputs=lambda made: {
            "tags": [f"{made['Repository'].outputs['repositoryUrl']}:latest"],
            "context": {"location": "context"},
            "buildArgs": {"APP_DIR": "app"},
            "platforms": ["linux/amd64"],
            "push": True,
        },
    ),
)
