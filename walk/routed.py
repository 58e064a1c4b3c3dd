"""A request at the route that takes it."""

from collections.abc import Mapping
from dataclasses import dataclass

from walk.domain import StageAddress
from walk.route import Match


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """The stage that a request came to, with its variables, and the route that takes the request."""

    address: StageAddress
    match: Match
    stage_variables: Mapping[str, str]

    def request_arn(self, api_arn: str, method: str) -> str:
        """Return how policies and authorizers name the request: by its own method and path, not the route's.

        Source: docs/http-api.md, R69.
        """
        return f"{api_arn}/{self.address.stage}/{method.upper()}{self.address.path}"
