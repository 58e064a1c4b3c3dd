"""What a fault breaks in an account that others use too: the version that is live now, and nothing of their repairs."""

import pytest

from sandbox.errors import SandboxError
from tests.support.account_faults import faults_of
from tests.support.api_accounts import ALIAS, FUNCTION, REPOSITORY, publish

NAMED = {"FunctionName": FUNCTION}


@pytest.fixture
def faults(made, ministack, tmp_path):
    with faults_of(ministack, tmp_path) as found:
        yield found


def reserve(made, number):
    made.functions.put_function_concurrency(**NAMED, ReservedConcurrentExecutions=number)


def reserved(made):
    return made.functions.get_function_concurrency(**NAMED).get("ReservedConcurrentExecutions")


def tags(made):
    listed = made.ecr.list_images(repositoryName=REPOSITORY)["imageIds"]
    return sorted(image["imageTag"] for image in listed)


def second_version(made):
    """The number of a version with an image of its own, which is tagged `two`."""
    pushed = made.ecr.put_image(repositoryName=REPOSITORY, imageManifest='{"a": 1}', imageTag="two")["image"]
    made.functions.get_waiter("function_active_v2").wait(**NAMED, WaiterConfig={"Delay": 0.2})
    uri = f"{made.image.partition('@')[0]}@{pushed['imageId']['imageDigest']}"
    made.functions.update_function_code(**NAMED, ImageUri=uri)
    return publish(made)


def test_a_throttled_function_has_its_own_number_of_copies_again(made, faults):
    reserve(made, 7)
    faults.set("throttling")
    assert (reserved(made), faults.standing()) == (0, ("throttling",))
    faults.clear("throttling")
    assert (reserved(made), faults.standing()) == (7, ())


def test_a_fault_that_somebody_repairs_is_no_longer_set_and_stays_as_they_left_it(made, faults):
    for name in ("throttling", "deleted-image", "expired-certificate"):
        faults.set(name)
    reserve(made, 5)
    assert faults.standing() == ("deleted-image", "expired-certificate")
    made.ecr.put_image(repositoryName=REPOSITORY, imageManifest="{}", imageTag="two")
    assert faults.standing() == ("expired-certificate",)
    for name in ("throttling", "deleted-image", "expired-certificate"):
        faults.clear(name)
    assert (reserved(made), tags(made), faults.standing()) == (5, ["two"], ())


def test_what_was_removed_meanwhile_is_not_repaired(made, ministack, tmp_path):
    with faults_of(ministack, tmp_path) as faults:
        for name in ("throttling", "deleted-image"):
            faults.set(name)
        made.functions.delete_function(**NAMED)
        made.ecr.delete_repository(repositoryName=REPOSITORY, force=True)
        assert faults.standing() == ()
    assert made.functions.list_functions()["Functions"] == []


def test_the_image_that_is_deleted_is_that_of_the_version_that_is_live_now(made, faults):
    made.functions.update_alias(**NAMED, Name=ALIAS, FunctionVersion=second_version(made))
    faults.set("deleted-image")
    assert tags(made) == ["one"]
    faults.clear("deleted-image")
    assert tags(made) == ["one", "two"]


def test_both_images_of_a_canary_are_deleted(made, faults):
    weights = {"AdditionalVersionWeights": {second_version(made): 0.1}}
    made.functions.update_alias(**NAMED, Name=ALIAS, RoutingConfig=weights)
    faults.set("deleted-image")
    assert tags(made) == []


@pytest.mark.parametrize(
    ("name", "function", "sentence"),
    [
        ("throttling", "", "The program has no output function_name that says which function to break: export it."),
        ("throttling", "gone", "The account has no function gone to break: deploy it again."),
        ("deleted-image", "gone", "The account has no function gone to break: deploy it again."),
        (
            "expired-certificate",
            "gone",
            "The account has no certificate that could expire: deploy with the setting domainName.",
        ),
    ],
)
def test_a_fault_that_has_nothing_to_break_is_refused_with_the_way_out(ministack, tmp_path, name, function, sentence):
    ministack.reset()
    with faults_of(ministack, tmp_path, function) as faults:
        with pytest.raises(SandboxError) as refused:
            faults.set(name)
        assert (str(refused.value), faults.standing()) == (sentence, ())


def test_a_version_without_an_image_has_none_to_delete(made, faults):
    made.ecr.batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": "one"}])
    with pytest.raises(SandboxError) as refused:
        faults.set("deleted-image")
    assert (
        str(refused.value)
        == f"The repository {REPOSITORY} has no image of the live version, so there is none to delete."
    )
