# ruff: noqa: D102  what each method means is said once, in kind.py
"""Lambda: aliases, which clients call, and permissions, which let them.

Source: hashicorp/terraform-provider-aws, internal/service/lambda/{alias,permission}.go.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provider.inputs import Inputs
from sandbox.provider.kind import Kind, Values, given, region_of
from sandbox.provider.lambda_function import invoke_arn
from sandbox.provider.refusals import ResourceRefusedError, is_missing


class Alias(Kind):
    """`aws.lambda_.Alias`."""

    pulumi_type = "aws:lambda/alias:Alias"
    service = "lambda"
    operation = "CreateAlias"
    replaces = frozenset({"name", "functionName"})
    autonamed = "name"

    def request(self, inputs: Inputs) -> Values:
        region_of(self.aws, inputs)
        routing = inputs.block("routingConfig")
        return {
            "FunctionName": inputs.required("functionName"),
            "Name": inputs.required("name"),
            "FunctionVersion": inputs.required("functionVersion"),
            "Description": inputs.text("description"),
            "RoutingConfig": {"AdditionalVersionWeights": _weights(routing)} if routing else None,
        }

    def create(self, request: Values) -> str:
        self._refer(request)
        return str(self.client.create_alias(**given(request))["AliasArn"])

    def locate(self, request: Values) -> str | None:
        try:
            return str(self.client.get_alias(FunctionName=request["FunctionName"], Name=request["Name"])["AliasArn"])
        except ClientError as error:
            if is_missing(error):
                return None
            raise

    def read(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        function, name = identity.rsplit(":", 1)
        try:
            alias = self.client.get_alias(FunctionName=function, Name=name)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights") or {}
        return {
            "arn": alias["AliasArn"],
            "description": alias.get("Description", ""),
            "functionName": state.get("functionName") or function.rpartition(":")[2],
            "functionVersion": alias["FunctionVersion"],
            "invokeArn": invoke_arn(self.aws.region, alias["AliasArn"]),
            "name": alias["Name"],
            "region": self.aws.region,
            "routingConfig": {"additionalVersionWeights": weights} if weights else None,
        }

    def update(self, identity: str, request: Values, old: Mapping[str, Any]) -> None:
        self._refer(request)
        call = {**request, "Description": request["Description"] or ""}
        call["RoutingConfig"] = request["RoutingConfig"] or {"AdditionalVersionWeights": {}}
        self.client.update_alias(**given(call))

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        function, name = identity.rsplit(":", 1)
        try:
            self.client.delete_alias(FunctionName=function, Name=name)
        except ClientError as error:
            if not is_missing(error):
                raise

    def _refer(self, request: Values) -> None:
        weights = (request["RoutingConfig"] or {}).get("AdditionalVersionWeights") or {}
        if weights and "$LATEST" in (request["FunctionVersion"], *weights):
            raise ResourceRefusedError(
                "InvalidParameterValueException",
                "$LATEST can't share an alias with another version: publish it first",
                "routingConfig",
            )
        for version in (request["FunctionVersion"], *weights):
            try:
                self.client.get_function_configuration(FunctionName=request["FunctionName"], Qualifier=version)
            except ClientError as error:
                if not is_missing(error):
                    raise
                wanted = f"{request['FunctionName']}:{version}"
                raise ResourceRefusedError("ResourceNotFoundException", f"Function not found: {wanted}") from None


class Permission(Kind):
    """`aws.lambda_.Permission`: one statement of a function's, version's or alias's resource policy."""

    pulumi_type = "aws:lambda/permission:Permission"
    service = "lambda"
    operation = "AddPermission"
    spelt = MappingProxyType({"functionName": "function"})
    replaces = frozenset(
        {
            *("action", "eventSourceToken", "function", "functionUrlAuthType", "invokedViaFunctionUrl", "principal"),
            *("principalOrgId", "qualifier", "sourceAccount", "sourceArn", "statementId", "statementIdPrefix"),
        }
    )
    autonamed = "statementId"

    def request(self, inputs: Inputs) -> Values:
        region_of(self.aws, inputs)
        inputs.unsupported("statementIdPrefix")
        return {
            "FunctionName": inputs.required("function"),
            "StatementId": inputs.required("statementId"),
            "Action": inputs.required("action"),
            "Principal": inputs.required("principal"),
            "EventSourceToken": inputs.text("eventSourceToken"),
            "FunctionUrlAuthType": inputs.text("functionUrlAuthType"),
            "InvokedViaFunctionUrl": inputs.boolean("invokedViaFunctionUrl"),
            "PrincipalOrgID": inputs.text("principalOrgId"),
            "Qualifier": inputs.text("qualifier"),
            "SourceAccount": inputs.text("sourceAccount"),
            "SourceArn": inputs.text("sourceArn"),
        }

    def create(self, request: Values) -> str:
        with self.aws.locks[f"policy of {request['FunctionName']}"]:  # Lambda loses statements that are added at once
            self.client.add_permission(**given(request))
        return str(request["StatementId"])

    def locate(self, request: Values) -> str | None:
        return (
            str(request["StatementId"])
            if _statement(self.client, request["FunctionName"], request["Qualifier"], request["StatementId"])
            else None
        )

    def read(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        function, qualifier = str(state.get("function")), state.get("qualifier") or None
        statement = _statement(self.client, function, qualifier, identity)
        if statement is None:
            return None
        principal = statement.get("Principal")
        if isinstance(principal, Mapping):
            principal = principal.get("AWS") or principal.get("Service")
        condition: dict[str, Any] = {}
        for operator in statement.get("Condition", {}).values():
            condition |= {key.lower(): value for key, value in operator.items()}
        via_url = condition.get("lambda:invokedviafunctionurl")
        return {
            "action": statement["Action"],
            "eventSourceToken": condition.get("lambda:eventsourcetoken", ""),
            "function": function,
            "functionUrlAuthType": condition.get("lambda:functionurlauthtype", ""),
            "invokedViaFunctionUrl": str(via_url).lower() == "true",
            "principal": principal,
            "principalOrgId": condition.get("aws:principalorgid", ""),
            "qualifier": qualifier or "",
            "region": self.aws.region,
            "sourceAccount": condition.get("aws:sourceaccount", ""),
            "sourceArn": condition.get("aws:sourcearn", ""),
            "statementId": identity,
            "statementIdPrefix": "",
        }

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        where = {"FunctionName": state["function"], "Qualifier": state.get("qualifier") or None}
        with self.aws.locks[f"policy of {state['function']}"]:
            try:
                self.client.remove_permission(StatementId=identity, **given(where))
            except ClientError as error:
                if not is_missing(error):
                    raise


def _weights(routing: Inputs) -> Any:
    given_weights = routing.any("additionalVersionWeights")
    if not isinstance(given_weights, Mapping):
        return given_weights
    entries = Inputs(given_weights, routing.path("additionalVersionWeights"), routing.failures)
    return {version: entries.number(version) for version in given_weights}


def _statement(client: Any, function: str, qualifier: str | None, identity: str) -> dict[str, Any] | None:
    try:
        policy = client.get_policy(**given({"FunctionName": function, "Qualifier": qualifier}))["Policy"]
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    statements: list[dict[str, Any]] = json.loads(policy).get("Statement", [])
    return next((statement for statement in statements if statement.get("Sid") == identity), None)
