"""The resources that the program makes, from a deployment to an emulated account by Pulumi's mocks."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from sandbox import settings
from sandbox.lifecycle import make_zone
from sandbox.ministack import MiniStack
from sandbox.presets import DOMAIN, ZONE
from sandbox.provider.provider import Provider
from sandbox.pulumi_drivers import mocks_driver
from sandbox.pulumi_drivers.resources import Resource
from sandbox.runner.images import ImageStore

_JOBS: Mapping[str, object] = {
    "schedules": [{"name": "nightly", "path": "/nightly", "rate": "1 day"}],
    "queues": [{"name": "orders", "path": "/orders"}],
    "events": [{"name": "sold", "path": "/sold", "pattern": {"source": ["shop"]}}],
    "keepWarm": 5,
    "alarmEmail": "team@example.com",
    "dashboard": True,
    "sessionKey": True,
    "table": "id",
    "tracing": True,
    "reservedConcurrency": 10,
    "checkImport": False,
}
CHOSEN: Mapping[str, Mapping[str, object]] = {
    "api": {**_JOBS, "domainName": DOMAIN, "corsOrigins": ["https://www.example.com"]},
    "cdn": {"domainName": DOMAIN, "cdn": True, "checkImport": False},
    "function-url": {"functionUrl": True, "checkImport": False},
}
"""The settings of each graph: together they make a resource of every type that needs nothing from outside."""


def graphs(project: Path) -> Iterator[tuple[str, tuple[Resource, ...]]]:
    """Yield each graph's name and its resources, secrets masked."""
    declared = settings.load_project(project)
    with tempfile.TemporaryDirectory() as state, MiniStack(Path(state)) as ministack:
        images = ImageStore(Path(state), None, venvs=project / ".sandbox" / "venvs")
        for name, chosen in CHOSEN.items():
            ministack.reset()
            make_zone(ministack.account, ZONE)
            config = settings.load(declared, "dev", chosen)
            provider = Provider(ministack.account, images, project)
            _, made = mocks_driver.deploy(declared, config, provider, ministack.program_variables, lambda _: None)
            yield name, made
