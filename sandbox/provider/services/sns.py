"""Simple Notification Service: topics.

Source: hashicorp/terraform-provider-aws, internal/service/sns/topic.go.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.provider.call import Call, parameters
from sandbox.provider.fields import Field, Output, attribute, unsupported
from sandbox.provider.forms import INTEGER, JSON, ONLY_TRUE, TEXT
from sandbox.provider.resource_type import EachAttribute, ResourceType
from sandbox.provider.tags import Tags

_FEEDBACK = tuple(
    attribute(f"{protocol.lower()}{what}", f"{protocol}{what}", form)
    for protocol in ("Application", "Firehose", "HTTP", "Lambda", "SQS")
    for what, form in (
        *(("SuccessFeedbackRoleArn", TEXT), ("FailureFeedbackRoleArn", TEXT)),
        ("SuccessFeedbackSampleRate", INTEGER),
    )
)


class Topic(ResourceType):
    """`aws.sns.Topic`."""

    pulumi_type = "aws:sns/topic:Topic"
    service = "sns"
    fields = (
        Field("name", required=True),
        attribute("archivePolicy", form=JSON),
        attribute("contentBasedDeduplication", form=ONLY_TRUE),
        attribute("deliveryPolicy", form=JSON),
        attribute("displayName"),
        attribute("fifoThroughputScope", computed=True),
        attribute("fifoTopic", form=ONLY_TRUE),
        attribute("kmsMasterKeyId"),
        attribute("policy", form=JSON, computed=True),
        attribute("signatureVersion", form=INTEGER, filled=1, allowed=(1, 2)),
        attribute("tracingConfig", filled="PassThrough", allowed=("Active", "PassThrough")),
        *_FEEDBACK,
        *unsupported("namePrefix", form=TEXT),
        *unsupported("maximumMessageSize", form=INTEGER),
        Output("arn", "Attributes.TopicArn"),
        Output("beginningArchiveTime", "Attributes.BeginningArchiveTime"),
        Output("owner", "Attributes.Owner"),
    )
    tags = Tags("{id}")
    autonamed = "name"
    replace_on_changes = frozenset({"name", "namePrefix", "fifoTopic"})
    create_call = Call("CreateTopic")
    identity = "arn:aws:sns:{region}:{account}:{name}"
    identified_by = parameters(TopicArn="{id}")
    read_calls = (Call("GetTopicAttributes"),)
    update_calls = (EachAttribute("SetTopicAttributes"),)
    delete_call = Call("DeleteTopic")

    def name_ending(self, inputs: Mapping[str, Any]) -> str:
        """Return the required suffix of a first-in-first-out topic's name."""
        return ".fifo" if inputs.get("fifoTopic") else ""
