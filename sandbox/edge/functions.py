"""What runs functions for the edge, and how they fail there."""

from collections.abc import Callable
from typing import Protocol

from sandbox.function_log import LogPart
from walk.function_version import FunctionVersion


class FunctionFailedError(Exception):
    """The function answered with an error object; the message names it."""


class FunctionTimedOutError(Exception):
    """The function did not answer within the integration's timeout."""


class Functions(Protocol):
    """What runs function versions."""

    def describe(self, version: FunctionVersion) -> str:
        """How this version runs here, in a few words."""

    def invoke(
        self,
        version: FunctionVersion,
        event: bytes,
        *,
        qualifier: str,
        timeout: float,
        logged: Callable[[LogPart], object],
    ) -> bytes:
        """Give the event to the function, which is started first if it isn't running.

        `logged` gets the place of its log, also when the function fails.

        Raises:
            FunctionFailedError: it answered with an error.
            FunctionTimedOutError: it took longer than `timeout` seconds, not counting the start.
        """
