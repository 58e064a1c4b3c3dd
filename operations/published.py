"""The published versions of a function, their images, and whether they can run."""

import re
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from operations.deployment import Deployment
from operations.errors import OperationError
from operations.output import say
from walk import image_uri
from walk.queries import read

_POLL_SECONDS = 2.0


_COPY = re.compile(r"copy of (\d+), restarted ")


def copy_description(version: str) -> str:
    """Return the description of a copy of a version that is published now."""
    return f"copy of {version}, restarted {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A published version as Lambda describes it."""

    number: int
    published: str  # ISO 8601
    description: str
    state: str

    @property
    def name(self) -> str:
        """The version as Lambda's qualifier."""
        return str(self.number)

    @property
    def copy_of(self) -> int | None:
        """The version that a restart copied to this one."""
        found = _COPY.match(self.description)
        return int(found[1]) if found else None


def versions(deployment: Deployment) -> list[Version]:
    """Return every published version, oldest first."""
    pages = deployment.functions.get_paginator("list_versions_by_function")
    found = [
        Version(
            number=int(entry["Version"]),
            published=str(entry.get("LastModified", "")),
            description=str(entry.get("Description", "")),
            state=str(entry.get("State", "")),
        )
        for page in pages.paginate(FunctionName=deployment.function_name)
        for entry in page["Versions"]
        if entry["Version"].isdecimal()
    ]
    return sorted(found, key=lambda version: version.number)


def image_of(deployment: Deployment, qualifier: str) -> str:
    """Return the URI of the image that a version runs, by digest where Lambda tells it."""
    code = deployment.functions.get_function(FunctionName=deployment.function_name, Qualifier=qualifier)["Code"]
    return str(code.get("ResolvedImageUri") or code.get("ImageUri") or "")


def digest_of(uri: str) -> str:
    """Return the digest in an image's URI, or ""."""
    return uri.partition("@")[2]


def check_runnable(deployment: Deployment, qualifier: str) -> None:
    """Check, before a version gets requests, that Lambda could run it.

    Raises:
        OperationError: it can't, with the reason.
    """
    configuration = deployment.configuration(qualifier)
    if configuration.get("State") == "Failed":
        reason = configuration.get("StateReason") or configuration.get("StateReasonCode") or "no reason is given"
        raise OperationError(f"Version {qualifier} can't run, its state is Failed ({reason}): choose another version.")
    uri = image_of(deployment, qualifier)
    parts = image_uri.split(uri)
    if parts is None:
        return
    answer: Any = read(
        deployment.account.client("ecr"),
        "batch_get_image",
        absent="RepositoryNotFoundException",
        registryId=parts.account,
        repositoryName=parts.repository,
        imageIds=[parts.identifier],
    )
    if answer is None or not answer["images"]:
        raise OperationError(
            f"Version {qualifier} can't run, since ECR no longer has its image {uri}: choose another version "
            "(`make versions`), or deploy again."
        )


def wait_until_active(deployment: Deployment, qualifier: str, seconds: float) -> None:
    """Wait while Lambda prepares a version: an image takes 10 to 60 s.

    Raises:
        OperationError: it can't run, or isn't ready in time.
    """
    deadline = time.monotonic() + seconds
    said = False
    while True:
        configuration = deployment.configuration(qualifier)
        state = configuration.get("State") or "Active"
        if state == "Failed":
            raise OperationError(
                f"Version {qualifier} can't run, its state is Failed: {configuration.get('StateReason', '')}."
            )
        if state in ("Active", "Inactive"):  # an inactive one starts with its first request
            return
        if time.monotonic() > deadline:
            raise OperationError(f"Version {qualifier} was still {state} after {seconds:g} s: wait, and try again.")
        if not said:
            say(f"Waiting until version {qualifier} is no longer {state} ...")
            said = True
        threading.Event().wait(_POLL_SECONDS)
