"""Jobs: schedules, queues and rules of EventBridge, each with a path of its own, which no client can reach.

The deployment sets `DUALMODE_JOBS` to a JSON object of these paths:

    {"schedules": {"nightly": "POST /nightly"}, "queues": {QUEUE_ARN: "/mail"}, "events": {"paid": "/paid"}}

A schedule and a rule send an event that only their target's input can have: `{"dualmode": {"schedule": "nightly"},
"body": ...}`. The messages of a queue are known by the ARN of their source, which Lambda sets.
"""

import json
from collections.abc import Mapping
from typing import Any

from dualmode.events import EventError, EventRequest

SETTING = "DUALMODE_JOBS"

_MARK = "dualmode"
_SECTIONS = {"schedule": "schedules", "event": "events"}


class Jobs:
    """The jobs of a deployment, and the paths that are theirs alone."""

    def __init__(self, text: str) -> None:
        """Reads the value of `DUALMODE_JOBS`.

        Raises:
            ValueError: it isn't JSON of that form.
        """
        try:
            told: Mapping[str, Mapping[str, str]] = json.loads(text)
            self._routes = {
                section: {name: _route(to) for name, to in routes.items()} for section, routes in told.items()
            }
        except (AttributeError, TypeError, ValueError):
            raise ValueError(
                f"{SETTING} is not a JSON object of jobs and their paths: the deployment sets it, so remove yours."
            ) from None
        self.paths = tuple(sorted({path for routes in self._routes.values() for _, path in routes.values()}))

    def request(self, event: Any) -> EventRequest | None:
        """Returns the request that a job's event becomes, or None for another event.

        Raises:
            EventError: this version of the function doesn't know the job.
        """
        if not isinstance(event, dict):
            return None
        if isinstance(event.get(_MARK), dict):
            return self._marked(event, event[_MARK])
        records = event.get("Records")
        if not isinstance(records, list) or not records or not isinstance(records[0], dict):
            return None
        arn = str(records[0].get("eventSourceARN"))
        route = self._routes.get("queues", {}).get(arn)
        if route is None:
            return None
        return EventRequest(f"the queue {arn.rpartition(':')[2]}", *route, body=_encoded(event), result=batch_result)

    def _marked(self, event: Mapping[str, Any], mark: Mapping[str, Any]) -> EventRequest:
        for key, section in _SECTIONS.items():
            name = mark.get(key)
            route = self._routes.get(section, {}).get(name) if isinstance(name, str) else None
            if route is not None:
                body = _encoded(event["body"]) if "body" in event else b""
                return EventRequest(f"the {key} {name}", *route, body=body)
        raise EventError(f"The event is of the job {dict(mark)}, which {SETTING} doesn't have: deploy again.")


def is_warming(event: object) -> bool:
    """Tells whether an event only keeps the function warm: no application gets it."""
    return event == {_MARK: {"keepWarm": True}}


def batch_result(answer: Any) -> Any:
    """Returns what a batch's answer says to Lambda: the failed messages. Any other answer means that none failed.

    Source: "Reporting batch item failures", Lambda Developer Guide: of what it can't read, all messages failed.
    """
    return answer if isinstance(answer, dict) and "batchItemFailures" in answer else None


def _route(to: str) -> tuple[str, str]:
    method, _, path = to.rpartition(" ")
    if not path.startswith("/"):
        raise ValueError
    return method or "POST", path


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode()
