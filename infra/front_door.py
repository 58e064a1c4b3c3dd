"""Where requests come in: an HTTP API with its authorization and its domain, or a Function URL."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.api_route import ApiRoute, Authorization
from infra.authorizer import authorization
from infra.custom_domain import domain_of
from infra.function_url import FunctionUrl
from infra.grants import Grant
from infra.http_api import HttpApi
from infra.settings import Settings


class FrontDoor:
    """Made before the function, which is told of an API if there is one; `open_to` then leads requests to it."""

    def __init__(self, settings: Settings, deployment: str) -> None:
        self._settings = settings
        self._domain = domain_of(settings.domain, settings.cdn, deployment)
        self.api: HttpApi | None = None
        if not settings.url.function_url:
            self.api = HttpApi(
                "api",
                settings.api,
                api_name=deployment,
                cors=settings.cors,
                has_domain=self._domain.serves if self._domain else False,
            )
        self._grants = [self.api.grant] if self.api else []
        if self.api and self._domain:
            self._grants += self._domain.grants(self.api.api_endpoint)

    @property
    def grants(self) -> Sequence[Grant]:
        """What a function is told of it."""
        return self._grants

    def open_to(self, alias: aws.lambda_.Alias, own: Authorization | None = None) -> Mapping[str, pulumi.Output[Any]]:
        """Leads requests to an alias of the function, and returns the outputs: `url` and what else there is.

        `own` is what the program itself asks of requests, such as a Lambda authorizer: no setting may ask for another.

        Raises:
            ConfigError: a setting does.
        """
        settings, api, domain = self._settings, self.api, self._domain
        if api is None:
            return {"url": FunctionUrl("function-url", function_name=alias.function_name, qualifier=alias.name).url}
        route = ApiRoute(
            "api",
            settings.api,
            api=api,
            alias=alias,
            log_retention=settings.function.log_retention,
            authorization=authorization(settings.access, api_id=api.api_id, own=own),
            answers_preflights=bool(settings.cors.cors_origins),
        )
        outputs: dict[str, pulumi.Output[Any]] = {"url": api.api_endpoint, "api_endpoint": api.api_endpoint}
        if domain:
            outputs["url"] = domain.lead_to(api_id=api.api_id, stage_name=route.stage_name, until_then=api.api_endpoint)
            if domain.dns_records:
                outputs["dns_records"] = domain.dns_records
        return outputs
