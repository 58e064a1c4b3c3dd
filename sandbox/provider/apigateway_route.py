# ruff: noqa: D102  what each method means is said once, in kind.py
"""API Gateway v2: integrations, which say what is called, and routes, which say for which requests.

Source: hashicorp/terraform-provider-aws, internal/service/apigatewayv2/{integration,route}.go.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provider.inputs import UNKNOWN, Inputs
from sandbox.provider.kind import Kind, Values, given, region_of
from sandbox.provider.refusals import ResourceRefusedError, is_missing

_LAMBDA_URI = re.compile(
    r"arn:aws[\w-]*:lambda:[\w-]+:\d{12}:function:[\w-]+(:[\w$-]+)?"
    r"|arn:aws[\w-]*:apigateway:[\w-]+:lambda:path/2015-03-31/functions/arn:aws[\w-]*:lambda:[^/]+/invocations"
)
_METHODS = ("ANY", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


class Integration(Kind):
    """`aws.apigatewayv2.Integration`."""

    pulumi_type = "aws:apigatewayv2/integration:Integration"
    service = "apigatewayv2"
    operation = "CreateIntegration"
    spelt = MappingProxyType({"timeoutInMillis": "timeoutMilliseconds"})
    replaces = frozenset({"apiId", "integrationType", "integrationSubtype"})

    def request(self, inputs: Inputs) -> Values:
        region_of(self.aws, inputs)
        inputs.unsupported("contentHandlingStrategy", "requestTemplates", "templateSelectionExpression")
        tls = inputs.block("tlsConfig")
        responses = {
            str(entry.required("statusCode")): entry.names("mappings") for entry in inputs.blocks("responseParameters")
        }
        return {
            "ApiId": inputs.required("apiId"),
            "IntegrationType": inputs.required("integrationType"),
            "ConnectionId": inputs.text("connectionId"),
            "ConnectionType": inputs.text("connectionType", "INTERNET"),
            "CredentialsArn": inputs.text("credentialsArn"),
            "Description": inputs.text("description"),
            "IntegrationMethod": inputs.text("integrationMethod"),
            "IntegrationSubtype": inputs.text("integrationSubtype"),
            "IntegrationUri": inputs.text("integrationUri"),
            "PassthroughBehavior": inputs.text("passthroughBehavior"),
            "PayloadFormatVersion": inputs.text("payloadFormatVersion", "1.0"),  # the real provider's default too
            "RequestParameters": inputs.names("requestParameters") or None,
            "ResponseParameters": responses or None,
            "TimeoutInMillis": inputs.integer("timeoutMilliseconds"),
            "TlsConfig": {"ServerNameToVerify": tls.text("serverNameToVerify")} if tls else None,
        }

    def limits(self, request: Values) -> list[tuple[str, str]]:
        broken = []
        kind, uri, version = (request[key] for key in ("IntegrationType", "IntegrationUri", "PayloadFormatVersion"))
        if kind in ("AWS", "HTTP", "MOCK"):
            broken.append(("integrationType", f"{kind} is not for HTTP APIs: they take AWS_PROXY and HTTP_PROXY"))
        if version not in ("1.0", "2.0", UNKNOWN):
            broken.append(("payloadFormatVersion", f"'{version}' is neither 1.0 nor 2.0"))
        calls_lambda = kind == "AWS_PROXY" and not request["IntegrationSubtype"]
        if calls_lambda and uri is not UNKNOWN and not _LAMBDA_URI.fullmatch(uri or ""):
            broken.append(("integrationUri", f"Invalid function ARN or invalid uri: '{uri or ''}'"))
        return broken

    def create(self, request: Values) -> str:
        return str(self.client.create_integration(**given(request))["IntegrationId"])

    def read(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        try:
            integration = self.client.get_integration(ApiId=state.get("apiId"), IntegrationId=identity)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        tls = integration.get("TlsConfig")
        responses = sorted((integration.get("ResponseParameters") or {}).items())
        return {
            "apiId": state.get("apiId"),
            "connectionId": integration.get("ConnectionId", ""),
            "connectionType": integration.get("ConnectionType", "INTERNET"),
            "contentHandlingStrategy": integration.get("ContentHandlingStrategy", ""),
            "credentialsArn": integration.get("CredentialsArn", ""),
            "description": integration.get("Description", ""),
            "integrationMethod": integration.get("IntegrationMethod", ""),
            "integrationResponseSelectionExpression": integration.get("IntegrationResponseSelectionExpression", ""),
            "integrationSubtype": integration.get("IntegrationSubtype", ""),
            "integrationType": integration["IntegrationType"],
            "integrationUri": integration.get("IntegrationUri", ""),
            "passthroughBehavior": integration.get("PassthroughBehavior", ""),
            "payloadFormatVersion": integration.get("PayloadFormatVersion", "1.0"),
            "region": self.aws.region,
            "requestParameters": integration.get("RequestParameters") or {},
            "requestTemplates": integration.get("RequestTemplates") or {},
            "responseParameters": [{"statusCode": code, "mappings": mappings} for code, mappings in responses],
            "templateSelectionExpression": integration.get("TemplateSelectionExpression", ""),
            "timeoutMilliseconds": integration.get("TimeoutInMillis", 30000),
            "tlsConfig": {"serverNameToVerify": tls.get("ServerNameToVerify", "")} if tls else None,
        }

    def update(self, identity: str, request: Values, old: Mapping[str, Any]) -> None:
        removed = dict.fromkeys(old.get("requestParameters") or {}, "")
        call = {**request, "RequestParameters": {**removed, **(request["RequestParameters"] or {})} or None}
        call["Description"] = request["Description"] or ""
        self.client.update_integration(IntegrationId=identity, **given(call))

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        try:
            self.client.delete_integration(ApiId=state["apiId"], IntegrationId=identity)
        except ClientError as error:
            if not is_missing(error):
                raise


class Route(Kind):
    """`aws.apigatewayv2.Route`."""

    pulumi_type = "aws:apigatewayv2/route:Route"
    service = "apigatewayv2"
    operation = "CreateRoute"
    replaces = frozenset({"apiId"})

    def request(self, inputs: Inputs) -> Values:
        region_of(self.aws, inputs)
        inputs.unsupported(
            *("apiKeyRequired", "modelSelectionExpression", "requestModels", "requestParameters"),
            "routeResponseSelectionExpression",
        )
        return {
            "ApiId": inputs.required("apiId"),
            "RouteKey": inputs.required("routeKey"),
            "AuthorizationScopes": inputs.texts("authorizationScopes"),
            "AuthorizationType": inputs.text("authorizationType", "NONE"),
            "AuthorizerId": inputs.text("authorizerId"),
            "OperationName": inputs.text("operationName"),
            "Target": inputs.text("target"),
        }

    def limits(self, request: Values) -> list[tuple[str, str]]:
        key = request["RouteKey"]
        method, space, path = str(key).partition(" ")
        if key is UNKNOWN or key == "$default" or (space and method in _METHODS and path.startswith("/")):
            return []
        return [("routeKey", f"'{key}' is neither $default nor a method and a path, such as GET /items/{{id}}")]

    def create(self, request: Values) -> str:
        self._refer(request, "")
        return str(self.client.create_route(**given(request))["RouteId"])

    def locate(self, request: Values) -> str | None:
        pages = self.client.get_paginator("get_routes").paginate(ApiId=request["ApiId"])
        routes = [route for page in pages for route in page["Items"] if route["RouteKey"] == request["RouteKey"]]
        return str(routes[0]["RouteId"]) if routes else None

    def read(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        try:
            route = self.client.get_route(ApiId=state.get("apiId"), RouteId=identity)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        return {
            "apiId": state.get("apiId"),
            "apiKeyRequired": bool(route.get("ApiKeyRequired")),
            "authorizationScopes": route.get("AuthorizationScopes") or [],
            "authorizationType": route.get("AuthorizationType", "NONE"),
            "authorizerId": route.get("AuthorizerId", ""),
            "modelSelectionExpression": route.get("ModelSelectionExpression", ""),
            "operationName": route.get("OperationName", ""),
            "region": self.aws.region,
            "requestModels": route.get("RequestModels") or {},
            "requestParameters": [],
            "routeKey": route["RouteKey"],
            "routeResponseSelectionExpression": route.get("RouteResponseSelectionExpression", ""),
            "target": route.get("Target", ""),
        }

    def update(self, identity: str, request: Values, old: Mapping[str, Any]) -> None:
        self._refer(request, identity)
        self.client.update_route(RouteId=identity, **given(request))

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        try:
            self.client.delete_route(ApiId=state["apiId"], RouteId=identity)
        except ClientError as error:
            if not is_missing(error):
                raise

    def _refer(self, request: Values, own: str) -> None:
        api, key, target = request["ApiId"], request["RouteKey"], request["Target"]
        pages = self.client.get_paginator("get_routes").paginate(ApiId=api)
        if any(route["RouteKey"] == key and route["RouteId"] != own for page in pages for route in page["Items"]):
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
        if request["AuthorizationType"] in ("JWT", "CUSTOM"):
            self._must_exist("get_authorizer", api, "authorizerId", AuthorizerId=request["AuthorizerId"] or "")

    def _must_exist(self, call: str, api: str, path: str, **identity: str) -> None:
        wanted = next(iter(identity.values()))
        what = call.removeprefix("get_")
        try:
            if wanted:
                getattr(self.client, call)(ApiId=api, **identity)
                return
        except ClientError as error:
            if not is_missing(error):
                raise
        raise ResourceRefusedError("BadRequestException", f"API {api} has no {what} '{wanted}'", path)
