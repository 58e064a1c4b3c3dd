"""API Gateway v2: authorizers, which check the tokens of requests.

Source: hashicorp/terraform-provider-aws, internal/service/apigatewayv2/authorizer.go.
"""

from collections.abc import Mapping
from typing import Any

from sandbox import variables
from sandbox.provider.aws import Values
from sandbox.provider.blocks import Block
from sandbox.provider.call import Call, parameters
from sandbox.provider.fields import Field, unsupported
from sandbox.provider.forms import BOOLEAN, INTEGER, SORTED_TEXTS, TEXT
from sandbox.provider.refusals import ResourceRefusedError
from sandbox.provider.resource_type import ResourceType
from walk.key_sets import PATH, IssuerError, keys_of


class Authorizer(ResourceType):
    """`aws.apigatewayv2.Authorizer`, of type JWT."""

    pulumi_type = "aws:apigatewayv2/authorizer:Authorizer"
    service = "apigatewayv2"
    fields = (
        Field("apiId", required=True),
        Field(
            "authorizerType",
            required=True,
            allowed=("JWT",),
            not_allowed="must be JWT, but is {value}: the sandbox's provider makes no other authorizers",
        ),
        Field("identitySources", "IdentitySource", form=SORTED_TEXTS, required=True),
        Field(
            "jwtConfiguration",
            form=Block(Field("audiences", "Audience", form=SORTED_TEXTS), Field("issuer", "Issuer")),
            required=True,
        ),
        Field("name", required=True),
        *unsupported("authorizerCredentialsArn", "authorizerPayloadFormatVersion", "authorizerUri", form=TEXT),
        *unsupported("authorizerResultTtlInSeconds", form=INTEGER),
        *unsupported("enableSimpleResponses", form=BOOLEAN),
    )
    autonamed = "name"
    replace_on_changes = frozenset({"apiId"})
    create_call = Call("CreateAuthorizer", "AuthorizerId")
    identified_by = parameters(ApiId="{apiId}", AuthorizerId="{id}")
    read_calls = (Call("GetAuthorizer"),)
    update_calls = (Call("UpdateAuthorizer"),)
    delete_call = Call("DeleteAuthorizer")

    def check_references(self, wanted: Values, identity: str) -> None:
        """Refuse an issuer that doesn't publish its keys, in AWS's words. Source: haandol/cognito-kakao-example#1."""
        issuer = wanted["jwtConfiguration"]["Issuer"] or ""
        try:
            keys_of(issuer, variables.users())
        except IssuerError as error:
            raise ResourceRefusedError(
                "BadRequestException",
                f"Caught exception when connecting to {issuer.rstrip('/')}{PATH} for issuer {issuer}. Please try again "
                f"later. Error: Invalid issuer: {issuer}. Issuer must have a valid discovery endpoint ended with "
                f"'{PATH}' ({error})",
                "jwtConfiguration.issuer",
            ) from error

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        """Refuse to remove an authorizer that a route still has: the real provider then tries again."""
        pages = self.client.get_paginator("get_routes").paginate(ApiId=state["apiId"])
        users = [
            route["RouteKey"] for page in pages for route in page["Items"] if route.get("AuthorizerId") == identity
        ]
        if users:
            reason = f"Cannot delete authorizer '{identity}', is referenced in route: {', '.join(users)}"
            raise ResourceRefusedError("ConflictException", reason)
        super().delete(identity, state)
