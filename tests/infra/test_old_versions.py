"""How many versions and images stay, and that none goes that the alias can reach."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from infra.old_versions import batches, old_versions
from infra.releases import ReleaseSettings
from infra.rules import ConfigError
from tests.support.provided import copy_program
from tests.support.pulumi_command import needs_pulumi


@pytest.fixture
def build(stack, tmp_path):
    """Gives the stack whose image is built from this text, with these settings."""
    (tmp_path / "program" / "scripts").mkdir(parents=True)
    folder = copy_program(tmp_path / "program")

    def build(text, **chosen):
        (folder / "scripts" / "app.txt").write_text(text)
        return stack(folder, **chosen)

    return build


def there_are(account):
    """The versions, and how many images there are."""
    listed = account.client("lambda").list_versions_by_function(FunctionName="dualmode-dev")["Versions"]
    images = account.client("ecr").list_images(repositoryName="dualmode-dev")["imageIds"]
    return [version["Version"] for version in listed][1:], len({image["imageDigest"] for image in images})


@needs_pulumi
def test_only_so_many_versions_are_kept_each_with_its_image_and_a_preview_shows_which_go(build, account):
    for text in ("one", "two", "three"):
        build(text).up()
    assert there_are(account) == (["1", "2", "3"], 3)
    kept = build("three", keepVersions=2)
    lines = []
    kept.preview(lines.append)
    assert "would create pulumi-python:dynamic:OldVersions old-versions" in lines
    assert there_are(account) == (["1", "2", "3"], 3)
    kept.up()
    assert there_are(account) == (["2", "3"], 2)
    (resource,) = [found for found in kept.resources() if found.name == "old-versions"]
    assert resource.inputs["deletedVersions"] == ["1"]
    assert len(resource.inputs["deletedImages"]) == 1
    assert (set(kept.preview()), set(kept.up())) == ({"same"}, {"same"})
    build("four", keepVersions=2).up()
    assert there_are(account) == (["3", "4"], 2)
    build("four", keepVersions=2, memorySize=1024).up()
    assert there_are(account) == (["4", "5"], 1)
    build("four", memorySize=1024).up()
    assert there_are(account) == (["4", "5"], 1)


@needs_pulumi
def test_the_pinned_version_and_its_image_stay_however_old_they_are(build, account):
    for text in ("one", "two", "three"):
        build(text).up()
    build("four", keepVersions=1, liveVersion=1).up()
    assert there_are(account) == (["1", "4"], 2)
    build("five", keepVersions=1, liveVersion=1, canaryPercent=10).up()
    assert there_are(account) == (["1", "5"], 2)
    build("five", keepVersions=1).up()
    assert there_are(account) == (["5"], 1)


@needs_pulumi
def test_no_image_expires_by_itself_while_a_version_is_pinned(build, account):
    def kept():
        found = account.client("ecr").get_lifecycle_policy(repositoryName="dualmode-dev")["lifecyclePolicyText"]
        return json.loads(found)["rules"][-1]["selection"]["countNumber"]

    seen = []
    for chosen in ({}, {"liveVersion": 1}, {}, {"keepVersions": 3}, {}):
        build("one", **chosen).up()
        seen.append(kept())
    assert seen == [20, 10_000, 20, 10_000, 20]


def test_without_the_pulumi_command_nothing_is_old_yet(program):
    deployed = program.deploy(keepVersions=1)
    resource = deployed.one("OldVersions")
    assert (resource.inputs["keep"], resource.outputs["deletedVersions"]) == (1, [])
    assert deployed.outputs["live_version"] == "1"


@given(
    published=some.sets(some.integers(1, 60)),
    keep=some.integers(1, 30),
    live=some.integers(0, 60),
    publishing=some.booleans(),
)
def test_no_version_goes_that_the_alias_can_reach_and_no_more_stay_than_are_wanted(published, keep, live, publishing):
    newest = "unknown" if publishing or not published else str(max(published))
    gone = {int(version) for version in old_versions(published, keep=keep, live=str(live), newest=newest)}
    staying = published - gone
    assert gone <= published
    assert live not in gone
    assert not gone or max(gone) < max(staying | {61 if publishing else 0})
    assert len(staying - {live}) + (newest == "unknown") <= max(keep, 1)
    if newest != "unknown":
        assert max(published) in staying
        assert len(staying) >= min(keep, len(published))


def test_versions_are_counted_from_zero_on():
    with pytest.raises(ConfigError) as caught:
        ReleaseSettings(keep_versions=-1)
    assert str(caught.value) == "keepVersions is -1, but it is a number of versions: set 0 or more."


def test_a_request_takes_a_hundred_images():
    assert [len(some) for some in batches([str(number) for number in range(250)], 100)] == [100, 100, 50]
