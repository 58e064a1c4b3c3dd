"""Lambda's pollers of queues: each batch of messages is one invocation of the function that the queue is mapped to.

As on AWS, a message that failed is received again, until the queue's redrive policy moves it to its dead-letter queue;
but the sandbox doesn't wait: neither for a batch to fill nor for the visibility timeout of what failed.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.errors import SandboxError
from sandbox.invocations import Invocations
from walk.account import Account
from walk.queries import every
from walk.trace import RequestRefusedError

_MOST_AT_ONCE = 10  # messages that one call of SQS gives


@dataclass(frozen=True, slots=True, kw_only=True)
class Queues:
    """The queues that are mapped to functions."""

    account: Account
    invocations: Invocations

    def poll(self) -> list[str]:
        """Give each function one batch of its queue, if there is one; return a line for each batch."""
        mappings = every(self.account.client("lambda"), "list_event_source_mappings", "EventSourceMappings")
        return [
            line
            for mapping in mappings
            if mapping.get("State") == "Enabled" and str(mapping["EventSourceArn"]).split(":")[2:3] == ["sqs"]
            for line in self._one_batch(mapping)
        ]

    def _one_batch(self, mapping: Mapping[str, Any]) -> list[str]:
        sqs, arn = self.account.client("sqs"), str(mapping["EventSourceArn"])
        name = arn.rpartition(":")[2]
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        messages = self._received(url, int(mapping.get("BatchSize", _MOST_AT_ONCE)))
        if not messages:
            return []
        records = [_record(message, arn, self.account.region) for message in messages]
        failed = self._failed(mapping, records)
        for message in messages:
            handle = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
            if message["MessageId"] in failed:
                sqs.change_message_visibility(**handle, VisibilityTimeout=0)
            else:
                sqs.delete_message(**handle)
        of = f", {len(failed)} failed" if failed else ""
        return [f"Queue {name}: a batch of {len(messages)}{of}"]

    def _received(self, url: str, most: int) -> list[dict[str, Any]]:
        sqs, messages = self.account.client("sqs"), list[dict[str, Any]]()
        while len(messages) < most:
            found = sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=min(_MOST_AT_ONCE, most - len(messages)),
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            if not found:
                break
            messages += found
        return messages

    def _failed(self, mapping: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> set[str]:
        """Give the function a batch, and return the ids of the messages on which it failed."""
        every_one = {str(record["messageId"]) for record in records}
        function, _, qualifier = str(mapping["FunctionArn"]).split(":", 6)[6].partition(":")
        event = json.dumps({"Records": records}).encode()
        try:
            answer = self.invocations.invoke(self.invocations.version(function, qualifier), event, lambda _: None)
        except (SandboxError, RequestRefusedError):
            return every_one
        if answer.status != 200 or "x-amz-function-error" in {key.lower() for key, _ in answer.headers}:
            return every_one
        if "ReportBatchItemFailures" not in (mapping.get("FunctionResponseTypes") or ()):
            return set()
        return reported(answer.body, every_one)


def reported(body: bytes, every_one: set[str]) -> set[str]:
    """Return the ids of the messages that a result names as failed; all, where Lambda can't read it.

    Source: "Reporting batch item failures", Lambda Developer Guide, "Success and failure conditions".
    """
    try:
        result = json.loads(body or b"null")
        failures = (result or {}).get("batchItemFailures") or []
        failed = {failure["itemIdentifier"] for failure in failures}
    except (AttributeError, KeyError, TypeError, ValueError):
        return every_one
    return failed if failed <= every_one else every_one


def _record(message: Mapping[str, Any], arn: str, region: str) -> dict[str, Any]:
    """Source: "Using Lambda with Amazon SQS", Lambda Developer Guide, the example of an event."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()},
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": region,
    }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    attribute: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value.get("DataType")}
    if "StringValue" in value:
        attribute["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        attribute["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return attribute
