"""Which versions of the function the alias serves: the newest one, or a pinned one and a share of the newest."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import pulumi_aws as aws

from infra.last_update import is_there
from infra.rules import at_least, at_most, check, checked_by, refuse

Answer = TypeVar("Answer")

NEWEST = 0
"""Value of `live_version` that pins none."""
VERSIONS_NAMED = 10
"""Versions that the refusal of a missing one names, newest first: each is a question to AWS."""
PERCENT = "it is a percentage"
PROVISIONED = "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig"
ABSENT = re.compile(r"not ?found|couldn't find|empty result", re.IGNORECASE)
"""What the provider says of something that doesn't exist, in AWS's words or in Terraform's."""


@dataclass(frozen=True, kw_only=True)
class ReleaseSettings:
    """What the alias serves, and how many versions are kept; 0 is for the newest, for no share and for all."""

    live_version: int = field(default=NEWEST, metadata=checked_by(at_least(NEWEST, "versions are counted from 1")))
    canary_percent: int = field(default=0, metadata=checked_by(at_least(0, PERCENT), at_most(100, PERCENT)))

    keep_versions: int = field(default=0, metadata=checked_by(at_least(0, "it is a number of versions")))

    def __post_init__(self) -> None:
        """Checks the settings that are already known.

        Raises:
            ConfigError: a setting has a value that can't work, or two contradict each other.
        """
        check(self)
        if self.canary_percent and self.live_version == NEWEST:
            refuse(
                "canaryPercent",
                self.canary_percent,
                "all requests go to the newest version already",
                "set liveVersion to the version that gets the others, or remove it",
            )


def check_pinned(settings: ReleaseSettings, function_name: str) -> None:
    """Refuses to pin a version that can't serve: AWS is asked before anything is made.

    Raises:
        ConfigError: there is no such version, or its image is gone.
    """
    version = settings.live_version
    if version == NEWEST:
        return
    pinned = version_of(function_name, version)
    if pinned is None:
        refuse("liveVersion", version, *versions_there_are(function_name))
    registry, _, image = pinned.image_uri.partition("/")
    repository, _, digest = image.partition("@")
    account = registry.partition(".")[0]
    found = or_none(lambda: aws.ecr.get_image(repository_name=repository, image_digest=digest, registry_id=account))
    if found is None:
        refuse("liveVersion", version, f"ECR no longer has its image {digest}", "set a newer version, or remove it")


def check_share(settings: ReleaseSettings) -> None:
    """Refuses a share as long as the alias has provisioned concurrency, which AWS doesn't take together.

    Pulumi changes the alias first, and then removes what the program no longer has: AWS would refuse that half-way.

    Raises:
        ConfigError: the last update left provisioned concurrency.
    """
    if settings.canary_percent and is_there(PROVISIONED):
        refuse(
            "canaryPercent",
            settings.canary_percent,
            "the alias has provisioned concurrency until an update has removed it",
            "run `pulumi up` without canaryPercent first",
        )


def versions_there_are(function_name: str) -> tuple[str, str]:
    """Returns what there is in place of a missing version, and what to do."""
    newest = or_none(lambda: aws.lambda_.get_function(function_name=function_name))
    if newest is None or not newest.version.isdecimal():
        return f"the function {function_name} has no version yet", "remove it"
    last = int(newest.version)
    numbers = range(last, max(0, last - VERSIONS_NAMED), -1)
    there = [str(number) for number in numbers if version_of(function_name, number)]
    older = " and older ones" if last > VERSIONS_NAMED else ""
    noun = "version" if len(there) == 1 else "versions"
    return f"the function {function_name} has {noun} {', '.join(there)}{older}", "set one that exists, or remove it"


def version_of(function_name: str, version: int) -> aws.lambda_.GetFunctionResult | None:
    """Returns a version of the function, or None if there is no such version."""
    return or_none(lambda: aws.lambda_.get_function(function_name=function_name, qualifier=str(version)))


def or_none(question: Callable[[], Answer]) -> Answer | None:
    """Returns AWS's answer, or None if it says that there is no such thing."""
    try:
        return question()
    except Exception as error:
        if ABSENT.search(str(error)) is None:
            raise
        return None


def routing(pinned: int, share: int, newest: str) -> aws.lambda_.AliasRoutingConfigArgs | None:
    """Returns the part of an alias that gives the newest version its share, or None if there is nothing to share."""
    if not pinned or not share or newest == str(pinned):
        return None
    return aws.lambda_.AliasRoutingConfigArgs(additional_version_weights={newest: share / 100})
