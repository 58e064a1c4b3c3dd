"""How each fault breaks a part of the deployment, tells whether it is still broken, and repairs it."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

from dualmode.gateway.http.message import Request, Response
from sandbox.errors import SandboxError
from sandbox.ministack import MiniStack
from sandbox.runner.version_runner import VersionRunner
from walk import image_uri
from walk.account import Account
from walk.function_version import shares_of
from walk.image_uri import ImageUri
from walk.queries import every, read

_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """What faults break: the account of a MiniStack, and a function in it; "" if the program names none."""

    ministack: MiniStack
    runner: VersionRunner
    function_name: str

    @property
    def account(self) -> Account:
        """The account, to change it."""
        return self.ministack.account

    @property
    def reader(self) -> Account:
        """The same account, to read it again and again."""
        return self.ministack.reader


Stands = Callable[[], bool]
"""Tells whether something is still broken: whoever uses the account may have repaired it."""
Way = Callable[[Broken], AbstractContextManager[Stands]]
"""Breaks something while it is entered. At the end, what others have repaired meanwhile stays as they left it."""


def in_the_function(name: str) -> Way:
    """Have the function's process do something wrong: `sandbox/runner/disk_hook/dualmode_fault.py` knows it by name."""

    @contextlib.contextmanager
    def broken(what: Broken) -> Iterator[Stands]:
        what.runner.fault = name
        try:
            yield lambda: True
        finally:
            what.runner.fault = ""

    return broken


@contextlib.contextmanager
def throttled(what: Broken) -> Iterator[Stands]:
    """Let no copy of the function run.

    Raises:
        SandboxError: there is no function.
    """
    functions, named = what.account.client("lambda"), {"FunctionName": _function(what)}

    def reserved() -> int | None:
        """The copies that are reserved; None without a function or a number."""
        missing = "ResourceNotFoundException"
        found = read(what.reader.client("lambda"), "get_function_concurrency", absent=missing, **named) or {}
        number: int | None = found.get("ReservedConcurrentExecutions")
        return number

    before = reserved()
    functions.put_function_concurrency(**named, ReservedConcurrentExecutions=0)
    try:
        yield lambda: reserved() == 0
    finally:
        if reserved() == 0:
            if before is None:
                functions.delete_function_concurrency(**named)
            else:
                functions.put_function_concurrency(**named, ReservedConcurrentExecutions=before)


@contextlib.contextmanager
def without_image(what: Broken) -> Iterator[Stands]:
    """Delete the image of each version that gets requests now.

    Raises:
        SandboxError: there is none.
    """
    with ExitStack() as deleted:
        gone = [deleted.enter_context(_image_deleted(what, uri)) for uri in _live_images(what)]
        yield lambda: any(stands() for stands in gone)


@contextlib.contextmanager
def expired(what: Broken) -> Iterator[Stands]:
    """Have ACM say of each certificate that it expired yesterday.

    Raises:
        SandboxError: there is none.
    """
    if not every(what.reader.client("acm"), "list_certificates", "CertificateSummaryList"):
        raise SandboxError("The account has no certificate that could expire: deploy with the setting domainName.")
    # No call makes a certificate of ACM expire, so what ACM says is changed on its way to whoever asks.
    what.ministack.alter(_say_expired)
    try:
        yield lambda: True
    finally:
        what.ministack.alter(None)


def _function(what: Broken) -> str:
    """The name of a function that is there."""
    name = what.function_name
    if not name:
        raise SandboxError("The program has no output function_name that says which function to break: export it.")
    missing = "ResourceNotFoundException"
    if read(what.reader.client("lambda"), "get_function", absent=missing, FunctionName=name) is None:
        raise SandboxError(f"The account has no function {name} to break: deploy it again.")
    return name


def _live_images(what: Broken) -> Sequence[ImageUri]:
    """The images of the versions that the function's aliases lead to, each once."""
    client, name = what.reader.client("lambda"), _function(what)
    aliases = [alias["Name"] for alias in every(client, "list_aliases", "Aliases", FunctionName=name)]
    shares = [(version, share) for alias in aliases for version, share in shares_of(what.reader, name, alias).items()]
    found: dict[str, ImageUri] = {}
    for version in (version for version, share in shares if share > 0):
        code = client.get_function(FunctionName=name, Qualifier=version)["Code"]
        uri = str(code.get("ResolvedImageUri") or code.get("ImageUri"))
        parts = image_uri.split(uri)
        if parts is None:
            raise SandboxError(f"{name}:{version} has no image of ECR that could be deleted.")
        found[uri] = parts
    if not found:
        raise SandboxError(f"{name} has no alias, so no version of it is live whose image could be deleted.")
    return tuple(found.values())


@contextlib.contextmanager
def _image_deleted(what: Broken, uri: ImageUri) -> Iterator[Stands]:
    ecr, place = what.account.client("ecr"), {"registryId": uri.account, "repositoryName": uri.repository}

    def stands() -> bool:
        """Whether the repository is there and the image isn't."""
        missing = "RepositoryNotFoundException"
        listed = read(what.reader.client("ecr"), "list_images", absent=missing, **place)
        return listed is not None and not any(uri.identifier.items() <= each.items() for each in listed["imageIds"])

    images = ecr.batch_get_image(**place, imageIds=[uri.identifier])["images"]
    if not images:
        raise SandboxError(
            f"The repository {uri.repository} has no image of the live version, so there is none to delete."
        )
    details = ecr.describe_images(**place, imageIds=[uri.identifier])["imageDetails"]
    digest = details[0]["imageDigest"]
    ecr.batch_delete_image(**place, imageIds=[{"imageDigest": digest}])
    try:
        yield stands
    finally:
        if stands():
            for tag in details[0].get("imageTags") or [None]:
                named = {"imageTag": tag} if tag else {}
                ecr.put_image(**place, **named, imageManifest=images[0]["imageManifest"], imageDigest=digest)


def _say_expired(request: Request, response: Response) -> Response:
    if request.header("x-amz-target") != "CertificateManager.DescribeCertificate" or response.status != 200:
        return response
    told = json.loads(response.body)
    told["Certificate"] |= {"Status": "EXPIRED", "NotAfter": time.time() - _DAY}
    headers = tuple(each for each in response.headers if each[0].lower() != "content-length")
    return Response(status=200, headers=headers, body=json.dumps(told).encode())
