from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.provider.provider import Provider
from tests.support.issuer import issuing
from tests.support.provided import ContentBuilder
from walk.account import Account


@pytest.fixture(scope="package", autouse=True)
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An issuer of tokens, at the address in TESTS_ISSUER: the provider refuses one that doesn't publish its keys."""
    with issuing(tmp_path_factory.mktemp("issuer")) as found, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TESTS_ISSUER", found.address)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project's folder, with an empty one to build an image from."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "context").mkdir()
    return folder


@pytest.fixture(scope="module")
def provider(account: Account, folder: Path) -> Provider:
    """The provider of `account`."""
    return Provider(account, ContentBuilder(), folder)
