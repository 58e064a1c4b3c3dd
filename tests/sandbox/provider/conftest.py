from collections.abc import Iterator

import pytest

from tests.support.issuer import issuing


@pytest.fixture(scope="package", autouse=True)
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An issuer of tokens, at the address in TESTS_ISSUER: the provider refuses one that doesn't publish its keys."""
    with issuing(tmp_path_factory.mktemp("issuer")) as found, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TESTS_ISSUER", found.address)
        yield
