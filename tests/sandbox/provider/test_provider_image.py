import pytest

from sandbox.provider.inputs import UNKNOWN
from sandbox.provider.refusals import InvalidInputsError
from sandbox.provider.services.image import child_of_component, component_output

REPOSITORY = "000000000000.dkr.ecr.us-east-1.amazonaws.com/web"


def test_the_component_makes_one_image_named_by_its_tag():
    inputs = {
        "repositoryUrl": REPOSITORY,
        "context": ".",
        "dockerfile": "infra/Dockerfile",
        "platform": "linux/arm64",
        "args": {"APP_DIR": "app"},
        "target": "final",
        "imageTag": "latest",
    }
    assert child_of_component(inputs, "dev") == (
        "latest",
        {
            "tags": [f"{REPOSITORY}:latest"],
            "buildArgs": {"APP_DIR": "app"},
            "context": {"location": "."},
            "dockerfile": {"location": "infra/Dockerfile"},
            "platforms": ["linux/arm64"],
            "target": "final",
            "push": True,
        },
    )


def test_without_a_tag_the_images_name_is_constant_for_a_stack_and_another_in_another():
    inputs = {"repositoryUrl": REPOSITORY, "context": "app"}
    names = [child_of_component(inputs, stack)[0] for stack in ("dev", "dev", "prod")]
    assert (names[0] == names[1], names[0] == names[2]) == (True, False)


def test_a_misspelt_input_of_the_component_is_named():
    with pytest.raises(InvalidInputsError) as caught:
        child_of_component({"repositoryUrl": REPOSITORY, "path": "app"}, "dev")
    assert caught.value.failures == [("path", "is not an input of this type: check its spelling")]


def test_a_repository_that_is_not_known_yet_makes_tag_and_uri_unknown():
    _, child = child_of_component({"repositoryUrl": UNKNOWN, "imageTag": "latest"}, "dev")
    assert child["tags"] == [UNKNOWN]
    assert component_output({"repositoryUrl": UNKNOWN}, f"sha256:{'0' * 64}") is UNKNOWN
    assert component_output({"repositoryUrl": REPOSITORY}, UNKNOWN) is UNKNOWN


def test_the_components_output_is_the_repository_by_digest():
    assert component_output({"repositoryUrl": REPOSITORY}, "sha256:1") == f"{REPOSITORY}@sha256:1"
