"""Lambda: mappings of queues to functions.

Source: hashicorp/terraform-provider-aws, internal/service/lambda/event_source_mapping.go.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.blocks import Block
from sandbox.provider.call import Call, parameters
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.forms import ANYTHING, BOOLEAN, INTEGER, TEXT, TEXTS
from sandbox.provider.inputs import UNKNOWN
from sandbox.provider.refusals import ResourceRefusedError, or_none
from sandbox.provider.resource_type import ResourceType
from sandbox.provider.tags import Tags
from walk.role_permission import role_verdict

_MOST_WITHOUT_WINDOW = 10  # messages
# Source: "Configuring an Amazon SQS queue as an event source", Lambda Developer Guide, "Execution role permissions".
_NEEDED = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


class EventSourceMapping(ResourceType):
    """`aws.lambda_.EventSourceMapping`, of a queue."""

    pulumi_type = "aws:lambda/eventSourceMapping:EventSourceMapping"
    service = "lambda"
    fields = (
        Field("eventSourceArn", required=True),
        Field("functionName", required=True, echoed=True),
        Field("batchSize", filled=10, allowed=range(1, 10001)),
        Field("enabled", form=BOOLEAN, default=True, answer="Enabled"),
        "functionResponseTypes",
        Field("maximumBatchingWindowInSeconds", default=0, allowed=range(301)),
        Field("scalingConfig", form=Block(Field("maximumConcurrency", allowed=range(2, 1001)))),
        *unsupported(
            *("amazonManagedKafkaEventSourceConfig", "destinationConfig", "documentDbEventSourceConfig"),
            *("filterCriteria", "metricsConfig", "provisionedPollerConfig", "selfManagedEventSource"),
            "selfManagedKafkaEventSourceConfig",
            form=ANYTHING,
        ),
        *unsupported("bisectBatchOnFunctionError", "useResourceTimeoutForPropagation", form=BOOLEAN),
        *unsupported("kmsKeyArn", "queues", "startingPosition", "startingPositionTimestamp", form=TEXT),
        *unsupported(
            *("maximumRecordAgeInSeconds", "maximumRetryAttempts", "parallelizationFactor"),
            "tumblingWindowInSeconds",
            form=INTEGER,
        ),
        *unsupported("sourceAccessConfigurations", "topics", form=TEXTS),
        Output("uuid", "UUID"),
        Output("arn", "arn:aws:lambda:{region}:{account}:event-source-mapping:{uuid}"),
        Output("functionArn", "FunctionArn"),
        Output("lastModified", "LastModified", unknown_after_update=True),
        Output("lastProcessingResult", "LastProcessingResult"),
        Output("state", "State", unknown_after_update=True),
        Output("stateTransitionReason", "StateTransitionReason"),
    )
    tags = Tags("{arn}", listed="ListTags")
    replace_on_changes = frozenset({"eventSourceArn"})
    create_call = Call("CreateEventSourceMapping", "UUID")
    locate_call = Call(
        "ListEventSourceMappings",
        "EventSourceMappings[0].UUID",
        EventSourceArn="{eventSourceArn}",
        FunctionName="{functionName}",
    )
    identified_by = parameters(UUID="{id}")
    read_calls = (Call("GetEventSourceMapping"),)
    update_calls = (Call("UpdateEventSourceMapping"),)
    delete_call = Call("DeleteEventSourceMapping")

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse a large batch without a time to fill it.

        Source: "CreateEventSourceMapping", Lambda API Reference, MaximumBatchingWindowInSeconds.
        """
        size, window = wanted["batchSize"], wanted["maximumBatchingWindowInSeconds"]
        if UNKNOWN in (size, window) or (size or 0) <= _MOST_WITHOUT_WINDOW or window:
            return []
        return [("batchSize", f"a batch of {size} needs a maximumBatchingWindowInSeconds of 1 or more")]

    def read(self, identity: str, state: Mapping[str, Any]) -> Any:
        """Return the mapping, with its state as the input has it."""
        found = super().read(identity, state)
        return found and {**found, "Enabled": found.get("State") not in ("Disabled", "Disabling")}

    def check_references(self, wanted: Values, identity: str) -> None:
        """Refuse a queue or function that doesn't exist, a role that may not read it, too short a visibility, a second.

        Source: Lambda's refusals, as in aws/serverless-application-model#1424, hashicorp/terraform#22040 and
        DataBiosphere/azul#3399.
        """
        queue_arn = str(wanted["eventSourceArn"])
        function = self._function(str(wanted["functionName"]))
        if function is None:
            raise ResourceRefusedError(
                "ResourceNotFoundException", f"Function not found: {wanted['functionName']}", "functionName"
            )
        if queue_arn.split(":")[2:3] != ["sqs"]:
            raise ResourceRefusedError(
                "InvalidParameterValueException", f"the sandbox maps queues only, not {queue_arn}", "eventSourceArn"
            )
        attributes = self._queue(queue_arn)
        if attributes is None:
            raise ResourceRefusedError(
                "InvalidParameterValueException",
                f"Error occurred while ReceiveMessage: the queue {queue_arn} doesn't exist",
                "eventSourceArn",
            )
        for action in _NEEDED:
            verdict = role_verdict(self.aws.account, function["Role"], action, queue_arn)
            if not verdict.allowed:
                raise ResourceRefusedError(
                    "InvalidParameterValueException",
                    "The provided execution role does not have permissions to call "
                    f"{action.partition(':')[2]} on SQS: {verdict.reason}",
                    "functionName",
                )
        visible, timeout = int(attributes["VisibilityTimeout"]), int(function["Timeout"])
        if visible < timeout:
            raise ResourceRefusedError(
                "InvalidParameterValueException",
                f"Queue visibility timeout: {visible} seconds is less than Function timeout: {timeout} seconds",
                "eventSourceArn",
            )
        existing = None if identity else self.locate(wanted)
        if existing is not None:
            raise ResourceRefusedError(
                "ResourceConflictException",
                f'An event source mapping with SQS arn (" {queue_arn} ") and function (" {wanted["functionName"]} ") '
                f"already exists. Please update or delete the existing mapping with UUID {existing}",
            )

    def _function(self, name: str) -> Any:
        return or_none(lambda: self.client.get_function_configuration(FunctionName=name))

    def _queue(self, arn: str) -> Any:
        sqs = self.aws.client("sqs")
        url = or_none(lambda: sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"])
        return url and sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
