"""Who may send requests: clients with a token of an issuer, or those that sign with AWS credentials."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra.api_route import Authorization
from infra.rules import check, checked_by, is_known, refuse

ISSUER = re.compile(r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:/[^\s?#\\]*)?")
"""Issuers that API Gateway can ask for their keys. Source: OpenID Connect Discovery 1.0, section 3: https, no query."""

DISCOVERY = "/.well-known/openid-configuration"

_SEGMENT = r"[A-Za-z0-9._~:@-]+"
PUBLIC_PATH = re.compile(rf"/(?:{_SEGMENT}(?:/(?:{_SEGMENT}|\{{[A-Za-z0-9_]+\}}))*(?:/\{{[A-Za-z0-9_]+\+\}})?)?")
"""Paths of routes, as an HTTP API has them, that begin with a segment of their own: else they would open every path.

Source: "Create routes for HTTP APIs", API Gateway Developer Guide, for `{name}` and `{name+}`.
"""

MOST_AUDIENCES, MOST_SCOPES = 50, 10
"""Audiences of an authorizer and scopes of a route.

Source: "Quotas for configuring and running an HTTP API", API Gateway Developer Guide.
"""


def check_issuer(key: str, given: str) -> None:
    """An issuer must be an address at which API Gateway finds its keys."""
    if given and not ISSUER.fullmatch(given):
        refuse(
            key,
            given,
            "an issuer is an https URL without query",
            "set the iss of your tokens, such as https://id.example.com/",
        )
    if given.rstrip("/").endswith(DISCOVERY):
        refuse(key, given, f"API Gateway appends {DISCOVERY} itself", "remove it from the end")


def check_audiences(key: str, given: Sequence[pulumi.Input[str]]) -> None:
    """Audiences must not be empty or too many."""
    check_texts(key, given, MOST_AUDIENCES, "an authorizer")


def check_scopes(key: str, given: Sequence[pulumi.Input[str]]) -> None:
    """Scopes must not be empty or too many."""
    check_texts(key, given, MOST_SCOPES, "a route")


def check_texts(key: str, given: Sequence[pulumi.Input[str]], most: int, holder: str) -> None:
    """Refuses an empty text, one with a space, and too many of them.

    Raises:
        ConfigError: there is one.
    """
    if len(given) > most:
        refuse(key, len(given), f"API Gateway takes {most} for {holder}", "remove some")
    for place, text in enumerate(given):
        if is_known(text) and not re.fullmatch(r"\S+", str(text)):
            refuse(f"{key}[{place}]", text, "it is one word, without spaces", "set each one as an entry of the list")


def check_paths(key: str, given: Sequence[str]) -> None:
    """Public paths must be routes of their own."""
    seen: set[str] = set()
    for place, path in enumerate(given):
        if not PUBLIC_PATH.fullmatch(path):
            refuse(
                f"{key}[{place}]",
                path,
                "a public path begins with / and a segment of its own, and has no / at its end",
                "set one such as /health, /items/{id} or /public/{proxy+}",
            )
        route = re.sub(r"\{[^}+]+", "{", path)
        if route in seen:
            refuse(f"{key}[{place}]", path, "the list has that route already", "remove it")
        seen.add(route)


@dataclass(frozen=True, kw_only=True)
class AccessSettings:
    """Whose requests reach the function; without any of these, everybody's."""

    jwt_issuer: pulumi.Input[str] = field(default="", metadata=checked_by(check_issuer))
    jwt_audiences: Sequence[pulumi.Input[str]] = field(default=(), metadata=checked_by(check_audiences))
    jwt_scopes: Sequence[pulumi.Input[str]] = field(default=(), metadata=checked_by(check_scopes))
    iam_auth: bool = False
    public_paths: Sequence[str] = field(default=(), metadata=checked_by(check_paths))

    def __post_init__(self) -> None:
        """Checks the settings that are already known.

        Raises:
            ConfigError: a setting has a value that can't work, or two contradict each other.
        """
        check(self)
        if not all(map(is_known, (self.jwt_audiences, self.jwt_scopes, self.iam_auth, self.public_paths))):
            return
        if self.wants_tokens and not self.jwt_audiences:
            refuse(
                "jwtIssuer",
                self.jwt_issuer,
                "without audiences its tokens for other applications would be accepted too",
                "set jwtAudiences as well",
            )
        for key, given in (("jwtAudiences", self.jwt_audiences), ("jwtScopes", self.jwt_scopes)):
            if given and not self.wants_tokens:
                refuse(key, list(given), "it is for the tokens of jwtIssuer, which is not set", "set jwtIssuer as well")
        if self.iam_auth and self.wants_tokens:
            refuse("iamAuth", True, "jwtIssuer is set, and a route has one kind of authorization", "remove one of them")
        if self.public_paths and not (self.wants_tokens or self.iam_auth):
            refuse(
                "publicPaths",
                list(self.public_paths),
                "every path is public without jwtIssuer or iamAuth",
                "set one of them, or remove publicPaths",
            )

    @property
    def wants_tokens(self) -> bool:
        """Whether requests need a token."""
        return not is_known(self.jwt_issuer) or bool(self.jwt_issuer)


class JwtAuthorizer(pulumi.ComponentResource):
    """Lets requests with a token of an issuer through, and hands its claims to the function.

    In another Pulumi program:

        import pulumi
        from infra.authorizer import AccessSettings, JwtAuthorizer
        from infra.http_api import ApiSettings, HttpApi

        api = HttpApi("api", ApiSettings(), api_name="shop")
        issuer = pulumi.Config().require("issuer")
        access = AccessSettings(jwt_issuer=issuer, jwt_audiences=["shop"], public_paths=["/health"])
        tokens = JwtAuthorizer("tokens", access, api_id=api.api_id)

    An `ApiRoute` takes `tokens.authorization`.
    """

    authorization: Authorization
    """What a route asks of a request."""

    def __init__(
        self,
        name: str,
        settings: AccessSettings,
        *,
        api_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dualmode:index:JwtAuthorizer", name, None, opts)
        authorizer = aws.apigatewayv2.Authorizer(
            f"{name}-authorizer",
            api_id=api_id,
            name=name,
            authorizer_type="JWT",
            identity_sources=["$request.header.Authorization"],
            jwt_configuration=aws.apigatewayv2.AuthorizerJwtConfigurationArgs(
                issuer=settings.jwt_issuer, audiences=list(settings.jwt_audiences)
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.authorization = Authorization(
            type="JWT",
            authorizer_id=authorizer.id,
            scopes=settings.jwt_scopes,
            public_paths=settings.public_paths,
        )
        self.register_outputs({"authorizer_id": authorizer.id})


def authorization(
    settings: AccessSettings, *, api_id: pulumi.Input[str], own: Authorization | None = None
) -> Authorization | None:
    """Returns what the API's routes ask of a request, None if they ask nothing.

    `own` is what the program itself asks, such as a Lambda authorizer.

    Raises:
        ConfigError: a setting asks for another kind.
    """
    if own:
        rule = f"the program asks for {own.type} itself, and a route has one kind of authorization"
        if settings.wants_tokens:
            refuse("jwtIssuer", settings.jwt_issuer, rule, "remove one of them")
        if settings.iam_auth:
            refuse("iamAuth", True, rule, "remove one of them")
        return own
    if settings.wants_tokens:
        return JwtAuthorizer("authorizer", settings, api_id=api_id).authorization
    return Authorization(type="AWS_IAM", public_paths=settings.public_paths) if settings.iam_auth else None
