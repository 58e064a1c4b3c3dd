"""Updates that go wrong, or that change where an image comes from, under the real engine: nothing is lost by them."""

import re
import shutil

import pytest
import yaml

from sandbox.errors import SandboxError, SettingsError
from tests.support.provided import ROOT, copy_program, push_image
from tests.support.pulumi_command import needs_pulumi

pytestmark = needs_pulumi
GONE = f"000000000000.dkr.ecr.us-east-1.amazonaws.com/ready@sha256:{'0' * 64}"
HASH = re.compile(r"            source_code_hash=.*\n")


@pytest.fixture
def built(tmp_path):
    """The program in a folder of its own, whose image is built from one file."""
    (tmp_path / "program" / "scripts").mkdir(parents=True)
    folder = copy_program(tmp_path / "program")
    (folder / "scripts" / "app.txt").write_text("one")
    return folder


def images(account):
    listed = account.client("ecr").list_images(repositoryName="dualmode-dev")["imageIds"]
    return {image["imageDigest"] for image in listed}


def live(account):
    """The live version, and what it runs."""
    functions = account.client("lambda")
    version = functions.get_alias(FunctionName="dualmode-dev", Name="live")["FunctionVersion"]
    found = functions.get_function(FunctionName="dualmode-dev", Qualifier=version)
    return version, found["Code"]["ImageUri"], found["Configuration"]["MemorySize"]


def repository(engine):
    kinds = ("Repository", "RepositoryPolicy", "LifecyclePolicy")
    return {resource.urn for resource in engine.resources() if resource.type.rpartition(":")[2] in kinds}


def test_the_repository_and_its_images_outlive_a_change_to_an_image_that_exists_and_back(stack, account, built):
    made = stack(built)
    made.up()
    _, uri, _ = live(account)
    digest, parts = uri.partition("@")[2], repository(made)
    (built / "scripts" / "app.txt").write_text("two")
    stack(built).up()
    both = images(account)
    assert len(both) == 2
    own = stack(built, imageUri=uri)
    own.up()
    assert (live(account)[:2], images(account), repository(own)) == (("3", uri), both, parts)
    elsewhere = push_image(account, content="elsewhere")
    stack(built, imageUri=elsewhere).up()
    assert (live(account)[:2], images(account)) == (("4", elsewhere), both)
    back = stack(built)
    back.up()
    version, uri, _ = live(account)
    assert (version, uri.partition("@")[2] in both - {digest}) == ("5", True)
    assert (images(account), repository(back)) == (both, parts)


def build_elsewhere(folder):
    """Have the program give its builds another Docker host, as another DOCKER_HOST does."""
    file = folder / "infra" / "container_image.py"
    text = file.read_text()
    assert text.count('(f"{name}-builder", ') == 1
    file.write_text(text.replace('(f"{name}-builder", ', '(f"{name}-builder", host="tcp://elsewhere", '))


def test_an_image_is_kept_when_another_docker_host_builds_it(stack, account, built):
    stack(built).up()
    before = images(account)
    build_elsewhere(built)
    assert stack(built).up()["replace"] == 2  # the image, and its provider
    assert (images(account), live(account)[0]) == (before, "1")
    assert len(before) == 1


def test_without_being_retained_the_image_of_a_running_function_would_be_deleted(stack, account, built):
    """The sandbox does as the real plugin does: otherwise the test above would prove nothing."""
    file = built / "infra" / "container_image.py"
    text = file.read_text()
    assert text.count(", retain_on_delete=True") == 1
    file.write_text(text.replace(", retain_on_delete=True", ""))
    stack(built).up()
    build_elsewhere(built)
    stack(built).up()
    assert images(account) == set()


def test_an_image_that_lambda_refused_is_tried_again_by_the_next_update(stack, account):
    first = push_image(account, content="first")
    stack(imageUri=first).up()
    for _ in range(2):
        with pytest.raises(SandboxError, match=f"Source image {GONE} does not exist in ECR"):
            stack(imageUri=GONE).up()
    assert live(account) == ("1", first, 512)
    second = push_image(account, content="second")
    stack(imageUri=second).up()
    assert live(account) == ("2", second, 512)


def test_the_same_image_is_deployed_once_lambda_takes_it(stack, account):
    stack(imageUri=push_image(account, content="first")).up()
    second = push_image(account, content="second")
    delete(account, second)
    with pytest.raises(SandboxError, match="does not exist in ECR"):
        stack(imageUri=second).up()
    assert push_image(account, content="second") == second
    assert stack(imageUri=second).preview()["update"] >= 1
    stack(imageUri=second).up()
    assert live(account) == ("2", second, 512)


