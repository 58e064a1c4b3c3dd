"""Lambda: aliases, which clients call, and permissions, which allow the calls.

Source: hashicorp/terraform-provider-aws, internal/service/lambda/{alias,permission}.go.
"""

import json
from collections.abc import Mapping
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.blocks import Block
from sandbox.provider.call import Call, given, parameters
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.forms import NUMBERS, TEXT
from sandbox.provider.inputs import UNKNOWN
from sandbox.provider.refusals import ResourceRefusedError, or_none
from sandbox.provider.resource_type import ResourceType
from sandbox.provider.services.lambda_function import INVOKE_ARN


class Alias(ResourceType):
    """`aws.lambda_.Alias`."""

    pulumi_type = "aws:lambda/alias:Alias"
    service = "lambda"
    fields = (
        Field("name", required=True),
        Field("functionName", required=True, echoed=True),
        Field("functionVersion", required=True),
        "description",
        Field("routingConfig", form=Block(Field("additionalVersionWeights", form=NUMBERS))),
        Output("arn", "AliasArn"),
        Output("invokeArn", INVOKE_ARN),
    )
    autonamed = "name"
    replace_on_changes = frozenset({"name", "functionName"})
    create_call = Call("CreateAlias", "AliasArn")
    locate_call = Call("GetAlias", "AliasArn", FunctionName="{functionName}", Name="{name}")
    identity_holds = "{function}:{name}"
    identified_by = parameters(FunctionName="{function}", Name="{name}")
    read_calls = (Call("GetAlias"),)
    update_calls = (Call("UpdateAlias"),)
    delete_call = Call("DeleteAlias")

    def read(self, identity: str, state: Mapping[str, Any]) -> Any:
        """Return the alias; one without weights has no routing."""
        alias = super().read(identity, state)
        alias["FunctionName"] = state.get("functionName") or str(state["function"]).rpartition(":")[2]
        if not (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights"):
            alias["RoutingConfig"] = None
        return alias

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Take the weights away where the program no longer gives them."""
        routing = wanted["routingConfig"] or {"AdditionalVersionWeights": {}}
        super().update(identity, {**wanted, "routingConfig": routing}, old)

    def check_references(self, wanted: Values, identity: str) -> None:
        """Refuse versions that don't exist, or that can't share an alias."""
        function, first = wanted["functionName"], wanted["functionVersion"]
        weights = (wanted["routingConfig"] or {}).get("AdditionalVersionWeights") or {}
        if weights and "$LATEST" in (first, *weights):
            raise ResourceRefusedError(
                "InvalidParameterValueException",
                "$LATEST can't share an alias with another version: publish it first",
                "routingConfig",
            )
        if weights and identity:
            alias = {"FunctionName": function, "Qualifier": wanted["name"]}
            if or_none(lambda: self.client.get_provisioned_concurrency_config(**alias)) is not None:
                raise ResourceRefusedError(
                    "InvalidParameterValueException",
                    "Alias with weights can not be used with Provisioned Concurrency",
                    "routingConfig",
                )
        for version in (first, *weights):
            if self._configuration(function, version) is None:
                raise ResourceRefusedError("ResourceNotFoundException", f"Function not found: {function}:{version}")

    def _configuration(self, function: str, version: str) -> Any:
        return or_none(lambda: self.client.get_function_configuration(FunctionName=function, Qualifier=version))


class Permission(ResourceType):
    """`aws.lambda_.Permission`: one statement of a function's, version's or alias's resource policy."""

    pulumi_type = "aws:lambda/permission:Permission"
    service = "lambda"
    fields = (
        Field("function", "FunctionName", required=True),
        Field("statementId", required=True),
        Field("action", required=True),
        Field("principal", required=True),
        *("eventSourceToken", "functionUrlAuthType", "invokedViaFunctionUrl", "principalOrgId", "qualifier"),
        *("sourceAccount", "sourceArn"),
        *unsupported("statementIdPrefix", form=TEXT),
    )
    autonamed = "statementId"
    replace_on_changes = frozenset(
        {
            *("action", "eventSourceToken", "function", "functionUrlAuthType", "invokedViaFunctionUrl", "principal"),
            *("principalOrgId", "qualifier", "sourceAccount", "sourceArn", "statementId", "statementIdPrefix"),
        }
    )
    create_call = Call("AddPermission")
    identity = "{statementId}"

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse the condition of a Function URL for another action, as AddPermission does."""
        action, kind = wanted["action"], wanted["functionUrlAuthType"]
        if kind is not None and action not in (UNKNOWN, "lambda:InvokeFunctionUrl"):
            return [("functionUrlAuthType", "is only supported for lambda:InvokeFunctionUrl action")]
        return []

    def make(self, wanted: Values) -> str:
        """Add the statement, one at a time: Lambda loses statements that are added at the same time."""
        with self.aws.locks[f"policy of {wanted['function']}"]:
            return super().make(wanted)

    def read(self, identity: str, state: Mapping[str, Any]) -> Any:
        """Return the statement as the request that made it: an answer has it as a policy."""
        where = given({"FunctionName": str(state.get("function")), "Qualifier": state.get("qualifier") or None})
        statements = json.loads(self.client.get_policy(**where)["Policy"]).get("Statement", [])
        statement = next((found for found in statements if found.get("Sid") == identity), None)
        if statement is None:
            return None
        principal = statement.get("Principal")
        if isinstance(principal, Mapping):
            principal = principal.get("AWS") or principal.get("Service")
        condition: dict[str, Any] = {}
        for operator in statement.get("Condition", {}).values():
            condition |= {key.lower(): value for key, value in operator.items()}
        return {
            **where,
            "StatementId": identity,
            "Action": statement["Action"],
            "Principal": principal,
            "EventSourceToken": condition.get("lambda:eventsourcetoken"),
            "FunctionUrlAuthType": condition.get("lambda:functionurlauthtype"),
            "InvokedViaFunctionUrl": condition.get("lambda:invokedviafunctionurl"),
            "PrincipalOrgID": condition.get("aws:principalorgid"),
            "SourceAccount": condition.get("aws:sourceaccount"),
            "SourceArn": condition.get("aws:sourcearn"),
        }

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        """Remove the statement, one at a time as well."""
        where = given({"FunctionName": state["function"], "Qualifier": state.get("qualifier") or None})
        with self.aws.locks[f"policy of {state['function']}"]:
            self.client.remove_permission(StatementId=identity, **where)
