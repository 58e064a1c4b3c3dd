"""Lambda: what happens to an event on which a function failed that was invoked asynchronously.

Source: hashicorp/terraform-provider-aws, internal/service/lambda/function_event_invoke_config.go.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.blocks import Block
from sandbox.provider.call import Call, given, parameters
from sandbox.provider.fields import Field
from sandbox.provider.refusals import ResourceRefusedError, or_none
from sandbox.provider.resource_type import ResourceType
from walk.role_permission import role_verdict

_DESTINATION = Block(Field("destination", required=True))


class FunctionEventInvokeConfig(ResourceType):
    """`aws.lambda_.FunctionEventInvokeConfig`."""

    pulumi_type = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
    service = "lambda"
    fields = (
        Field("functionName", required=True, echoed=True),
        Field("qualifier", echoed=True),
        Field("maximumEventAgeInSeconds", filled=21600),
        Field("maximumRetryAttempts", default=2),
        Field(
            "destinationConfig",
            form=Block(Field("onFailure", form=_DESTINATION), Field("onSuccess", form=_DESTINATION)),
        ),
    )
    replace_on_changes = frozenset({"functionName", "qualifier"})
    create_call = Call("PutFunctionEventInvokeConfig")
    identity = "{functionName}:{qualifier}"
    identified_by = parameters(FunctionName="{functionName}", Qualifier="{qualifier}")
    read_calls = (Call("GetFunctionEventInvokeConfig"),)
    delete_call = Call("DeleteFunctionEventInvokeConfig")

    def read(self, identity: str, state: Mapping[str, Any]) -> Any:
        """Return the configuration; destinations that it doesn't have are left out."""
        found = super().read(identity, state)
        destinations = {key: value for key, value in (found.get("DestinationConfig") or {}).items() if value}
        return {**found, "DestinationConfig": destinations or None}

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Put all of it again."""
        self.client.put_function_event_invoke_config(**given(self.create_request(wanted)))

    def check_references(self, wanted: Values, identity: str) -> None:
        """Refuse a queue that doesn't exist, or that the function's role may not send to.

        Source: "Adding a destination", Lambda Developer Guide, "Execution role permissions"; Lambda's refusals.
        """
        for part in (wanted["destinationConfig"] or {}).values():
            arn = str((part or {}).get("Destination") or "")
            if arn.split(":")[2:3] != ["sqs"]:
                continue
            if self._queue(arn.rpartition(":")[2]) is None:
                raise ResourceRefusedError(
                    "InvalidParameterValueException", f"the destination {arn} doesn't exist", "destinationConfig"
                )
            role = self.client.get_function_configuration(FunctionName=wanted["functionName"])["Role"]
            verdict = role_verdict(self.aws.account, role, "sqs:SendMessage", arn)
            if not verdict.allowed:
                raise ResourceRefusedError(
                    "InvalidParameterValueException",
                    f"The function's execution role does not have permissions to call SendMessage on {arn}: "
                    f"{verdict.reason}",
                    "destinationConfig",
                )

    def _queue(self, name: str) -> Any:
        return or_none(lambda: self.aws.client("sqs").get_queue_url(QueueName=name))