def test_without_the_hash_the_next_update_would_say_that_there_is_nothing_to_do(stack, account, tmp_path):
    """The sandbox's provider leaves the new image in the state, as the real one does; and the version is compared."""
    folder = copy_program(tmp_path)
    file = folder / "infra" / "container_function.py"
    text, count = HASH.subn("", file.read_text())
    assert count == 1
    file.write_text(text)
    stack(folder, imageUri=push_image(account, content="first")).up()
    second = push_image(account, content="second")
    delete(account, second)
    with pytest.raises(SandboxError, match="does not exist in ECR"):
        stack(folder, imageUri=second).up()
    push_image(account, content="second")
    with pytest.raises(SandboxError) as caught:
        stack(folder, imageUri=second).up()
    assert str(caught.value) == (
        "Version 1 of the function doesn't have the imageUri that was deployed, because AWS refused an update before: "
        "run `pulumi up --refresh`, which reads what AWS has and tries again."
    )
    stack(folder, imageUri=second).up(refresh=True)
    assert live(account) == ("2", second, 512)


def delete(account, uri):
    image = {"imageDigest": uri.partition("@")[2]}
    account.client("ecr").batch_delete_image(repositoryName="ready", imageIds=[image])


def test_two_developers_stacks_of_one_name_live_in_one_account_by_their_own_names(stack, account, tmp_path):
    uri = push_image(account)
    stack(imageUri=uri, name="shop-ann").up()
    other = copy_program(tmp_path)
    shutil.move(tmp_path / "state-dev", tmp_path / "anns")
    with pytest.raises(SandboxError, match="lready"):
        stack(other, imageUri=uri, name="shop-ann").up()
    shutil.rmtree(tmp_path / "state-dev")
    stack(other, imageUri=uri, name="shop-bob").up()
    functions = account.client("lambda").list_functions()["Functions"]
    assert sorted(function["FunctionName"] for function in functions) == ["shop-ann", "shop-bob"]
    repositories = account.client("ecr").describe_repositories()["repositories"]
    assert sorted(found["repositoryName"] for found in repositories) == ["ready", "shop-ann", "shop-bob"]


@pytest.mark.parametrize("name", ["Shop", "shop-", "-shop", "shop--dev", "shop.dev", "s", "s" * 65, "shop dev"])
def test_a_name_that_ecr_or_lambda_refuses_is_refused_before_anything_is_made(stack, name):
    with pytest.raises(SettingsError) as caught:
        stack(name=name).preview()
    assert str(caught.value).startswith(
        f"name is {name!r}, but ECR and Lambda take lower-case letters and digits, with single - or _ between them, "
        "2 to 64 characters in all: set one such as "
    )


def test_a_stack_s_own_name_is_checked_too(stack, built):
    (built / "Pulumi.Dev.yaml").write_text("config: {}\n")
    with pytest.raises(SettingsError) as caught:
        stack(built, named="Dev").preview()
    assert str(caught.value) == (
        "name is 'dualmode-Dev', but ECR and Lambda take lower-case letters and digits, with single - or _ between "
        "them, 2 to 64 characters in all, from project and stack: set one such as 'dualmode-dev'."
    )


def test_a_pulumi_command_that_is_too_old_says_so_itself(stack, tmp_path):
    folder = copy_program(tmp_path)
    project = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    assert project["requiredPulumiVersion"] == ">=3.187.0"
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({**project, "requiredPulumiVersion": ">=99.0.0"}))
    with pytest.raises(SandboxError, match=r'Pulumi CLI version 3\S+ does not satisfy the version range ">=99\.0\.0"'):
        stack(folder).preview()


def test_the_environments_of_pulumi_and_of_make_are_two_folders():
    """Pulumi installs nothing into one that has a `python`, and make may have made it for the benchmarks alone."""
    runtime = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["runtime"]["options"]
    makefile = (ROOT / "Makefile").read_text()
    assert (runtime["virtualenv"], re.findall(r"^VENV := (\S+)$", makefile, re.MULTILINE)) == (
        ".venv-pulumi",
        [".venv"],
    )


def test_what_leads_an_api_s_requests_is_not_made_again_although_it_once_was_the_api_s_own(stack, account, tmp_path):
    image = push_image(account)
    now, then = (
        "child = pulumi.ResourceOptions(parent=self, aliases=earlier)",
        "child = pulumi.ResourceOptions(parent=api)",
    )
    stack(copy_program(tmp_path, "infra/api_route.py", now, then), imageUri=image).up()
    assert set(stack(imageUri=image).up()) == {"same"}
