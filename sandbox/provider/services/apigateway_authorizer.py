"""API Gateway v2: authorizers, which check the tokens of requests, or ask a function.

Source: hashicorp/terraform-provider-aws, internal/service/apigatewayv2/authorizer.go.
"""

from collections.abc import Mapping
from typing import Any

from sandbox import variables
from sandbox.provider.aws import Values
from sandbox.provider.blocks import Block
from sandbox.provider.call import Call, parameters
from sandbox.provider.fields import Field
from sandbox.provider.forms import SORTED_TEXTS
from sandbox.provider.inputs import UNKNOWN
from sandbox.provider.refusals import ResourceRefusedError
from sandbox.provider.resource_type import ResourceType
from walk.call import function_at
from walk.key_sets import PATH, IssuerError, keys_of

_JWT, _REQUEST = "JWT", "REQUEST"
_OF_REQUEST = (
    "authorizerCredentialsArn",
    "authorizerPayloadFormatVersion",
    "authorizerResultTtlInSeconds",
    "authorizerUri",
    "enableSimpleResponses",
)
_SOURCES = ("$request.header.", "$request.querystring.", "$context.", "$stageVariables.")

KEPT_SECONDS = 300
"""How long answers are kept where there are identity sources and the program doesn't say. Source: as above."""


class Authorizer(ResourceType):
    """`aws.apigatewayv2.Authorizer`, for an HTTP API."""

    pulumi_type = "aws:apigatewayv2/authorizer:Authorizer"
    service = "apigatewayv2"
    fields = (
        Field("apiId", required=True),
        Field("authorizerType", required=True),
        Field("identitySources", "IdentitySource", form=SORTED_TEXTS),
        Field(
            "jwtConfiguration",
            form=Block(Field("audiences", "Audience", form=SORTED_TEXTS), Field("issuer", "Issuer")),
        ),
        Field("name", required=True),
        *("authorizerCredentialsArn", "authorizerUri", "enableSimpleResponses"),
        Field(
            "authorizerPayloadFormatVersion",
            allowed=("1.0", "2.0"),
            not_allowed="'{value}' is neither 1.0 nor 2.0",
        ),
        Field("authorizerResultTtlInSeconds", computed=True),
    )
    autonamed = "name"
    replace_on_changes = frozenset({"apiId"})
    create_call = Call("CreateAuthorizer", "AuthorizerId")
    identified_by = parameters(ApiId="{apiId}", AuthorizerId="{id}")
    read_calls = (Call("GetAuthorizer"),)
    update_calls = (Call("UpdateAuthorizer"),)
    delete_call = Call("DeleteAuthorizer")

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse what is missing for a type, what is another type's, and what doesn't go together."""
        kind = wanted["authorizerType"]
        if kind is UNKNOWN:
            return []
        if kind == _REQUEST:
            others = [("jwtConfiguration", "is for authorizers of type JWT only")]
            return [each for each in others if wanted[each[0]] is not None] + _limits_of_request(wanted)
        missing = [(name, "is missing") for name in ("identitySources", "jwtConfiguration") if not wanted[name]]
        given = (name for name in _OF_REQUEST if wanted[name] not in (None, False))
        return missing + [(name, "is for authorizers of type REQUEST only") for name in given]

    def create_request(self, wanted: Values) -> Values:
        """Send how long answers are kept, also where the program doesn't say; without identity sources none is."""
        request = super().create_request(wanted)
        request["IdentitySource"] = wanted["identitySources"] or []
        if wanted["authorizerType"] == _REQUEST and wanted["authorizerResultTtlInSeconds"] is None:
            request["AuthorizerResultTtlInSeconds"] = KEPT_SECONDS if wanted["identitySources"] else 0
        return request

    def read(self, identity: str, state: Mapping[str, Any]) -> Any:
        """Leave out what AWS doesn't have for this type: the emulator fills it in."""
        answer = super().read(identity, state)
        if answer is None:
            return None
        not_its_own = _OF_REQUEST if answer["AuthorizerType"] == _JWT else ("jwtConfiguration",)
        left_out = {name[0].upper() + name[1:] for name in not_its_own}
        return {name: value for name, value in answer.items() if name not in left_out}

    def check_references(self, wanted: Values, identity: str) -> None:
        """Refuse an issuer that doesn't publish its keys, in AWS's words. Source: haandol/cognito-kakao-example#1."""
        if wanted["authorizerType"] != _JWT:
            return
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

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Change the authorizer, but not its type, which the emulator would keep without a word."""
        if wanted["authorizerType"] != old["authorizerType"]:
            reason = (
                f"the sandbox can't change the type of an authorizer from {old['authorizerType']} to "
                f"{wanted['authorizerType']}: give the resource another name, so that it is made anew"
            )
            raise ResourceRefusedError("NotUpdatable", reason, "authorizerType")
        if wanted["authorizerType"] == _REQUEST:
            wanted = {**wanted, "enableSimpleResponses": wanted["enableSimpleResponses"] or False}
        super().update(identity, wanted, old)

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


def _limits_of_request(wanted: Values) -> list[tuple[str, str]]:
    """The rules for an authorizer that asks a function, where AWS says them in AWS's words.

    Source: hashicorp/terraform-provider-aws#15181, #32629; the guide to Lambda authorizers, for the identity sources.
    """
    version, uri = wanted["authorizerPayloadFormatVersion"], wanted["authorizerUri"]
    sources, kept = wanted["identitySources"], wanted["authorizerResultTtlInSeconds"]
    broken = []
    if version is None:
        reason = "AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer"
        broken.append(("authorizerPayloadFormatVersion", reason))
    if wanted["enableSimpleResponses"] is True and version == "1.0":
        reason = 'EnableSimpleResponses can only be set for AuthorizerPayloadFormatVersion "2.0".'
        broken.append(("enableSimpleResponses", reason))
    if isinstance(kept, int) and kept > 0 and not sources:
        reason = "Identity source must be set if authorizer caching is enabled (TTL is greater than 0)"
        broken.append(("identitySources", reason))
    if uri is not UNKNOWN and (not str(uri or "").endswith("/invocations") or function_at(str(uri)) is None):
        broken.append(("authorizerUri", f"'{uri or ''}' is not the ARN that invokes a function: give its invokeArn"))
    for source in sources if isinstance(sources, list) else []:
        if source is not UNKNOWN and not any(source.startswith(kind) and source != kind for kind in _SOURCES):
            broken.append(("identitySources", f"'{source}' begins with none of {', '.join(_SOURCES)}"))
    return broken
