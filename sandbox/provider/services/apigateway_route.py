"""API Gateway v2: integrations, which say what is called, and routes, which say for which requests and whose.

Source: hashicorp/terraform-provider-aws, internal/service/apigatewayv2/{integration,route}.go.
"""

import re
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.blocks import Block
from sandbox.provider.call import Call, parameters
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.forms import SORTED_TEXTS, TEXTS, Plain
from sandbox.provider.inputs import UNKNOWN, Inputs
from sandbox.provider.refusals import ResourceRefusedError, or_none
from sandbox.provider.resource_type import ResourceType

_LAMBDA_URI = re.compile(
    r"arn:aws[\w-]*:lambda:[\w-]+:\d{12}:function:[\w-]+(:[\w$-]+)?"
    r"|arn:aws[\w-]*:apigateway:[\w-]+:lambda:path/2015-03-31/functions/arn:aws[\w-]*:lambda:[^/]+/invocations"
)
_METHODS = ("ANY", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


def _responses(inputs: Inputs, key: str) -> Any:
    return {str(entry.required("statusCode")): entry.names("mappings") for entry in inputs.blocks(key)} or None


def _response_blocks(found: dict[str, Any]) -> list[Values]:
    return [{"statusCode": code, "mappings": mappings} for code, mappings in sorted(found.items())]


class Integration(ResourceType):
    """`aws.apigatewayv2.Integration`."""

    pulumi_type = "aws:apigatewayv2/integration:Integration"
    service = "apigatewayv2"
    fields = (
        Field("apiId", required=True),
        Field(
            "integrationType",
            required=True,
            allowed=("AWS_PROXY", "HTTP_PROXY"),
            not_allowed="{value} is not for HTTP APIs: they take {allowed}",
        ),
        "connectionId",
        Field("connectionType", default="INTERNET"),
        *("credentialsArn", "description", "integrationSubtype", "integrationUri"),
        Field("integrationMethod", computed=True),
        "passthroughBehavior",
        Field(  # the real provider's default too
            "payloadFormatVersion",
            default="1.0",
            allowed=("1.0", "2.0"),
            not_allowed="'{value}' is neither 1.0 nor 2.0",
        ),
        Field("requestParameters", removed_as=""),
        Field("responseParameters", form=Plain(_responses, _response_blocks, list)),
        Field("timeoutMilliseconds", "TimeoutInMillis", filled=30000),
        Field("tlsConfig", form=Block("serverNameToVerify")),
        *unsupported("contentHandlingStrategy", "requestTemplates", "templateSelectionExpression"),
        Output("integrationResponseSelectionExpression", "IntegrationResponseSelectionExpression"),
    )
    replace_on_changes = frozenset({"apiId", "integrationType", "integrationSubtype"})
    create_call = Call("CreateIntegration", "IntegrationId")
    identified_by = parameters(ApiId="{apiId}", IntegrationId="{id}")
    read_calls = (Call("GetIntegration"),)
    update_calls = (Call("UpdateIntegration"),)
    delete_call = Call("DeleteIntegration")

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse an address that isn't a function's name, where a function is called."""
        uri = wanted["integrationUri"]
        calls_lambda = wanted["integrationType"] == "AWS_PROXY" and not wanted["integrationSubtype"]
        if calls_lambda and uri is not UNKNOWN and not _LAMBDA_URI.fullmatch(uri or ""):
            return [("integrationUri", f"Invalid function ARN or invalid uri: '{uri or ''}'")]
        return []


class Route(ResourceType):
    """`aws.apigatewayv2.Route`."""

    pulumi_type = "aws:apigatewayv2/route:Route"
    service = "apigatewayv2"
    fields = (
        Field("apiId", required=True),
        Field("routeKey", required=True),
        Field("authorizationScopes", form=SORTED_TEXTS),
        Field("authorizationType", default="NONE"),
        *("authorizerId", "operationName", "target"),
        *unsupported("apiKeyRequired", "modelSelectionExpression", "requestModels"),
        *unsupported("requestParameters", form=TEXTS),
        *unsupported("routeResponseSelectionExpression"),
    )
    replace_on_changes = frozenset({"apiId"})
    create_call = Call("CreateRoute", "RouteId")
    locate_call = Call("GetRoutes", "Items[?RouteKey=='{routeKey}'].RouteId | [0]", ApiId="{apiId}")
    identified_by = parameters(ApiId="{apiId}", RouteId="{id}")
    read_calls = (Call("GetRoute"),)
    update_calls = (Call("UpdateRoute"),)
    delete_call = Call("DeleteRoute")

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse a key that no request can have."""
        key = wanted["routeKey"]
        method, space, path = str(key).partition(" ")
        if key is UNKNOWN or key == "$default" or (space and method in _METHODS and path.startswith("/")):
            return []
        return [("routeKey", f"'{key}' is neither $default nor a method and a path, such as GET /items/{{id}}")]

    def check_references(self, wanted: Values, identity: str) -> None:
        """Refuse a second route of one key, and a target or an authorizer that the API doesn't have."""
        api, key, target = wanted["apiId"], wanted["routeKey"], wanted["target"]
        pages = self.client.get_paginator("get_routes").paginate(ApiId=api)
        if any(route["RouteKey"] == key and route["RouteId"] != identity for page in pages for route in page["Items"]):
            raise ResourceRefusedError(
                "ConflictException", f"Route with key {key} already exists for this API", "routeKey"
            )
        if target is not None:
            prefix, slash, integration = target.partition("/")
            if prefix != "integrations" or not slash:
                raise ResourceRefusedError(
                    "BadRequestException", f"'{target}' is not of the form integrations/<id>", "target"
                )
            self._must_exist("get_integration", api, "target", IntegrationId=integration)
        if wanted["authorizationType"] in ("JWT", "CUSTOM"):
            self._must_exist("get_authorizer", api, "authorizerId", AuthorizerId=wanted["authorizerId"] or "")

    def _must_exist(self, call: str, api: str, path: str, **identity: str) -> None:
        wanted = next(iter(identity.values()))
        what = call.removeprefix("get_")
        if not wanted or or_none(lambda: getattr(self.client, call)(ApiId=api, **identity)) is None:
            raise ResourceRefusedError("BadRequestException", f"API {api} has no {what} '{wanted}'", path)
