"""How the provider refuses: with AWS's error code, the resource's name and the reason."""

import contextlib
import http
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, ReadTimeoutError

from sandbox.errors import SandboxError

_Answer = TypeVar("_Answer")


class ResourceRefusedError(SandboxError):
    """A resource that AWS would not take: its error code, the reason, and the input at fault where there is one."""

    def __init__(self, code: str, reason: str, property_path: str = "") -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.property_path = property_path
        self.left: dict[str, Any] | None = None
        """The outputs that the state gets although AWS refused; None where they stay as they were."""
        self.unanswered = False
        """Whether AWS may have done it all the same: it gave no answer, or failed itself."""

    def of(self, resource_type: str, name: str = "") -> "ResourceRefusedError":
        """Return the same refusal with the resource's type and name in its sentence."""
        refused = ResourceRefusedError(self.code, self.reason, self.property_path)
        where = f" at {self.property_path}" if self.property_path else ""
        named = f" '{name}'" if name else ""
        refused.unanswered = self.unanswered
        refused.args = (f"{resource_type}{named}{where}: {self.code}: {self.reason}",)
        return refused


class InvalidInputsError(ResourceRefusedError):
    """Inputs that are refused before AWS is asked, all of them at once: property path and reason of each."""

    def __init__(self, failures: list[tuple[str, str]], code: str = "ValidationException") -> None:
        super().__init__(code, "; ".join(f"{path}: {reason}" for path, reason in failures))
        self.failures = failures


class UnfinishedError(Exception):
    """A creation that AWS refused when something was made already: its id, and the refusal."""

    def __init__(self, identity: str, refusal: ResourceRefusedError) -> None:
        super().__init__(f"{identity} was made, but then: {refusal}")
        self.identity = identity
        self.refusal = refusal


def refusal_of(error: ResourceRefusedError | ClientError | BotoCoreError) -> ResourceRefusedError:
    """Turn an exception of boto3's into a refusal."""
    if isinstance(error, ResourceRefusedError):
        return error
    if isinstance(error, ClientError):
        details: dict[str, Any] = error.response.get("Error", {})
        refusal = ResourceRefusedError(str(details.get("Code", "Unknown")), _sentence(details.get("Message", error)))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        refusal.unanswered = status >= http.HTTPStatus.INTERNAL_SERVER_ERROR
        return refusal
    refusal = ResourceRefusedError(type(error).__name__, _sentence(error))
    refusal.unanswered = isinstance(error, ReadTimeoutError | ConnectionClosedError)
    return refusal


@contextlib.contextmanager
def finishing(identity: str) -> Iterator[None]:
    """Say of a refusal that what has this id is made already.

    Raises:
        UnfinishedError: with the id and the refusal.
    """
    try:
        yield
    except (ResourceRefusedError, ClientError, BotoCoreError) as error:
        raise UnfinishedError(identity, refusal_of(error)) from error


def _sentence(text: object) -> str:
    return " ".join(str(text).split()).rstrip(".")


def is_missing(error: ClientError) -> bool:
    """Say whether an error means that the thing asked for doesn't exist."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return "NotFound" in code or "NonExistent" in code or "DoesNotExist" in code or code.startswith("NoSuch")


def or_none(action: Callable[[], _Answer]) -> _Answer | None:
    """Return an action's result, or None where AWS says that the resource doesn't exist."""
    try:
        return action()
    except ClientError as error:
        if is_missing(error):
            return None
        raise
