# ruff: noqa: D102  the properties of a built image are in its class's docstring
"""What every resource type works with: the account, and the builder of its images."""

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from walk.account import Account

Values = dict[str, Any]


class Built(Protocol):
    """A built image: the digest that identifies its manifest in a registry, and the manifest itself."""

    @property
    def digest(self) -> str: ...
    @property
    def manifest(self) -> str: ...
    @property
    def media_type(self) -> str: ...


class Builder(Protocol):
    """Builds an image; the same context and arguments give the same digest."""

    def build(
        self, *, context: Path, dockerfile: Path, args: Mapping[str, str], platform: str, target: str | None = None
    ) -> Built:
        """Build an image of one platform."""


@dataclass(frozen=True, slots=True)
class Aws:
    """The account that resources are made in, and what is known about it that AWS doesn't tell."""

    account: Account
    builder: Builder
    folder: Path
    """Where relative paths in inputs start from."""
    locks: defaultdict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    """One for each thing that must not be changed twice at the same time."""
    awaited: set[str] = field(default_factory=set)
    """Certificates that something waited for until they were issued."""
    requested: set[str] = field(default_factory=set)
    """Certificates that were requested and not read since."""

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
