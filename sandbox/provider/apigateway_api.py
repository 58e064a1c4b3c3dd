# ruff: noqa: D102  what each method means is said once, in kind.py
"""API Gateway v2: HTTP APIs and their stages.

Source: hashicorp/terraform-provider-aws, internal/service/apigatewayv2/{api,stage}.go.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provider.inputs import UNKNOWN, Inputs
from sandbox.provider.kind import Kind, Values, given, region_of
from sandbox.provider.refusals import ResourceRefusedError, is_missing

_CORS_LISTS = ("allowHeaders", "allowMethods", "allowOrigins", "exposeHeaders")


class Api(Kind):
    """`aws.apigatewayv2.Api`, of protocol HTTP."""

    pulumi_type = "aws:apigatewayv2/api:Api"
    service = "apigatewayv2"
    operation = "CreateApi"
    replaces = frozenset({"protocolType", "credentialsArn", "routeKey", "target"})
    autonamed = "name"

    def request(self, inputs: Inputs) -> Values:
        region_of(self.aws, inputs)
        inputs.unsupported("body", "credentialsArn", "failOnWarnings", "routeKey", "target")
        if inputs.text("protocolType") == "WEBSOCKET":
            inputs.fail("protocolType", "must be HTTP: the sandbox's provider makes no WebSocket APIs")
        cors = inputs.block("corsConfiguration")
        return {
            "Name": inputs.required("name"),
            "ProtocolType": inputs.required("protocolType"),
            "ApiKeySelectionExpression": inputs.text("apiKeySelectionExpression"),
            "CorsConfiguration": _cors(cors) if cors else None,
            "Description": inputs.text("description"),
            "DisableExecuteApiEndpoint": inputs.boolean("disableExecuteApiEndpoint", False),
            "IpAddressType": inputs.text("ipAddressType"),
            "RouteSelectionExpression": inputs.text("routeSelectionExpression"),
            "Tags": inputs.names("tags") or None,
            "Version": inputs.text("version"),
        }

    def create(self, request: Values) -> str:
        return str(self.client.create_api(**given(request))["ApiId"])

    def read(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        try:
            api = self.client.get_api(ApiId=identity)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        cors = api.get("CorsConfiguration")
        tags = api.get("Tags") or {}
        return {
            "apiEndpoint": api["ApiEndpoint"],
            "apiKeySelectionExpression": api.get("ApiKeySelectionExpression", "$request.header.x-api-key"),
            "arn": f"arn:aws:apigateway:{self.aws.region}::/apis/{identity}",
            "body": None,
            "corsConfiguration": _cors_output(cors) if cors else None,
            "credentialsArn": None,
            "description": api.get("Description", ""),
            "disableExecuteApiEndpoint": bool(api.get("DisableExecuteApiEndpoint")),
            "executionArn": execution_arn(self.aws.region, self.aws.account_id, identity),
            "failOnWarnings": None,
            "ipAddressType": api.get("IpAddressType") or state.get("ipAddressType") or "ipv4",
            "name": api["Name"],
            "protocolType": api["ProtocolType"],
            "region": self.aws.region,
            "routeKey": None,
            "routeSelectionExpression": api.get("RouteSelectionExpression", "$request.method $request.path"),
            "tags": tags,
            "tagsAll": tags,
            "target": None,
            "version": api.get("Version", ""),
        }

    def update(self, identity: str, request: Values, old: Mapping[str, Any]) -> None:
        if not request["CorsConfiguration"] and old.get("corsConfiguration"):
            self.client.delete_cors_configuration(ApiId=identity)
        call = {key: value for key, value in request.items() if key not in ("Tags", "ProtocolType")}
        call["Description"] = call["Description"] or ""
        self.client.update_api(ApiId=identity, **given(call))
        retag(self.client, f"arn:aws:apigateway:{self.aws.region}::/apis/{identity}", old, request["Tags"] or {})

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        try:
            self.client.delete_api(ApiId=identity)
        except ClientError as error:
            if not is_missing(error):
                raise


class Stage(Kind):
    """`aws.apigatewayv2.Stage`."""

    pulumi_type = "aws:apigatewayv2/stage:Stage"
    service = "apigatewayv2"
    operation = "CreateStage"
    spelt = MappingProxyType({"stageName": "name"})
    replaces = frozenset({"apiId", "name"})
    autonamed = "name"
    kept = frozenset({"defaultRouteSettings"})  # pulumi-aws#2363: removing the block doesn't undo it

    def request(self, inputs: Inputs) -> Values:
        region_of(self.aws, inputs)
        inputs.unsupported("clientCertificateId")
        logs = inputs.block("accessLogSettings")
        settings = inputs.block("defaultRouteSettings")
        return {
            "ApiId": inputs.required("apiId"),
            "StageName": inputs.required("name"),
            "AccessLogSettings": {"DestinationArn": logs.required("destinationArn"), "Format": logs.required("format")}
            if logs
            else None,
            "AutoDeploy": inputs.boolean("autoDeploy", False),
            "DefaultRouteSettings": _route_settings(settings) if settings else None,
            "DeploymentId": inputs.text("deploymentId"),
            "Description": inputs.text("description"),
            "RouteSettings": {
                str(entry.required("routeKey")): _route_settings(entry) for entry in inputs.blocks("routeSettings")
            }
            or None,
            "StageVariables": inputs.names("stageVariables") or None,
            "Tags": inputs.names("tags") or None,
        }

    def limits(self, request: Values) -> list[tuple[str, str]]:
        name = request["StageName"]
        if name is not UNKNOWN and name != "$default" and not str(name).replace("-", "").replace("_", "").isalnum():
            return [("name", f"'{name}' has other characters than letters, digits, - and _, and is not $default")]
        return []

    def create(self, request: Values) -> str:
        if self.locate(request) is not None:
            raise ResourceRefusedError("ConflictException", "Stage already exists", "name")
        return str(self.client.create_stage(**given(request))["StageName"])

    def locate(self, request: Values) -> str | None:
        return str(request["StageName"]) if self.read(request["StageName"], {"apiId": request["ApiId"]}) else None

    def read(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        api = str(state.get("apiId"))
        try:
            stage = self.client.get_stage(ApiId=api, StageName=identity)
            endpoint = self.client.get_api(ApiId=api)["ApiEndpoint"]
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        logs = stage.get("AccessLogSettings")
        default = stage.get("DefaultRouteSettings")
        tags = stage.get("Tags") or {}
        routes = sorted((stage.get("RouteSettings") or {}).items())
        return {
            "accessLogSettings": {"destinationArn": logs.get("DestinationArn", ""), "format": logs.get("Format", "")}
            if logs
            else None,
            "apiId": api,
            "arn": stage_arn(self.aws.region, api, identity),
            "autoDeploy": bool(stage.get("AutoDeploy")),
            "clientCertificateId": stage.get("ClientCertificateId", ""),
            "defaultRouteSettings": _route_settings_output(default) if default else None,
            "deploymentId": stage.get("DeploymentId", ""),
            "description": stage.get("Description", ""),
            "executionArn": f"{execution_arn(self.aws.region, self.aws.account_id, api)}/{identity}",
            "invokeUrl": f"{endpoint}/" if identity == "$default" else f"{endpoint}/{identity}",
            "name": identity,
            "region": self.aws.region,
            "routeSettings": [{"routeKey": key, **_route_settings_output(entry)} for key, entry in routes],
            "stageVariables": stage.get("StageVariables") or {},
            "tags": tags,
            "tagsAll": tags,
        }

    def update(self, identity: str, request: Values, old: Mapping[str, Any]) -> None:
        call = {key: value for key, value in request.items() if key != "Tags"}
        call["Description"] = call["Description"] or ""
        variables = dict.fromkeys(old.get("stageVariables") or {}, "")  # set to nothing is how one is removed
        call["StageVariables"] = {**variables, **(request["StageVariables"] or {})} or None
        for entry in old.get("routeSettings") or []:
            if entry["routeKey"] not in (request["RouteSettings"] or {}):
                self.client.delete_route_settings(
                    ApiId=request["ApiId"], StageName=identity, RouteKey=entry["routeKey"]
                )
        self.client.update_stage(**given(call))
        retag(self.client, stage_arn(self.aws.region, request["ApiId"], identity), old, request["Tags"] or {})

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        try:
            self.client.delete_stage(ApiId=state["apiId"], StageName=identity)
        except ClientError as error:
            if not is_missing(error):
                raise


def execution_arn(region: str, account: str, api: str) -> str:
    """Return the ARN that permissions to call a function name an API by."""
    return f"arn:aws:execute-api:{region}:{account}:{api}"


def stage_arn(region: str, api: str, stage: str) -> str:
    """Return the ARN of a stage."""
    return f"arn:aws:apigateway:{region}::/apis/{api}/stages/{stage}"


def retag(client: Any, arn: str, old: Mapping[str, Any], wanted: Mapping[str, str]) -> None:
    """Make a resource's tags those that are wanted."""
    gone = [key for key in old.get("tags") or {} if key not in wanted]
    if gone:
        client.untag_resource(ResourceArn=arn, TagKeys=gone)
    if wanted:
        client.tag_resource(ResourceArn=arn, Tags=dict(wanted))


