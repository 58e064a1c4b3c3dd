"""What the provider knows about one resource type."""

import threading
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

from sandbox.provider.inputs import Inputs
from sandbox.provider.refusals import ResourceRefusedError
from walk.account import Account

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Aws:
    """The account that resources are made in, and what is known of it beyond what it says itself."""

    account: Account
    locks: defaultdict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    """One for each thing that can't be changed twice at a time."""
    awaited: set[str] = field(default_factory=set)
    """Certificates that something waited for until they were issued."""

    def client(self, service: str) -> Any:
        """Return boto3's client of a service."""
        return self.account.client(service)

    @property
    def region(self) -> str:
        """The region that every resource is made in."""
        return self.account.region

    @property
    def account_id(self) -> str:
        """The account's twelve digits."""
        return self.account.account_id


class Kind(ABC):
    """A resource type: how its inputs become a request, and what create, read, update and delete do.

    The inputs are Pulumi's (camelCase), the request is boto3's. Reading the inputs has no side effect, so that what is
    wrong with them is known before anything is made.
    """

    pulumi_type: ClassVar[str]
    service: ClassVar[str]
    operation: ClassVar[str | None]
    """The call that creates it, whose input shape in botocore's model holds the request's limits; None without one."""
    spelt: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Members of the request whose name in Pulumi is another one."""
    replaces: ClassVar[frozenset[str]]
    """Inputs that can't be changed in place: another value means another resource."""
    autonamed: ClassVar[str | None] = None
    """The input that gets a name made from the resource's own, where the program gives none."""
    kept: ClassVar[frozenset[str]] = frozenset()
    """Inputs that stay as they were when a program no longer gives them: the real provider sees no change in that."""
    completed: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
    """Nested objects among the inputs, and the members that AWS adds to them where the program doesn't give them."""
    settled: ClassVar[frozenset[str]] = frozenset()
    """Outputs whose value is AWS's even where the program gave one (it normalises or extends them)."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws

    @property
    def client(self) -> Any:
        """boto3's client of the type's service."""
        return self.aws.client(self.service)

    @abstractmethod
    def request(self, inputs: Inputs) -> Values:
        """Read every input and return the request that creates the resource; None stands for what isn't said."""

    def limits(self, request: Values) -> list[tuple[str, str]]:
        """Return path and reason of what AWS's documentation forbids and its model allows."""
        return []

    @abstractmethod
    def create(self, request: Values) -> str:
        """Make the resource and return its id.

        Raises:
            ResourceRefusedError: something that the request refers to doesn't exist or isn't ready.
        """

    @abstractmethod
    def read(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        """Return every output as AWS has it now, or None where the resource is gone; `state` has the known inputs."""

    def update(self, identity: str, request: Values, old: Mapping[str, Any]) -> None:
        """Change the resource in place; `old` are its outputs so far."""
        raise ResourceRefusedError("NotUpdatable", f"{self.pulumi_type} has no input that can be changed in place")

    @abstractmethod
    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        """Remove the resource; that it is gone already is not an error."""

    def locate(self, request: Values) -> str | None:
        """Return the id of a resource whose name would be in the way of creating this one, or None."""
        return None

    def drifted(self, inputs: Mapping[str, Any], state: Mapping[str, Any]) -> frozenset[str]:
        """Return the outputs that would come out different although no input changed: files that inputs only name."""
        return frozenset()

    def equivalent(self, key: str, given: Any, found: Any) -> bool:
        """Say whether AWS's value of an input is the program's own, only written differently."""
        return bool(given == found)

    def renewed(self, changed: frozenset[str], inputs: Mapping[str, Any]) -> frozenset[str]:
        """Return the outputs that an update of these inputs will give another, as yet unknown, value."""
        return frozenset()


def given(request: Mapping[str, Any]) -> Values:
    """Return the request without what isn't said, as boto3 wants it."""
    return {key: _given(value) for key, value in request.items() if value is not None}


def _given(value: Any) -> Any:
    if isinstance(value, Mapping):
        return given(value)
    if isinstance(value, list):
        return [_given(item) for item in value]
    return value


def tag_list(tags: Mapping[str, str] | None) -> list[dict[str, str]]:
    """Return tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in sorted((tags or {}).items())]


def tag_map(tags: list[dict[str, str]] | None) -> dict[str, str]:
    """Return tags as Pulumi has them."""
    return {tag["Key"]: tag["Value"] for tag in tags or []}


def region_of(aws: Aws, inputs: Inputs) -> None:
    """Read the `region` that every regional resource takes: it can only be the account's."""
    region = inputs.text("region")
    if region not in (None, "", aws.region):
        inputs.fail("region", f"is {region}, and this account is used in {aws.region} alone")
