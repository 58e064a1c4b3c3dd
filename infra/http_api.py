"""The HTTP API in front of the function: one route, one integration, one stage, each request logged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pulumi
import pulumi_aws as aws

from infra.cors import CorsSettings, cors_configuration
from infra.grants import Grant
from infra.rules import at_least, check, checked_by

DEFAULT = "$default"
"""Name of the route that takes every request, and of the stage that adds nothing to the path."""

INTEGRATION_TIMEOUT = 30_000
"""Milliseconds that API Gateway waits for the function, the most it can.

Source: "Quotas for configuring and running an HTTP API", API Gateway Developer Guide.
"""


API_ID_VARIABLE = "DUALMODE_API_ID"
"""Variable that tells a function which API may send it requests."""

NO_CORS = CorsSettings()
NO_REQUESTS = "below 1 API Gateway answers every request with 429"


@dataclass(frozen=True, kw_only=True)
class ApiSettings:
    """An API's limits, and whether its own address still answers when there is a domain."""

    keep_default_endpoint: pulumi.Input[bool] = False
    throttle_rate: pulumi.Input[int] = field(default=50, metadata=checked_by(at_least(1, NO_REQUESTS)))
    throttle_burst: pulumi.Input[int] = field(default=100, metadata=checked_by(at_least(1, NO_REQUESTS)))

    def __post_init__(self) -> None:
        """Checks the settings that are already known.

        Raises:
            ConfigError: a setting has a value that can't work.
        """
        check(self)


@dataclass(frozen=True, kw_only=True)
class Authorization:
    """What an API's routes ask of a request, on all paths but the public ones."""

    type: str
    """`JWT` or `AWS_IAM`."""
    authorizer_id: pulumi.Input[str] | None = None
    scopes: Sequence[pulumi.Input[str]] = ()
    """Of which a token must have one; without any, it needs none."""
    public_paths: Sequence[str] = ()
    """Paths in the words of a route's key, such as `/health` or `/public/{proxy+}`."""


class Callee(Protocol):
    """An alias of a function, as far as an API needs it: the resource, or what another program knows of one."""

    @property
    def function_name(self) -> pulumi.Output[str]:
        """Name of the function."""

    @property
    def name(self) -> pulumi.Output[str]:
        """Name of the alias."""

    @property
    def invoke_arn(self) -> pulumi.Output[str]:
        """ARN by which API Gateway invokes it."""


class HttpApi(pulumi.ComponentResource):
    """An HTTP API that sends every request to one alias of a function, given to `route_to`.

    The function is created later, because its variables name the API that may send requests.

    In another Pulumi program:

        import pulumi
        from infra.container_function import ContainerFunction, FunctionSettings
        from infra.http_api import ApiSettings, HttpApi

        api = HttpApi("api", ApiSettings(throttle_rate=20), api_name="shop", log_retention=30)
        function = ContainerFunction(
            "function",
            FunctionSettings(memory_size=1024),
            function_name="shop",
            image_uri=pulumi.Config().require("image"),
            grants=[api.grant],
        )
        api.route_to(function.live)
        pulumi.export("url", api.api_endpoint)
    """

    api_id: pulumi.Output[str]
    api_endpoint: pulumi.Output[str]
    """API Gateway's own address for the API, `https://<api>.execute-api.<region>.amazonaws.com`."""

    grant: Grant
    """What a function is told of the API: that it may send requests."""

    def __init__(
        self,
        name: str,
        settings: ApiSettings,
        *,
        api_name: pulumi.Input[str],
        log_retention: pulumi.Input[int],
        cors: CorsSettings = NO_CORS,
        has_domain: pulumi.Input[bool] = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dualmode:index:HttpApi", name, None, opts)
        self._settings = settings
        self._api_name = api_name
        self._log_retention = log_retention
        self._cors = cors
        closed = pulumi.Output.all(has_domain, settings.keep_default_endpoint).apply(
            lambda values: values[0] and not values[1]
        )
        self._api = aws.apigatewayv2.Api(
            f"{name}-api",
            name=api_name,
            protocol_type="HTTP",
            ip_address_type="dualstack",
            disable_execute_api_endpoint=closed,
            cors_configuration=cors_configuration(cors),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.api_id = self._api.id
        self.api_endpoint = self._api.api_endpoint
        self.grant = Grant(name=name, variables={API_ID_VARIABLE: self.api_id})
        self.register_outputs({"api_id": self.api_id, "api_endpoint": self.api_endpoint})

    def route_to(self, alias: Callee, *, authorization: Authorization | None = None) -> pulumi.Output[str]:
        """Sends every request that the authorization lets through to an alias, and returns the name of the stage."""
        name, child = self.pulumi_resource_name, pulumi.ResourceOptions(parent=self)
        integration = aws.apigatewayv2.Integration(
            f"{name}-integration",
            api_id=self._api.id,
            integration_type="AWS_PROXY",
            integration_uri=alias.invoke_arn,
            integration_method="POST",
            payload_format_version="2.0",
            timeout_milliseconds=INTEGRATION_TIMEOUT,
            opts=child,
        )
        wanted = routes(authorization, answers_preflights=bool(self._cors.cors_origins))
        created = [
            aws.apigatewayv2.Route(
                f"{name}-route" if key == DEFAULT else f"{name}-route-{key}",
                api_id=self._api.id,
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
            source_arn=pulumi.Output.concat(self._api.execution_arn, "/*/*"),
            opts=child,
        )
        # With this prefix, CloudWatch Logs needs no entry in a resource policy, which has room for only a few.
        logs = aws.cloudwatch.LogGroup(
            f"{name}-access-logs",
            name=pulumi.Output.concat("/aws/vendedlogs/apis/", self._api_name),
            retention_in_days=self._log_retention,
            opts=child,
        )
        stage = aws.apigatewayv2.Stage(
            f"{name}-stage",
            api_id=self._api.id,
            name=DEFAULT,
            auto_deploy=True,
            # Both or neither: a missing one counts as 0, and then every request gets a 429.
            default_route_settings=aws.apigatewayv2.StageDefaultRouteSettingsArgs(
                throttling_rate_limit=self._settings.throttle_rate, throttling_burst_limit=self._settings.throttle_burst
            ),
            access_log_settings=aws.apigatewayv2.StageAccessLogSettingsArgs(
                destination_arn=logs.arn, format=json.dumps(access_log_format())
            ),
            # Created only when it can answer: no address is better than one that doesn't work.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*created, permission]),
        )
        return stage.name


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
