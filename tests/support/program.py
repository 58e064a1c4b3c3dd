"""Runs the real program, `__main__.py`, against an emulated account, and finds what it made there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import settings
from sandbox.ministack import MiniStack
from sandbox.provider.provider import Provider
from sandbox.pulumi_drivers import mocks_driver
from sandbox.pulumi_drivers.resources import Resource
from sandbox.runner.images import ImageStore
from walk.account import Account

ROOT = Path(__file__).parents[2]
REGION = "us-east-1"


@dataclass(frozen=True)
class Deployed:
    """The result of one run of the program."""

    outputs: dict[str, Any]
    resources: tuple[Resource, ...]
    account: Account

    def one(self, short_type: str, name: str | None = None) -> Resource:
        """The one resource of a type, such as `Function` or `Record`."""
        found = [r for r in self.resources if r.type.endswith(f":{short_type}") and name in (None, r.name)]
        assert len(found) == 1, f"{len(found)} resources are {short_type} {name or ''}"
        return found[0]

    def count(self, short_type: str) -> int:
        return sum(resource.type.endswith(f":{short_type}") for resource in self.resources)

    def made_after(self, resource: Resource) -> set[str]:
        """Types of all that a resource waits for, directly or through others."""
        by_urn = {other.urn: other for other in self.resources}
        seen: set[str] = set()
        waiting = list(resource.dependencies)
        while waiting:
            urn = waiting.pop()
            if urn not in seen and urn in by_urn:
                seen.add(urn)
                waiting += by_urn[urn].dependencies
        return {by_urn[urn].type.rpartition(":")[2] for urn in seen}


class Program:
    """Deploys a copy of the program to an account that is emptied first; each combination of settings once."""

    def __init__(self, ministack: MiniStack, state: Path) -> None:
        self.account = Account(ministack.endpoint_url, REGION, ministack.credentials)
        self._ministack = ministack
        self._images = ImageStore(state, None, venvs=ROOT / ".sandbox" / "venvs")

    def deploy(self, source: Path = ROOT, before: Callable[[], None] = lambda: None, **chosen: object) -> Deployed:
        """Runs the program in `source` with the dev stack's settings and those given, by their names in Pulumi.yaml.

        `before` prepares the account, after it is emptied.
        """
        self.empty()
        before()
        return self.deploy_again(source=source, **chosen)

    def deploy_again(
        self, told: Callable[[str], object] = lambda _: None, source: Path = ROOT, **chosen: object
    ) -> Deployed:
        """Runs the program in the account as it is; `told` gets each line for the user."""
        project = settings.load_project(source)
        config = settings.load(project, "dev", chosen)
        provider = Provider(self.account, self._images, source)
        outputs, resources = mocks_driver.deploy(project, config, provider, self.variables, told)
        return Deployed(outputs, resources, self.account)

    @property
    def variables(self) -> dict[str, str]:
        """The variables with which a program reaches the account."""
        return self._ministack.program_variables

    def empty(self) -> None:
        """Removes everything from the account but the zone."""
        self._ministack.reset()
        self.account.client("route53").create_hosted_zone(Name="sandbox.test", CallerReference="tests")
