import contextlib

import pytest

from tests.support.api_accounts import built
from tests.support.echo import Echo


@pytest.fixture
def made(ministack, account):
    ministack.reset()
    with built(account) as made:
        yield made


@pytest.fixture
def echo():
    return Echo()


@pytest.fixture
def changed():
    """Makes a change to the account, and takes it back after the test."""
    with contextlib.ExitStack() as undone:

        def change(do, undo):
            undone.callback(undo)
            return do()

        yield change
