"""Releases under the real engine: which version answers a request, and what a version must have."""

import json
import math
import random

import pytest

from dualmode.gateway.http.message import Request
from infra.image_repository import pull_policy
from infra.releases import ReleaseSettings, routing
from infra.rules import ConfigError
from sandbox.edge.edge import Edge
from sandbox.errors import SettingsError
from tests.support.provided import push_image
from tests.support.pulumi_command import needs_pulumi


class Telling:
    """Functions that answer with the version that was asked."""

    def describe(self, version):
        return "told"

    def invoke(self, version, event, *, qualifier, timeout, logged):
        return json.dumps({"statusCode": 200, "body": version.version}).encode()


def outputs(engine):
    (stack,) = [resource for resource in engine.resources() if resource.type == "pulumi:pulumi:Stack"]
    return {name: stack.outputs[name] for name in ("live_version", "newest_version")}


def alias(account):
    found = account.client("lambda").get_alias(FunctionName="dualmode-dev", Name="live")
    return found["FunctionVersion"], (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}


def versions(account):
    listed = account.client("lambda").list_versions_by_function(FunctionName="dualmode-dev")["Versions"]
    return [version["Version"] for version in listed if version["Version"] != "$LATEST"]


def answers(ministack, engine, count):
    """The versions that answer so many requests."""
    (api,) = [resource for resource in engine.resources() if resource.type.endswith(":Api")]
    name = api.outputs["apiEndpoint"].partition("://")[2]
    edge = Edge(ministack.reader, Telling(), default_name=name)
    request = Request(method="GET", target="/", headers=(("host", name),), body=b"")
    found = [edge.answer(request) for _ in range(count)]
    assert {answer.response.status for answer in found} == {200}
    return [answer.response.body.decode() for answer in found]


def binomial_interval(count, share, confidence):
    """The smallest and largest number of successes outside which either side has half of what is left."""
    left, below, least = (1 - confidence) / 2, 0.0, None
    for number in range(count + 1):
        below += math.comb(count, number) * share**number * (1 - share) ** (count - number)
        if least is None and below > left:
            least = number
        if below >= 1 - left:
            return least, number
    raise AssertionError("the probabilities don't add up to one")


@needs_pulumi
def test_a_pinned_version_answers_at_the_next_request_and_later_updates_publish_without_moving_it(
    stack, account, ministack
):
    images = [push_image(account, content=content) for content in ("first", "second", "third")]
    ecr = account.client("ecr")
    (ready,) = ecr.describe_repositories()["repositories"]
    ecr.set_repository_policy(repositoryName="ready", policyText=json.dumps(pull_policy(ready["repositoryArn"])))
    for uri in images[:2]:
        stack(imageUri=uri).up()
    newest = stack(imageUri=images[1])
    before = (alias(account), lifecycle(account))
    assert answers(ministack, newest, 3) == ["2", "2", "2"]

    pinned = stack(imageUri=images[2], liveVersion=1)
    pinned.up()
    assert answers(ministack, pinned, 3) == ["1", "1", "1"]
    assert (versions(account), alias(account)) == (["1", "2", "3"], ("1", {}))
    assert outputs(pinned) == {"live_version": "1", "newest_version": "3"}

    canary = stack(imageUri=images[2], liveVersion=1, canaryPercent=10, throttleBurst=2000)
    canary.up()
    assert alias(account) == ("1", {"3": 0.1})
    random.seed(11)  # the walk picks the version by chance, as Lambda does
    found = answers(ministack, canary, 1000)
    least, most = binomial_interval(1000, 0.1, 0.999)
    assert set(found) == {"1", "3"}
    assert least <= found.count("3") <= most

    stack(imageUri=images[2], liveVersion=3, canaryPercent=50).up()
    assert alias(account) == ("3", {})
    stack(imageUri=images[1]).up()
    assert (alias(account), lifecycle(account)) == (("4", {}), before[1])


def lifecycle(account):
    return account.client("ecr").get_lifecycle_policy(repositoryName="dualmode-dev")["lifecyclePolicyText"]


def test_the_interval_is_the_one_of_the_textbook():
    # n=20, p=1/2: P(X<=3) = 1351/2**20 = 0.00129, P(X<=4) = 6196/2**20 = 0.0059.
    assert binomial_interval(20, 0.5, 0.99) == (4, 16)


@needs_pulumi
def test_a_version_that_cannot_serve_is_refused_before_anything_is_made(stack, account):
    uri = push_image(account, content="first")
    assert refused(stack(imageUri=uri, liveVersion=1)) == (
        "liveVersion is 1, but the function dualmode-dev has no version yet: remove it."
    )
    stack(imageUri=uri).up()
    stack(imageUri=uri, memorySize=1024).up()
    stack(imageUri=push_image(account, content="second")).up()
    account.client("lambda").delete_function(FunctionName="dualmode-dev", Qualifier="2")
    assert refused(stack(imageUri=uri, liveVersion=2)) == (
        "liveVersion is 2, but the function dualmode-dev has versions 3, 1: set one that exists, or remove it."
    )
    digest = uri.partition("@")[2]
    account.client("ecr").batch_delete_image(repositoryName="ready", imageIds=[{"imageDigest": digest}])
    assert refused(stack(imageUri=uri, liveVersion=1)) == (
        f"liveVersion is 1, but ECR no longer has its image {digest}: set a newer version, or remove it."
    )


def test_without_the_pulumi_command_there_is_no_version_to_pin(program):
    with pytest.raises(SettingsError) as caught:
        program.deploy(liveVersion=1)
    assert str(caught.value) == "liveVersion is 1, but the function dualmode-dev has no version yet: remove it."


def refused(engine):
    with pytest.raises(SettingsError) as caught:
        engine.preview()
    return str(caught.value)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"canary_percent": 10},
            "canaryPercent is 10, but all requests go to the newest version already: "
            "set liveVersion to the version that gets the others, or remove it.",
        ),
        (
            {"canary_percent": 101, "live_version": 1},
            "canaryPercent is 101, but it is a percentage: set 100 or less.",
        ),
        ({"canary_percent": -1, "live_version": 1}, "canaryPercent is -1, but it is a percentage: set 0 or more."),
        ({"live_version": -1}, "liveVersion is -1, but versions are counted from 1: set 0 or more."),
    ],
)
def test_settings_of_a_release_that_contradict_each_other_are_refused(given, sentence):
    with pytest.raises(ConfigError) as caught:
        ReleaseSettings(**given)
    assert str(caught.value) == sentence


def test_a_version_shares_nothing_with_itself():
    assert routing(3, 10, "3") is None
    assert routing(3, 0, "4") is None
    assert routing(0, 0, "4") is None
