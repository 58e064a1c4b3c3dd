"""A program with its settings as a task for `sandbox.pulumi_drivers.deployment`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sandbox import settings
from sandbox.ministack import MiniStack
from sandbox.provider.aws import Builder
from sandbox.pulumi_drivers.task import Task
from tests.support.provided import ContentBuilder
from walk.account import Account


def task(
    folder: Path,
    ministack: MiniStack,
    progress: Callable[[str], object] = lambda _: None,
    images: Builder | None = None,
    **chosen: object,
) -> Task:
    """The stack `dev` of the program in a folder, with these settings over its own, in a running account."""
    project = settings.load_project(folder)
    return Task(
        project=project,
        config=settings.load(project, "dev", chosen),
        account=Account(ministack.endpoint_url, ministack.region, ministack.credentials),
        variables=ministack.program_variables,
        images=images or ContentBuilder(),
        state=ministack.state,
        progress=progress,
    )
