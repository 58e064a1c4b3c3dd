"""The real program's stack under the real engine, in an emulated account."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox import settings
from sandbox.ministack import MiniStack
from sandbox.provider.provider import Provider
from sandbox.pulumi_drivers.engine_driver import Engine
from sandbox.pulumi_drivers.servicer import Servicer
from tests.support.provided import ROOT, ContentBuilder
from walk.account import Account


@pytest.fixture
def account(ministack: MiniStack) -> Account:
    """The account, emptied."""
    ministack.reset()
    return Account(ministack.endpoint_url, ministack.region, ministack.credentials)


@pytest.fixture
def stack(ministack: MiniStack, account: Account, tmp_path: Path) -> Callable[..., Engine]:
    """Gives the stack `dev` of the program in a folder, with these settings; its state stays from one to the next."""

    def stack(folder: Path = ROOT, named: str = "dev", **chosen: object) -> Engine:
        project = settings.load_project(folder)
        config = settings.load(project, named, chosen)
        provider = Provider(account, ContentBuilder(), folder)
        servicer = Servicer(provider, account.region)
        return Engine(project, config, provider, servicer, tmp_path / f"state-{named}", ministack.variables)

    return stack