def _route_settings(block: Inputs) -> Values:
    # As the real provider sends them: a limit that isn't given is 0, and every request then is one too many.
    level = block.text("loggingLevel")
    if level not in (None, UNKNOWN, "", "OFF"):
        block.fail("loggingLevel", "Execution logs are not supported on protocolType HTTP")
    if block.boolean("dataTraceEnabled", False) is True:
        block.fail("dataTraceEnabled", "Data tracing is not supported on protocolType HTTP")
    return {
        "DetailedMetricsEnabled": block.boolean("detailedMetricsEnabled", False),
        "ThrottlingBurstLimit": block.integer("throttlingBurstLimit", 0),
        "ThrottlingRateLimit": block.number("throttlingRateLimit", 0),
    }


def _route_settings_output(settings: Mapping[str, Any]) -> Values:
    return {
        "dataTraceEnabled": bool(settings.get("DataTraceEnabled")),
        "detailedMetricsEnabled": bool(settings.get("DetailedMetricsEnabled")),
        "loggingLevel": settings.get("LoggingLevel", ""),
        "throttlingBurstLimit": settings.get("ThrottlingBurstLimit", 0),
        "throttlingRateLimit": settings.get("ThrottlingRateLimit", 0),
    }


def _cors(block: Inputs) -> Values:
    return {
        "AllowCredentials": block.boolean("allowCredentials", False),
        **{f"{key[0].upper()}{key[1:]}": block.texts(key) for key in _CORS_LISTS},
        "MaxAge": block.integer("maxAge"),
    }


def _cors_output(cors: Mapping[str, Any]) -> Values:
    return {
        "allowCredentials": bool(cors.get("AllowCredentials")),
        **{key: cors.get(f"{key[0].upper()}{key[1:]}") or [] for key in _CORS_LISTS},
        "maxAge": cors.get("MaxAge", 0),
    }
