"""One event for a deployed function: its result, and the end of its log."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from operations.deployment import LIVE_ALIAS, Deployment
from operations.errors import OperationError
from operations.log_events import LogEvent
from operations.log_record import parse
from operations.output import say

# Source: Lambda quotas, the longest timeout of a function; and a little more, so that Lambda ends it.
_ANSWER_SECONDS = 905
_REQUEST_LIMIT = 6 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an invocation gave back; `error` is empty if the function didn't fail."""

    result: Any
    error: str
    version: str
    request_id: str
    log: str  # the last 4 KB

    def say_log(self) -> None:
        """Print the end of the log to standard error, in readable form."""
        for line in self.log.splitlines():
            record = parse(LogEvent(timestamp=0, stream="", message=line), "function")
            if not record.is_detail:
                for text in record.lines():
                    say(text.partition("function  ")[2] or text)


def invoke(deployment: Deployment, event: bytes, qualifier: str = LIVE_ALIAS) -> Outcome:
    """Give the function an event once, and wait for its result.

    Raises:
        OperationError: Lambda takes no event of this size.
        KeyboardInterrupt: with what is true then: the function still runs.
    """
    if len(event) > _REQUEST_LIMIT:
        raise OperationError(f"The event has {len(event)} bytes, but Lambda takes {_REQUEST_LIMIT}: make it smaller.")
    try:
        answer = _client(deployment).invoke(
            FunctionName=deployment.function_name, Qualifier=qualifier, Payload=event, LogType="Tail"
        )
        payload = answer["Payload"].read()
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "Interrupted; the function may still be running, and ends by itself: `make logs` shows what it did."
        ) from None
    try:
        result = json.loads(payload)
    except ValueError:
        result = payload.decode("utf-8", "replace")
    return Outcome(
        result=result,
        error=str(answer.get("FunctionError", "")),
        version=str(answer.get("ExecutedVersion", "")),
        request_id=answer["ResponseMetadata"].get("RequestId", ""),
        log=base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace"),
    )


def _client(deployment: Deployment) -> Any:
    """Lambda's client that waits as long as a function may run, and never calls it a second time."""
    import boto3
    from botocore.config import Config

    once = Config(read_timeout=_ANSWER_SECONDS, retries={"mode": "standard", "total_max_attempts": 1})
    return boto3.Session().client("lambda", region_name=deployment.account.region, config=once)
