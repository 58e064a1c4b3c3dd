"""The HTTP API in front of the function, made before it: what leads its requests there is in `api_route.py`."""

from __future__ import annotations

from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra.cors import CorsSettings, cors_configuration
from infra.grants import Grant
from infra.rules import at_least, check, checked_by

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


class HttpApi(pulumi.ComponentResource):
    """An HTTP API whose requests an `ApiRoute` leads to a function.

    The function comes between the two: its variables name the API that may send requests.

    In another Pulumi program, whose function has `grants=[api.grant]`:

        import pulumi
        from infra.http_api import ApiSettings, HttpApi

        api = HttpApi("api", ApiSettings(), api_name="shop")
        pulumi.export("url", api.api_endpoint)
    """

    api_id: pulumi.Output[str]
    api_endpoint: pulumi.Output[str]
    """API Gateway's own address for the API, `https://<api>.execute-api.<region>.amazonaws.com`."""

    api_name: pulumi.Output[str]
    execution_arn: pulumi.Output[str]
    """How a function's permissions name the API."""

    grant: Grant
    """What a function is told of the API: that it may send requests."""

    def __init__(
        self,
        name: str,
        settings: ApiSettings,
        *,
        api_name: pulumi.Input[str],
        cors: CorsSettings = NO_CORS,
        has_domain: pulumi.Input[bool] = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dualmode:index:HttpApi", name, None, opts)
        closed = pulumi.Output.all(has_domain, settings.keep_default_endpoint).apply(
            lambda values: values[0] and not values[1]
        )
        api = aws.apigatewayv2.Api(
            f"{name}-api",
            name=api_name,
            protocol_type="HTTP",
            ip_address_type="dualstack",
            disable_execute_api_endpoint=closed,
            cors_configuration=cors_configuration(cors),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.api_id = api.id
        self.api_endpoint = api.api_endpoint
        self.api_name = api.name
        self.execution_arn = api.execution_arn
        self.grant = Grant(name=name, variables={API_ID_VARIABLE: self.api_id})
        self.register_outputs({"api_id": self.api_id, "api_endpoint": self.api_endpoint})
