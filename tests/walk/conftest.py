import pytest

from tests.support.api_accounts import built


@pytest.fixture
def made(ministack, account):
    ministack.reset()
    with built(account) as made:
        yield made
