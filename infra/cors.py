"""CORS: which pages of other origins may read the API's answers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import pulumi
import pulumi_aws as aws

from infra.rules import at_least, at_most, check, checked_by, is_known, key_of, refuse

ORIGIN = re.compile(r"\*|https?://\*|[a-z][a-z0-9+.-]*://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?")
"""Origins that an API takes, `https://*` too. Source: "Configure CORS for HTTP APIs", API Gateway Developer Guide."""

NAME = re.compile(r"\*|[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""Names of methods and headers, or `*`. Source: RFC 9110, section 5.6.2."""

MOST_AGE = 86400
AGE_RANGE = f"API Gateway takes 0 to {MOST_AGE} s"

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def check_origins(key: str, given: Sequence[pulumi.Input[str]]) -> None:
    """Each origin must be one that a browser sends and API Gateway compares."""
    for place, origin in enumerate(given):
        if is_known(origin) and not ORIGIN.fullmatch(str(origin)):
            refuse(
                f"{key}[{place}]",
                origin,
                "an origin is a scheme, a host in lower case and perhaps a port, without a path",
                "set one such as https://www.example.com, or * for every origin",
            )


def check_names(key: str, given: Sequence[pulumi.Input[str]]) -> None:
    """Each must be the name of a method or of a header."""
    for place, name in enumerate(given):
        if is_known(name) and not NAME.fullmatch(str(name)):
            refuse(f"{key}[{place}]", name, "that is not a name that HTTP allows", "set one name, or * for all")


@dataclass(frozen=True, kw_only=True)
class CorsSettings:
    """Which origins may read the API's answers, and what their pages may send.

    In another Pulumi program:

        from infra.cors import CorsSettings
        from infra.http_api import ApiSettings, HttpApi

        cors = CorsSettings(cors_origins=["https://www.example.com"], cors_headers=["content-type"])
        HttpApi("api", ApiSettings(), api_name="shop", cors=cors)

    If a route asks for an authorization, it `answers_preflights` without one.
    """

    cors_origins: Sequence[pulumi.Input[str]] = field(default=(), metadata=checked_by(check_origins))
    cors_methods: Sequence[pulumi.Input[str]] = field(default=METHODS, metadata=checked_by(check_names))
    cors_headers: Sequence[pulumi.Input[str]] = field(
        default=("authorization", "content-type"), metadata=checked_by(check_names)
    )
    cors_expose_headers: Sequence[pulumi.Input[str]] = field(default=(), metadata=checked_by(check_names))
    cors_credentials: pulumi.Input[bool] = False
    cors_max_age: pulumi.Input[int] = field(
        default=0, metadata=checked_by(at_least(0, AGE_RANGE), at_most(MOST_AGE, AGE_RANGE))
    )

    def __post_init__(self) -> None:
        """Checks the settings that are already known.

        Raises:
            ConfigError: a setting has a value that can't work, or two contradict each other.
        """
        check(self)
        if not is_known(self.cors_origins):
            return
        for each in fields(self):
            value = getattr(self, each.name)
            if not self.cors_origins and is_known(value) and value != each.default:
                refuse(key_of(each.name), value, "it is for corsOrigins, which is not set", "set corsOrigins as well")
        if "*" in self.cors_origins and self.cors_credentials is True:
            refuse(
                "corsCredentials",
                True,
                "API Gateway refuses it where corsOrigins has *",
                "name the origins, or set corsCredentials to false",
            )


def cors_configuration(settings: CorsSettings) -> aws.apigatewayv2.ApiCorsConfigurationArgs | None:
    """Returns the configuration of an API, None without origins: the application's own CORS headers then count."""
    if not settings.cors_origins:
        return None
    return aws.apigatewayv2.ApiCorsConfigurationArgs(
        allow_origins=list(settings.cors_origins),
        allow_methods=list(settings.cors_methods),
        allow_headers=list(settings.cors_headers),
        expose_headers=list(settings.cors_expose_headers),
        allow_credentials=settings.cors_credentials,
        max_age=settings.cors_max_age,
    )
