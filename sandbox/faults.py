"""Faults on demand: each breaks the part of the deployment that would break on AWS, until it is cleared."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from dualmode.gateway.http.message import Request, Response
from sandbox.errors import SandboxError
from sandbox.ministack import MiniStack
from sandbox.runner.version_runner import VersionRunner
from walk import image_uri
from walk.account import Account

IN_THE_FUNCTION: Mapping[str, str] = {
    "function-error": "the function raises an exception at each event",
    "timeout": "the function answers no event within its timeout",
    "crash": "the function's process ends with status 1 at each event",
    "out-of-memory": "the function fills its memory at each event",
    "response-too-large": "the function returns 7 MB at each event, and Lambda takes 6",
    "init-error": "the start of the function fails",
    "slow-start": "the start of the function takes 11 s, and Lambda ends it after 10",
}
"""Faults in the function's own process; `sandbox/runner/disk_hook/dualmode_fault.py` has them."""

IN_THE_ACCOUNT: Mapping[str, str] = {
    "throttling": "the function's reserved concurrency is 0",
    "deleted-image": "the repository no longer has the image of the live version",
    "expired-certificate": "ACM says that each certificate expired yesterday",
}
"""Faults in the account, which every reader of it sees."""

NAMES = (*IN_THE_FUNCTION, *IN_THE_ACCOUNT)

_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """What faults break: the account of a MiniStack, and the version of a function that is live there."""

    ministack: MiniStack
    runner: VersionRunner
    function_name: str
    version: str

    @property
    def account(self) -> Account:
        """The account."""
        return self.ministack.account


class Faults:
    """Sets and clears faults of a running sandbox by name; leaving it clears all."""

    def __init__(self, broken: Broken) -> None:
        self._broken = broken
        self._set: dict[str, ExitStack] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in reversed(tuple(self._set)):
            self.clear(name)

    @property
    def names(self) -> tuple[str, ...]:
        """The faults that are set."""
        return tuple(self._set)

    def set(self, name: str) -> str:
        """Set a fault, if it isn't set, and return what is now broken, in words.

        Raises:
            SandboxError: there is no fault of this name, or it can't be set beside another.
        """
        check((*self._set, name))
        if name not in self._set:
            with ExitStack() as stack:
                stack.enter_context(_ways()[name](self._broken))
                self._set[name] = stack.pop_all()
        return {**IN_THE_FUNCTION, **IN_THE_ACCOUNT}[name]

    def clear(self, name: str) -> None:
        """Repair what a fault has broken; nothing if it isn't set."""
        stack = self._set.pop(name, None)
        if stack is not None:
            stack.close()


def check(names: tuple[str, ...]) -> None:
    """Check that there are faults of these names, and that they can be set together.

    Raises:
        SandboxError: they aren't, or can't.
    """
    for name in names:
        if name not in NAMES:
            raise SandboxError(f"There is no fault '{name}': use {', '.join(NAMES)}.")
    inner = [name for name in dict.fromkeys(names) if name in IN_THE_FUNCTION]
    if len(inner) > 1:
        raise SandboxError(
            f"The faults {' and '.join(inner)} are both in the function's process, which can have one at a time: "
            "leave one out."
        )


def _ways() -> Mapping[str, Callable[[Broken], AbstractContextManager[None]]]:
    return {
        **{name: _in_the_function(name) for name in IN_THE_FUNCTION},
        "throttling": _throttled,
        "deleted-image": _without_image,
        "expired-certificate": _expired,
    }


def _in_the_function(name: str) -> Callable[[Broken], AbstractContextManager[None]]:
    @contextlib.contextmanager
    def broken(what: Broken) -> Iterator[None]:
        what.runner.fault = name
        try:
            yield
        finally:
            what.runner.fault = ""

    return broken


@contextlib.contextmanager
def _throttled(what: Broken) -> Iterator[None]:
    functions, name = what.account.client("lambda"), what.function_name
    before = functions.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        yield
    finally:
        if before is None:
            functions.delete_function_concurrency(FunctionName=name)
        else:
            functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=before)


@contextlib.contextmanager
def _without_image(what: Broken) -> Iterator[None]:
    functions, ecr = what.account.client("lambda"), what.account.client("ecr")
    code = functions.get_function(FunctionName=what.function_name, Qualifier=what.version)["Code"]
    parts = image_uri.split(str(code.get("ResolvedImageUri") or code.get("ImageUri")))
    if parts is None:
        raise SandboxError(f"{what.function_name}:{what.version} has no image of ECR that could be deleted.")
    place = {"registryId": parts.account, "repositoryName": parts.repository}
    images = ecr.batch_get_image(**place, imageIds=[parts.identifier])["images"]
    details = ecr.describe_images(**place, imageIds=[parts.identifier])["imageDetails"]
    ecr.batch_delete_image(**place, imageIds=[{"imageDigest": details[0]["imageDigest"]}])
    try:
        yield
    finally:
        for tag in details[0].get("imageTags") or [None]:
            named = {"imageTag": tag} if tag else {}
            ecr.put_image(
                **place, **named, imageManifest=images[0]["imageManifest"], imageDigest=details[0]["imageDigest"]
            )


@contextlib.contextmanager
def _expired(what: Broken) -> Iterator[None]:
    # No call makes a certificate of ACM expire, so what ACM says is changed on its way to whoever asks.
    what.ministack.alter(_say_expired)
    try:
        yield
    finally:
        what.ministack.alter(None)


def _say_expired(request: Request, response: Response) -> Response:
    if request.header("x-amz-target") != "CertificateManager.DescribeCertificate" or response.status != 200:
        return response
    told = json.loads(response.body)
    told["Certificate"] |= {"Status": "EXPIRED", "NotAfter": time.time() - _DAY}
    headers = tuple(each for each in response.headers if each[0].lower() != "content-length")
    return Response(status=200, headers=headers, body=json.dumps(told).encode())
