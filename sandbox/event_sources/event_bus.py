"""EventBridge: gives events to the functions that are targets of a rule. MiniStack delivers to all other targets.

Rules with a schedule don't fire here: schedules of EventBridge Scheduler do.
"""

import json
import queue
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dualmode.gateway.http.message import Request, Response
from sandbox.errors import SandboxError
from sandbox.event_sources.asynchronous import AsynchronousInvocations
from sandbox.event_sources.dead_letters import send
from sandbox.event_sources.input_transformer import sent
from walk.account import Account
from walk.function_version import invoke_verdict
from walk.policy import Act, evaluate
from walk.queries import every
from walk.trace import RequestRefusedError

_SERVICE = "events.amazonaws.com"
_DEFAULT = "default"


@dataclass(slots=True, kw_only=True)
class EventBus:
    """The event buses of an account, for targets that are functions."""

    account: Account
    asynchronous: AsynchronousInvocations
    _put: queue.SimpleQueue[tuple[str, dict[str, Any]]] = field(default_factory=queue.SimpleQueue)

    def hear(self, request: Request, response: Response) -> None:
        """Keep the events of a call that put them on a bus."""
        if request.header("x-amz-target") != "AWSEvents.PutEvents":
            return
        answered = json.loads(response.body).get("Entries", [])
        for entry, answer in zip(json.loads(request.body).get("Entries", []), answered, strict=False):
            if answer.get("EventId"):
                bus = str(entry.get("EventBusName") or _DEFAULT).rpartition("/")[2]
                self._put.put((bus, self._event(entry, answer["EventId"])))

    def deliver(self) -> Iterator[str]:
        """Give the events that were put since the last call to the rules' functions; yield a line for each."""
        while not self._put.empty():
            bus, event = self._put.get()
            events = self.account.client("events")
            for rule in every(events, "list_rules", "Rules", EventBusName=bus):
                if rule.get("State") != "ENABLED" or not rule.get("EventPattern"):
                    continue
                if not events.test_event_pattern(EventPattern=rule["EventPattern"], Event=json.dumps(event))["Result"]:
                    continue
                for target in every(events, "list_targets_by_rule", "Targets", Rule=rule["Name"], EventBusName=bus):
                    if str(target["Arn"]).split(":")[2:3] == ["lambda"]:
                        yield self._give(rule, target, event)

    def _give(self, rule: Mapping[str, Any], target: Mapping[str, Any], event: Mapping[str, Any]) -> str:
        arn = str(target["Arn"])
        verdict = invoke_verdict(self.account, arn, _SERVICE, str(rule["Arn"]))
        why = f"{_SERVICE} may not invoke {arn}: {verdict.reason}"
        if verdict.allowed:
            try:
                outcome = self.asynchronous.invoke(arn, sent(target, rule, event).encode(), lambda _: None)
            except RequestRefusedError as refused:
                why = f"{refused.hop.hop} {refused.hop.id}: {refused.hop.detail}"
            except SandboxError as error:
                why = str(error)
            else:
                return f"Rule {rule['Name']} {outcome.in_words()}"
        self._bury(rule, target, event)
        return f"Rule {rule['Name']} could not deliver an event: {why}"

    def _bury(self, rule: Mapping[str, Any], target: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        """Send an event to the target's dead-letter queue, if the queue's policy lets the rule do it."""
        arn = str((target.get("DeadLetterConfig") or {}).get("Arn") or "")
        if not arn:
            return
        sqs = self.account.client("sqs")
        url = sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
        policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {}).get("Policy")
        context = {"aws:SourceArn": str(rule["Arn"]), "aws:SourceAccount": self.account.account_id}
        act = Act(service=_SERVICE, action="sqs:SendMessage", resource=arn, context=context)
        if evaluate(policy or None, act).allowed:
            send(self.account, arn, json.dumps(event))

    def _event(self, entry: Mapping[str, Any], identity: str) -> dict[str, Any]:
        """Source: "AWS service event metadata", EventBridge Events Reference."""
        return {
            "version": "0",
            "id": identity,
            "detail-type": entry.get("DetailType", ""),
            "source": entry.get("Source", ""),
            "account": self.account.account_id,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.account.region,
            "resources": entry.get("Resources") or [],
            "detail": json.loads(entry.get("Detail") or "{}"),
        }
