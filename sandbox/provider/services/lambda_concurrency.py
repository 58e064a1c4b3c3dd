"""Lambda: provisioned concurrency of an alias or a version.

Source: hashicorp/terraform-provider-aws, internal/service/lambda/provisioned_concurrency_config.go; "Configuring
provisioned concurrency", Lambda Developer Guide, and the refusals of PutProvisionedConcurrencyConfig.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.call import Call, parameters
from sandbox.provider.fields import Field
from sandbox.provider.forms import BOOLEAN
from sandbox.provider.refusals import ResourceRefusedError, or_none
from sandbox.provider.resource_type import ResourceType

_REFUSED = "InvalidParameterValueException"


class ProvisionedConcurrencyConfig(ResourceType):
    """`aws.lambda_.ProvisionedConcurrencyConfig`."""

    pulumi_type = "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig"
    service = "lambda"
    fields = (
        Field("functionName", required=True),
        Field("qualifier", required=True),
        Field(
            "provisionedConcurrentExecutions",
            required=True,
            answer="RequestedProvisionedConcurrentExecutions",
        ),
        Field("skipDestroy", "", BOOLEAN),
    )
    replace_on_changes = frozenset({"functionName", "qualifier"})
    create_call = Call("PutProvisionedConcurrencyConfig")
    identity = "{functionName},{qualifier}"
    identified_by = parameters(FunctionName="{functionName}", Qualifier="{qualifier}")
    read_calls = (Call("GetProvisionedConcurrencyConfig"),)
    update_calls = (Call("PutProvisionedConcurrencyConfig"),)
    delete_call = Call("DeleteProvisionedConcurrencyConfig")

    def check_references(self, wanted: Values, identity: str) -> None:
        """Refuse what can't have environments of its own, and more of them than the function may have at all."""
        name, qualifier = wanted["functionName"], wanted["qualifier"]
        if qualifier == "$LATEST":
            raise ResourceRefusedError(_REFUSED, "$LATEST can't have provisioned concurrency: publish it", "qualifier")
        version = or_none(lambda: self.client.get_function(FunctionName=name, Qualifier=qualifier))
        if version is None:
            raise ResourceRefusedError("ResourceNotFoundException", f"Function not found: {name}:{qualifier}")
        alias = or_none(lambda: self.client.get_alias(FunctionName=name, Name=qualifier))
        if alias and (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights"):
            sentence = "Provisioned Concurrency configs cannot be applied to an alias with weights"
            raise ResourceRefusedError(_REFUSED, sentence, "qualifier")
        if (version["Configuration"].get("SnapStart") or {}).get("ApplyOn") == "PublishedVersions":
            raise ResourceRefusedError(_REFUSED, "Provisioned Concurrency is not supported with SnapStart", "qualifier")
        reserved = version.get("Concurrency", {}).get("ReservedConcurrentExecutions")
        if reserved is not None and wanted["provisionedConcurrentExecutions"] > reserved:
            raise ResourceRefusedError(
                _REFUSED,
                "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for "
                f"function, which is {reserved}",
                "provisionedConcurrentExecutions",
            )

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        """Take the environments away unless the program wants them kept."""
        if not state.get("skipDestroy"):
            super().delete(identity, state)
