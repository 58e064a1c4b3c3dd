"""The HTTP API in front of the function: one route, one integration, one stage, each request logged."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

DEFAULT = "$default"
"""Name of the route that takes every request, and of the stage that adds nothing to the path."""

INTEGRATION_TIMEOUT = 30_000
"""Milliseconds that API Gateway waits for the function, the most it can.

Source: "Quotas for configuring and running an HTTP API", API Gateway Developer Guide.
"""


@dataclass(frozen=True, kw_only=True)
class HttpApiArgs:
    """How much an API admits (requests per second, requests at once), and how long it keeps logs (days)."""

    api_name: str
    throttle_rate: pulumi.Input[int]
    throttle_burst: pulumi.Input[int]
    log_retention: pulumi.Input[int]
    default_endpoint: bool = True


class HttpApi(pulumi.ComponentResource):
    """An HTTP API that hands every request to one alias of a function: the one that `route_to` is given.

    The function comes later, since it is told which API it may take requests from.
    """

    api_id: pulumi.Output[str]
    api_endpoint: pulumi.Output[str]
    """API Gateway's own address for the API, `https://<api>.execute-api.<region>.amazonaws.com`."""

    def __init__(self, name: str, args: HttpApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dualmode:index:HttpApi", name, None, opts)
        self._args = args
        self._api = aws.apigatewayv2.Api(
            f"{name}-api",
            name=args.api_name,
            protocol_type="HTTP",
            ip_address_type="dualstack",
            disable_execute_api_endpoint=not args.default_endpoint,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.api_id = self._api.id
        self.api_endpoint = self._api.api_endpoint
        self.register_outputs({"api_id": self.api_id, "api_endpoint": self.api_endpoint})

    def route_to(
        self,
        *,
        function_name: pulumi.Input[str],
        alias_name: pulumi.Input[str],
        alias_invoke_arn: pulumi.Input[str],
    ) -> pulumi.Output[str]:
        """Hands every request to an alias, puts the API into service, and returns the name of its stage."""
        name, child = self.pulumi_resource_name, pulumi.ResourceOptions(parent=self)
        integration = aws.apigatewayv2.Integration(
            f"{name}-integration",
            api_id=self._api.id,
            integration_type="AWS_PROXY",
            integration_uri=alias_invoke_arn,
            integration_method="POST",
            payload_format_version="2.0",
            timeout_milliseconds=INTEGRATION_TIMEOUT,
            opts=child,
        )
        route = aws.apigatewayv2.Route(
            f"{name}-route",
            api_id=self._api.id,
            route_key=DEFAULT,
            target=pulumi.Output.concat("integrations/", integration.id),
            opts=child,
        )
        permission = aws.lambda_.Permission(
            f"{name}-permission",
            action="lambda:InvokeFunction",
            principal="apigateway.amazonaws.com",
            function=function_name,
            qualifier=alias_name,
            # Two parts, any stage and any route: a third would leave the route $default out.
            source_arn=pulumi.Output.concat(self._api.execution_arn, "/*/*"),
            opts=child,
        )
        # Below this prefix, CloudWatch Logs needs no entry of its own in a resource policy that has room for few.
        logs = aws.cloudwatch.LogGroup(
            f"{name}-access-logs",
            name=f"/aws/vendedlogs/apis/{self._args.api_name}",
            retention_in_days=self._args.log_retention,
            opts=child,
        )
        stage = aws.apigatewayv2.Stage(
            f"{name}-stage",
            api_id=self._api.id,
            name=DEFAULT,
            auto_deploy=True,
            # Both or neither: the one left out counts as 0, and every request is answered 429.
            default_route_settings=aws.apigatewayv2.StageDefaultRouteSettingsArgs(
                throttling_rate_limit=self._args.throttle_rate, throttling_burst_limit=self._args.throttle_burst
            ),
            access_log_settings=aws.apigatewayv2.StageAccessLogSettingsArgs(
                destination_arn=logs.arn, format=json.dumps(access_log_format())
            ),
            # Served only once it can answer: an address that works for nobody is worse than none.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[route, permission]),
        )
        return stage.name


def access_log_format() -> dict[str, str]:
    """Returns the fields of one access log entry; no query string, no header that could carry a secret.

    Source: "Customize HTTP API access logs", API Gateway Developer Guide, for the variables' names.
    """
    return {
        "requestId": "$context.requestId",
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
