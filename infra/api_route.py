"""What leads the requests of an HTTP API to a function: routes, one integration, one stage, each request logged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pulumi
import pulumi_aws as aws

from infra.http_api import ApiSettings, HttpApi

DEFAULT = "$default"
"""Name of the route that takes every request, and of the stage that adds nothing to the path."""

INTEGRATION_TIMEOUT = 30_000
"""Milliseconds that API Gateway waits for the function, the most it can.

Source: "Quotas for configuring and running an HTTP API", API Gateway Developer Guide.
"""


@dataclass(frozen=True, kw_only=True)
class Authorization:
    """What an API's routes ask of a request, on all paths but the public ones."""

    type: str
    """`JWT`, `AWS_IAM`, or `CUSTOM` for a Lambda authorizer."""
    authorizer_id: pulumi.Input[str] | None = None
    scopes: Sequence[pulumi.Input[str]] = ()
    """Of which a token must have one; without any, it needs none."""
    public_paths: Sequence[str] = ()
    """Paths in the words of a route's key, such as `/health` or `/public/{proxy+}`."""


class Routed(Protocol):
    """An API, as far as a route needs it: the component, or what a program in another language knows of one."""

    @property
    def api_id(self) -> pulumi.Output[str]:
        """Id of the API."""

    @property
    def api_name(self) -> pulumi.Output[str]:
        """Name of the API."""

    @property
    def execution_arn(self) -> pulumi.Output[str]:
        """How a function's permissions name the API."""


class Callee(Protocol):
    """An alias of a function, as far as a route needs it: the resource, or what such a program knows of one."""

    @property
    def function_name(self) -> pulumi.Output[str]:
        """Name of the function."""

    @property
    def name(self) -> pulumi.Output[str]:
        """Name of the alias."""

    @property
    def invoke_arn(self) -> pulumi.Output[str]:
        """ARN by which API Gateway invokes it."""


class ApiRoute(pulumi.ComponentResource):
    """Leads the requests of an `HttpApi` that the authorization lets through to one alias of a function.

    In another Pulumi program:

        import pulumi
        from infra.api_route import ApiRoute
        from infra.container_function import ContainerFunction, FunctionSettings
        from infra.http_api import ApiSettings, HttpApi

        settings = ApiSettings(throttle_rate=20)
        api = HttpApi("api", settings, api_name="shop")
        function = ContainerFunction(
            "function",
            FunctionSettings(memory_size=1024),
            function_name="shop",
            image_uri=pulumi.Config().require("image"),
            grants=[api.grant],
        )
        ApiRoute("api", settings, api=api, alias=function.live, log_retention=30)
        pulumi.export("url", api.api_endpoint)
    """

    stage_name: pulumi.Output[str]
    """Name of the stage, once it can answer."""

    def __init__(
        self,
        name: str,
        settings: ApiSettings,
        *,
        api: Routed,
        alias: Callee,
        log_retention: pulumi.Input[int],
        authorization: Authorization | None = None,
        answers_preflights: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dualmode:index:ApiRoute", name, None, opts)
        # They were children of the API: they must not be made again.
        earlier = [pulumi.Alias(parent=api)] if isinstance(api, HttpApi) else None
        child = pulumi.ResourceOptions(parent=self, aliases=earlier)
        integration = aws.apigatewayv2.Integration(
            f"{name}-integration",
            api_id=api.api_id,
            integration_type="AWS_PROXY",
            integration_uri=alias.invoke_arn,
            integration_method="POST",
            payload_format_version="2.0",
            timeout_milliseconds=INTEGRATION_TIMEOUT,
            opts=child,
        )
        wanted = routes(authorization, answers_preflights=answers_preflights)
        created = [
            aws.apigatewayv2.Route(
                f"{name}-route" if key == DEFAULT else f"{name}-route-{key}",
                api_id=api.api_id,
                route_key=key,
                target=pulumi.Output.concat("integrations/", integration.id),
                authorization_type=asked.type if asked else None,
                authorizer_id=asked.authorizer_id if asked else None,
                authorization_scopes=list(asked.scopes) if asked and asked.scopes else None,
                opts=child,
            )
            for key, asked in wanted.items()
        ]
        permission = aws.lambda_.Permission(
            f"{name}-permission",
            action="lambda:InvokeFunction",
            principal="apigateway.amazonaws.com",
            function=alias.function_name,
            qualifier=alias.name,
            # Two parts, any stage and any route: with a third part, the route $default would not match.
            source_arn=pulumi.Output.concat(api.execution_arn, "/*/*"),
            opts=child,
        )
        # With this prefix, CloudWatch Logs needs no entry in a resource policy, which has room for only a few.
        logs = aws.cloudwatch.LogGroup(
            f"{name}-access-logs",
            name=pulumi.Output.concat("/aws/vendedlogs/apis/", api.api_name),
            retention_in_days=log_retention,
            opts=child,
        )
        stage = aws.apigatewayv2.Stage(
            f"{name}-stage",
            api_id=api.api_id,
            name=DEFAULT,
            auto_deploy=True,
            # Both or neither: a missing one counts as 0, and then every request gets a 429.
            default_route_settings=aws.apigatewayv2.StageDefaultRouteSettingsArgs(
                throttling_rate_limit=settings.throttle_rate, throttling_burst_limit=settings.throttle_burst
            ),
            access_log_settings=aws.apigatewayv2.StageAccessLogSettingsArgs(
                destination_arn=logs.arn, format=json.dumps(access_log_format())
            ),
            # Created only when it can answer: no address is better than one that doesn't work.
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[*created, permission])),
        )
        self.stage_name = stage.name
        self.register_outputs({"stage_name": self.stage_name})


def routes(authorization: Authorization | None, *, answers_preflights: bool) -> Mapping[str, Authorization | None]:
    """Returns the keys of an API's routes, each with what it asks of a request.

    A browser sends a preflight without credentials, and `$default` takes OPTIONS too: with an authorization, preflights
    need routes without one. Source: "Configure CORS for HTTP APIs", API Gateway Developer Guide.
    """
    public = authorization.public_paths if authorization else ()
    keys = [f"ANY {path}" for path in public]
    if authorization and answers_preflights:
        # The guide doesn't say whether the first one takes the path / too.
        keys += ["OPTIONS /{proxy+}", "OPTIONS /"]
    return {DEFAULT: authorization, **dict.fromkeys(keys)}


def access_log_format() -> dict[str, str]:
    """Returns the fields of one access log entry, without the query string and headers that could hold a secret.

    Source: "Customize HTTP API access logs", API Gateway Developer Guide, for the variables' names.
    """
    return {
        "requestId": "$context.requestId",
        "functionRequestId": "$context.integration.requestId",
        "time": "$context.requestTime",
        "ip": "$context.identity.sourceIp",
        "method": "$context.httpMethod",
        "path": "$context.path",
        "route": "$context.routeKey",
        "status": "$context.status",
        "responseLength": "$context.responseLength",
        "responseLatency": "$context.responseLatency",
        "integrationLatency": "$context.integrationLatency",
        "integrationStatus": "$context.integration.integrationStatus",
        "error": "$context.error.message",
        "integrationError": "$context.integrationErrorMessage",
    }
