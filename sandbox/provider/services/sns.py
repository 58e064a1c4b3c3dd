"""Simple Notification Service: topics, their policies and who subscribed to them.

Source: hashicorp/terraform-provider-aws, internal/service/sns/{topic,topic_policy,topic_subscription}.go.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.call import Call, parameters
from sandbox.provider.fields import Field, Output, attribute, unsupported
from sandbox.provider.forms import BOOLEAN, INTEGER, JSON, ONLY_TRUE, TEXT
from sandbox.provider.resource_type import EachAttribute, ResourceType
from sandbox.provider.services.iam import policy_mistakes
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


# Source: "Subscribe", Amazon SNS API Reference.
_PROTOCOLS = ("application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# Source: "Actions, resources, and condition keys for Amazon SNS", those for a topic that its policy may have.
_TOPIC_ACTIONS = frozenset(
    f"sns:{action}"
    for action in (
        *("addpermission", "deletetopic", "getdataprotectionpolicy", "gettopicattributes", "listsubscriptionsbytopic"),
        *("listtagsforresource", "publish", "putdataprotectionpolicy", "receive", "removepermission"),
        *("settopicattributes", "subscribe"),
    )
)


class TopicSubscription(ResourceType):
    """`aws.sns.TopicSubscription`."""

    pulumi_type = "aws:sns/topicSubscription:TopicSubscription"
    service = "sns"
    fields = (
        Field("topic", "TopicArn", required=True, answer="Attributes.TopicArn"),
        Field("protocol", required=True, answer="Attributes.Protocol", allowed=_PROTOCOLS),
        Field("endpoint", required=True, answer="Attributes.Endpoint"),
        attribute("deliveryPolicy", form=JSON),
        attribute("filterPolicy", form=JSON),
        attribute("filterPolicyScope"),
        attribute("rawMessageDelivery", form=ONLY_TRUE),
        attribute("redrivePolicy", form=JSON),
        attribute("subscriptionRoleArn"),
        Field("confirmationTimeoutInMinutes", "", INTEGER, default=1),
        Field("endpointAutoConfirms", "", BOOLEAN, default=False),
        *unsupported("replayPolicy", form=TEXT),
        Output("arn", "{id}"),
        Output("confirmationWasAuthenticated", "Attributes.ConfirmationWasAuthenticated == 'true'"),
        Output("ownerId", "Attributes.Owner"),
        Output("pendingConfirmation", "Attributes.PendingConfirmation == 'true'"),
    )
    replace_on_changes = frozenset({"topic", "protocol", "endpoint"})
    create_call = Call("Subscribe", "SubscriptionArn", ReturnSubscriptionArn=True)
    identified_by = parameters(SubscriptionArn="{id}")
    read_calls = (Call("GetSubscriptionAttributes"),)
    update_calls = (EachAttribute("SetSubscriptionAttributes"),)
    delete_call = Call("Unsubscribe")

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse an address that SNS refuses: `Invalid parameter: Email address`."""
        address, by_email = wanted["endpoint"], wanted["protocol"] in ("email", "email-json")
        if by_email and isinstance(address, str) and not _ADDRESS.fullmatch(address):
            return [("endpoint", f"Invalid parameter: Email address {address}")]
        return []


class TopicPolicy(ResourceType):
    """`aws.sns.TopicPolicy`: who may use a topic. Without one it is the account alone."""

    pulumi_type = "aws:sns/topicPolicy:TopicPolicy"
    service = "sns"
    fields = (
        Field("arn", "TopicArn", required=True, answer="Attributes.TopicArn"),
        Field("policy", "AttributeValue", JSON, required=True, answer="Attributes.Policy"),
        Output("owner", "Attributes.Owner"),
    )
    replace_on_changes = frozenset({"arn"})
    create_call = Call("SetTopicAttributes")
    identity = "{arn}"
    identified_by = parameters(TopicArn="{id}")
    read_calls = (Call("GetTopicAttributes"),)
    update_calls = (Call("SetTopicAttributes", AttributeName="Policy"),)

    def create_request(self, wanted: Values) -> Values:
        """Return the request with the attribute's name."""
        return {**super().create_request(wanted), "AttributeName": "Policy"}

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse a policy that SNS refuses."""
        policy = wanted["policy"]
        mistakes = policy_mistakes(policy, "policy", principal=True)
        if mistakes or not isinstance(policy, str):
            return mistakes
        statements = json.loads(policy)["Statement"]
        for statement in [statements] if isinstance(statements, dict) else statements:
            actions = statement.get("Action") or []
            given = [actions] if isinstance(actions, str) else actions
            if not {action.lower() for action in given} <= _TOPIC_ACTIONS:
                return [("policy", "Invalid parameter: Policy statement action out of service scope!")]
        return []

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        """Give the topic the policy that it was made with."""
        statement = {
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [
                *("SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission"),
                *("SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish"),
            ],
            "Resource": identity,
            "Condition": {"StringEquals": {"AWS:SourceOwner": self.aws.account_id}},
        }
        policy = {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}
        self.client.set_topic_attributes(TopicArn=identity, AttributeName="Policy", AttributeValue=json.dumps(policy))
