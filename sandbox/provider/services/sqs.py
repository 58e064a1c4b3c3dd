"""Simple Queue Service: queues.

Source: hashicorp/terraform-provider-aws, internal/service/sqs/queue.go.
"""

import json
from collections.abc import Mapping
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.call import Call, parameters
from sandbox.provider.fields import Field, Output, attribute, unsupported
from sandbox.provider.forms import BOOLEAN, INTEGER, JSON, ONLY_TRUE, TEXT
from sandbox.provider.refusals import ResourceRefusedError
from sandbox.provider.resource_type import ResourceType
from sandbox.provider.services.iam import policy_mistakes
from sandbox.provider.tags import Tags


class Queue(ResourceType):
    """`aws.sqs.Queue`."""

    pulumi_type = "aws:sqs/queue:Queue"
    service = "sqs"
    # Source of the ranges, in seconds and bytes: "SetQueueAttributes", Amazon SQS API Reference.
    fields = (
        Field("name", "QueueName", required=True),
        attribute("contentBasedDeduplication", form=ONLY_TRUE),
        attribute("deduplicationScope", computed=True),
        attribute("delaySeconds", form=INTEGER, default=0, allowed=range(901)),
        attribute("fifoQueue", form=ONLY_TRUE),
        attribute("fifoThroughputLimit", computed=True),
        attribute("kmsDataKeyReusePeriodSeconds", form=INTEGER, filled=300, allowed=range(60, 86401)),
        attribute("kmsMasterKeyId"),
        attribute("maxMessageSize", "MaximumMessageSize", INTEGER, filled=1048576, allowed=range(1024, 1048577)),
        attribute(
            *("messageRetentionSeconds", "MessageRetentionPeriod", INTEGER), default=345600, allowed=range(60, 1209601)
        ),
        attribute("policy", form=JSON, computed=True),
        attribute("receiveWaitTimeSeconds", "ReceiveMessageWaitTimeSeconds", INTEGER, default=0, allowed=range(21)),
        attribute("redriveAllowPolicy", form=JSON),
        attribute("redrivePolicy", form=JSON),
        attribute("sqsManagedSseEnabled", form=BOOLEAN, computed=True),
        attribute("visibilityTimeoutSeconds", "VisibilityTimeout", INTEGER, default=30, allowed=range(43201)),
        *unsupported("namePrefix", form=TEXT),
        Output("arn", "Attributes.QueueArn"),
        Output("url", "{id}"),
    )
    tags = Tags("{id}", tag="TagQueue", untag="UntagQueue", listed="ListQueueTags")
    autonamed = "name"
    replace_on_changes = frozenset({"name", "namePrefix", "fifoQueue"})
    create_call = Call("CreateQueue", "QueueUrl")
    identity_holds = "{address}/{name}"
    locate_call = Call("GetQueueUrl", "QueueUrl", QueueName="{name}")
    identified_by = parameters(QueueUrl="{id}")
    read_calls = (Call("GetQueueAttributes", AttributeNames=["All"]),)
    update_calls = (Call("SetQueueAttributes"),)
    delete_call = Call("DeleteQueue")

    def name_ending(self, inputs: Mapping[str, Any]) -> str:
        """Return the required suffix of a first-in-first-out queue's name."""
        return ".fifo" if inputs.get("fifoQueue") else ""

    def check_references(self, wanted: Values, identity: str) -> None:
        """Refuse a dead-letter queue that doesn't exist."""
        policy = json.loads(wanted["redrivePolicy"] or "{}")
        target = policy.get("deadLetterTargetArn") if isinstance(policy, dict) else None
        if target and self.locate({"name": target.rpartition(":")[2]}) is None:
            raise ResourceRefusedError(
                "InvalidParameterValue", f"the dead-letter queue {target} doesn't exist", "redrivePolicy"
            )


class QueuePolicy(ResourceType):
    """`aws.sqs.QueuePolicy`: who else may use a queue.

    Source: hashicorp/terraform-provider-aws, internal/service/sqs/queue_policy.go.
    """

    pulumi_type = "aws:sqs/queuePolicy:QueuePolicy"
    service = "sqs"
    fields = (
        Field("queueUrl", required=True),
        attribute("policy", form=JSON, required=True),
    )
    replace_on_changes = frozenset({"queueUrl"})
    create_call = Call("SetQueueAttributes")
    identity = "{queueUrl}"
    identified_by = parameters(QueueUrl="{id}")
    read_calls = (Call("GetQueueAttributes", AttributeNames=["Policy"]),)
    update_calls = (Call("SetQueueAttributes"),)
    delete_call = Call("SetQueueAttributes", Attributes={"Policy": ""})

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse a policy that SQS calls invalid."""
        return policy_mistakes(wanted["policy"], "policy", principal=True)

    def read(self, identity: str, state: Mapping[str, Any]) -> Any:
        """Return the policy; a queue without one has no such resource."""
        found = super().read(identity, state)
        return found if (found.get("Attributes") or {}).get("Policy") else None
