"""What an API calls for a request, and how the address of a function is written in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from walk.route import Match

# The two forms: the function's own ARN, and the ARN that invokes it through API Gateway's service integration.
_FUNCTION_ARN = re.compile(
    r"(?P<arn>arn:[^:]+:lambda:(?P<region>[^:]*):(?P<account>\d*):function:(?P<name>[^:/]+))(?::(?P<qualifier>[^:/]+))?(?:/invocations)?$"
)
_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What the integration calls, and how; `timeout` in seconds, `source_arn` is the request's own."""

    function_arn: str  # without a qualifier
    function_name: str
    qualifier: str
    source_arn: str
    payload_version: str
    timeout: float
    match: Match
    stage_variables: dict[str, str]
    authorizer: Mapping[str, object] | None = None  # what the route's authorization tells of the client
    cors: Mapping[str, Any] = field(default_factory=dict)  # the API's configuration, empty without one

    @property
    def invoked_arn(self) -> str:
        """The ARN that is invoked, qualified if the integration's is."""
        return f"{self.function_arn}:{self.qualifier}" if self.qualifier else self.function_arn


def with_stage_variables(uri: str, variables: Mapping[str, str]) -> str:
    """Return an address with the values of the stage's variables in their places."""
    return _STAGE_VARIABLE.sub(lambda found: variables.get(found[1], ""), uri)


def function_at(uri: str) -> re.Match[str] | None:
    """Return the parts of a function's address: `arn` (without qualifier), `region`, `account`, `name`, `qualifier`."""
    return _FUNCTION_ARN.search(uri)
