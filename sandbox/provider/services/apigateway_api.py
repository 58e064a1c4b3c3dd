"""API Gateway v2: HTTP APIs and their stages.

Source: hashicorp/terraform-provider-aws, internal/service/apigatewayv2/{api,stage}.go.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.blocks import Block, KeyedBlocks
from sandbox.provider.call import Call, parameters
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.forms import ANYTHING, BOOLEAN, TEXT
from sandbox.provider.inputs import UNKNOWN
from sandbox.provider.refusals import ResourceRefusedError
from sandbox.provider.resource_type import ResourceType
from sandbox.provider.tags import Tags


class Api(ResourceType):
    """`aws.apigatewayv2.Api`, of protocol HTTP."""

    pulumi_type = "aws:apigatewayv2/api:Api"
    service = "apigatewayv2"
    fields = (
        Field("name", required=True),
        Field(
            "protocolType",
            required=True,
            allowed=("HTTP",),
            not_allowed="must be HTTP, but is {value}: the sandbox's provider makes no other APIs",
        ),
        Field("apiKeySelectionExpression", filled="$request.header.x-api-key"),
        Field(
            "corsConfiguration",
            form=Block(
                Field("allowCredentials", default=False),
                *("allowHeaders", "allowMethods", "allowOrigins", "exposeHeaders", "maxAge"),
            ),
        ),
        "description",
        Field("disableExecuteApiEndpoint", default=False),
        Field("ipAddressType", filled="ipv4", echoed=True),
        Field("routeSelectionExpression", filled="$request.method $request.path"),
        "version",
        *unsupported("body", "credentialsArn", "failOnWarnings", "routeKey", "target", form=ANYTHING),
        Output("apiEndpoint", "ApiEndpoint"),
        Output("arn", "arn:aws:apigateway:{region}::/apis/{id}"),
        Output("executionArn", "arn:aws:execute-api:{region}:{account}:{id}"),
    )
    tags = Tags("{arn}", listed="GetTags")
    autonamed = "name"
    replace_on_changes = frozenset({"protocolType", "credentialsArn", "routeKey", "target"})
    create_call = Call("CreateApi", "ApiId")
    identified_by = parameters(ApiId="{id}")
    read_calls = (Call("GetApi"),)
    update_calls = (Call("UpdateApi"),)
    delete_call = Call("DeleteApi")

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse credentials for every origin, in AWS's words. Source: aws/aws-cdk#9076."""
        cors = wanted["corsConfiguration"]
        if not isinstance(cors, Mapping) or cors.get("AllowCredentials") is not True:
            return []
        origins = cors.get("AllowOrigins")
        if not isinstance(origins, list) or "*" not in origins:
            return []
        return [("corsConfiguration", "allow-credentials is not supported if 'allow-origin' is *")]

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Remove the CORS configuration where the program no longer gives one: that is a call of its own."""
        if not wanted["corsConfiguration"] and old.get("corsConfiguration"):
            self.client.delete_cors_configuration(ApiId=identity)
        super().update(identity, wanted, old)


# As the real provider sends them: a limit that isn't given is 0, and then every request is over it.
_ROUTE_SETTINGS = (
    Field(
        "loggingLevel",
        "",
        TEXT,
        answer="LoggingLevel",
        allowed=("", "OFF"),
        not_allowed="Execution logs are not supported on protocolType HTTP",
    ),
    Field(
        "dataTraceEnabled",
        "",
        BOOLEAN,
        answer="DataTraceEnabled",
        allowed=(False,),
        not_allowed="Data tracing is not supported on protocolType HTTP",
    ),
    Field("detailedMetricsEnabled", default=False),
    Field("throttlingBurstLimit", default=0),
    Field("throttlingRateLimit", default=0),
)


class Stage(ResourceType):
    """`aws.apigatewayv2.Stage`."""

    pulumi_type = "aws:apigatewayv2/stage:Stage"
    service = "apigatewayv2"
    fields = (
        Field("apiId", required=True),
        Field("name", "StageName", required=True),
        Field("accessLogSettings", form=Block(Field("destinationArn", required=True), Field("format", required=True))),
        Field("autoDeploy", default=False),
        Field("defaultRouteSettings", form=Block(*_ROUTE_SETTINGS)),
        Field("deploymentId", computed=True),
        "description",
        Field("routeSettings", form=KeyedBlocks("routeKey", *_ROUTE_SETTINGS)),
        Field("stageVariables", removed_as=""),
        *unsupported("clientCertificateId"),
        Output("arn", "arn:aws:apigateway:{region}::/apis/{apiId}/stages/{id}"),
        Output("executionArn", "arn:aws:execute-api:{region}:{account}:{apiId}/{id}"),
        Output("invokeUrl"),
    )
    tags = Tags("{arn}", listed="GetTags")
    autonamed = "name"
    replace_on_changes = frozenset({"apiId", "name"})
    kept_when_removed = frozenset({"defaultRouteSettings"})  # pulumi-aws#2363: removing the block doesn't undo it
    create_call = Call("CreateStage")
    identity = "{name}"
    identified_by = parameters(ApiId="{apiId}", StageName="{id}")
    read_calls = (Call("GetStage"), Call("GetApi", "{ApiEndpoint: ApiEndpoint}"))
    update_calls = (Call("UpdateStage"),)
    delete_call = Call("DeleteStage")

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse a name that can't be part of a path."""
        name = wanted["name"]
        if name is not UNKNOWN and name != "$default" and not str(name).replace("-", "").replace("_", "").isalnum():
            return [("name", f"'{name}' is not $default, and has characters other than letters, digits, - and _")]
        return []

    def check_references(self, wanted: Values, identity: str) -> None:
        """Refuse a second stage of one name, which the emulator would take."""
        if not identity and self.locate(wanted) is not None:
            raise ResourceRefusedError("ConflictException", "Stage already exists", "name")

    def computed_outputs(self, answer: Values, state: Mapping[str, Any]) -> Values:
        """Return the address; the default stage isn't part of it."""
        stage = "" if state["id"] == "$default" else state["id"]
        return {"invokeUrl": f"{answer['ApiEndpoint']}/{stage}"}

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Remove the settings of routes that the program no longer gives: that is a call of its own."""
        for entry in old.get("routeSettings") or []:
            if entry["routeKey"] not in (wanted["routeSettings"] or {}):
                api = {"ApiId": wanted["apiId"], "StageName": identity}
                self.client.delete_route_settings(RouteKey=entry["routeKey"], **api)
        super().update(identity, wanted, old)
