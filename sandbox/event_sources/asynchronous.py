"""Lambda's own queue of events: it tries each event three times, and sends what fails for good to a destination."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.event_sources.dead_letters import send_as_role
from sandbox.function_log import LogPart
from sandbox.invocations import Invocations
from walk.account import Account
from walk.function_version import FunctionVersion
from walk.queries import read

# Source: "Configuring error handling settings for asynchronous invocations", Lambda Developer Guide. AWS waits a minute
# before the first retry and two before the second; the sandbox doesn't wait.
_RETRIES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an event ended: the last attempt's result, how many there were, and where a failed event went."""

    succeeded: bool
    result: bytes
    attempts: int
    destination: str = ""

    def in_words(self) -> str:
        """What happened, for a line of the sandbox's output."""
        if self.succeeded:
            return "succeeded" if self.attempts == 1 else f"succeeded at attempt {self.attempts}"
        where = f", and went to {self.destination.rpartition(':')[2]}" if self.destination else ", and is lost"
        return f"failed {self.attempts} times{where}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AsynchronousInvocations:
    """Gives events to functions as Lambda does for whoever doesn't wait for the result."""

    account: Account
    invocations: Invocations

    def invoke(self, function_arn: str, event: bytes, logged: Callable[[LogPart], object]) -> Outcome:
        """Give an event to a function, version or alias by its ARN, until it succeeds or is given up.

        Raises:
            RequestRefusedError: Lambda would not run it.
            SandboxError: it can't run here.
        """
        name, _, qualifier = function_arn.split(":", 6)[6].partition(":")
        version = self.invocations.version(name, qualifier)
        config = self._configuration(name, qualifier)
        most = int(config.get("MaximumRetryAttempts", _RETRIES)) + 1
        for attempt in range(1, most + 1):
            answer = self.invocations.invoke(version, event, logged)
            headers = {key.lower() for key, _ in answer.headers}
            if answer.status == 200 and "x-amz-function-error" not in headers:
                return Outcome(succeeded=True, result=answer.body, attempts=attempt)
        destination = str(((config.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination") or "")
        if destination:
            self._send(destination, version, function_arn, event, answer.body, most)
        return Outcome(succeeded=False, result=answer.body, attempts=most, destination=destination)

    def _configuration(self, name: str, qualifier: str) -> dict[str, Any]:
        found = read(
            self.account.client("lambda"),
            "get_function_event_invoke_config",
            absent="ResourceNotFoundException",
            FunctionName=name,
            **({"Qualifier": qualifier} if qualifier else {}),
        )
        return found or {}

    def _send(
        self, destination: str, version: FunctionVersion, function_arn: str, event: bytes, answer: bytes, attempts: int
    ) -> None:
        """Send the record of a failed event, if the function's role may."""
        role = self.account.client("lambda").get_function_configuration(FunctionName=version.name)["Role"]
        record = {
            "version": "1.0",
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "requestContext": {
                "requestId": str(uuid.uuid4()),
                "functionArn": function_arn,
                "condition": "RetriesExhausted",
                "approximateInvokeCount": attempts,
            },
            "requestPayload": json.loads(event),
            "responseContext": {"statusCode": 200, "executedVersion": version.version, "functionError": "Unhandled"},
            "responsePayload": json.loads(answer or b"null"),
        }
        send_as_role(self.account, role, destination, json.dumps(record))
