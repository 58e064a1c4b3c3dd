import contextlib

import pytest

from tests.support.echo import Echo


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
