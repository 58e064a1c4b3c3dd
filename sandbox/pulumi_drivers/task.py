"""The input of a deployment: the same for every operation and both drivers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.provider.aws import Builder
from sandbox.settings import Project, StackConfig
from walk.account import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A stack with its settings, and where it is deployed to. `progress` gets a line for each step."""

    project: Project
    config: StackConfig
    account: Account
    variables: Mapping[str, str]
    """The variables with which other programs reach the account."""
    images: Builder
    state: Path
    progress: Callable[[str], None]
