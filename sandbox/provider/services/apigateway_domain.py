"""API Gateway v2: custom domains, and which API they lead to.

Source: hashicorp/terraform-provider-aws, internal/service/apigatewayv2/{domain_name,api_mapping}.go.
"""

import re
from collections.abc import Mapping
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.blocks import Block
from sandbox.provider.call import Call, parameters
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.inputs import UNKNOWN
from sandbox.provider.refusals import ResourceRefusedError
from sandbox.provider.regions import API_GATEWAY_ZONES
from sandbox.provider.resource_type import ResourceType
from sandbox.provider.services.certificate import describe, unusable
from sandbox.provider.tags import Tags
from walk.dns_names import covers

_KEY = re.compile(r"[A-Za-z0-9$_.+!*'()-]+(?:/[A-Za-z0-9$_.+!*'()-]+)*")
_LONGEST_KEY = 300
_HTTP_ONLY = "{value} is not for HTTP APIs: they take {allowed}"


class DomainName(ResourceType):
    """`aws.apigatewayv2.DomainName`."""

    pulumi_type = "aws:apigatewayv2/domainName:DomainName"
    service = "apigatewayv2"
    fields = (
        Field("domainName", required=True),
        Field(
            "domainNameConfiguration",
            "DomainNameConfigurations[0]",
            Block(
                Field("certificateArn", required=True),
                Field("endpointType", required=True, allowed=("REGIONAL",), not_allowed=_HTTP_ONLY, default="REGIONAL"),
                Field("ipAddressType", filled="ipv4"),
                Field("ownershipVerificationCertificateArn", computed=True),
                Field("securityPolicy", required=True, allowed=("TLS_1_2",), not_allowed=_HTTP_ONLY, default="TLS_1_2"),
                Output("hostedZoneId", "HostedZoneId"),
                Output("targetDomainName", "ApiGatewayDomainName"),
            ),
            required=True,
        ),
        Field("routingMode", filled="API_MAPPING_ONLY"),
        *unsupported("mutualTlsAuthentication"),
        Output("apiMappingSelectionExpression", "ApiMappingSelectionExpression", filled="$request.basepath"),
        Output("arn", "arn:aws:apigateway:{region}::/domainnames/{id}"),
    )
    tags = Tags("{arn}", listed="GetTags")
    replace_on_changes = frozenset({"domainName"})
    create_call = Call("CreateDomainName")
    identity = "{domainName}"
    identified_by = parameters(DomainName="{id}")
    read_calls = (Call("GetDomainName"),)
    update_calls = (Call("UpdateDomainName"),)
    delete_call = Call("DeleteDomainName")

    def read(self, identity: str, state: Mapping[str, Any]) -> Any:
        """Return the domain with the zone of its own region: the emulator answers with us-east-1's in every one."""
        domain = super().read(identity, state)
        zone = API_GATEWAY_ZONES.get(self.aws.region)
        if zone:
            domain["DomainNameConfigurations"][0]["HostedZoneId"] = zone
        return domain

    def check_references(self, wanted: Values, identity: str) -> None:
        """Refuse a certificate that doesn't exist, isn't validated or is another domain's."""
        name, path = wanted["domainName"], "domainNameConfiguration.certificateArn"
        arn = wanted["domainNameConfiguration"]["CertificateArn"]
        certificate = describe(self.aws, arn)
        if certificate is None:
            raise ResourceRefusedError(
                "BadRequestException", f"the certificate {arn} doesn't exist in {self.aws.region}", path
            )
        missing = unusable(self.aws, certificate)
        if missing:
            raise ResourceRefusedError(
                "BadRequestException",
                f"the certificate {arn} is not validated yet: {missing}. "
                "Take the ARN from CertificateValidation, which waits until it is",
                path,
            )
        if not any(covers(covered, name) for covered in certificate["SubjectAlternativeNames"]):
            names = ", ".join(certificate["SubjectAlternativeNames"])
            raise ResourceRefusedError(
                "BadRequestException", f"the certificate {arn} is for {names} and doesn't cover {name}", path
            )


class ApiMapping(ResourceType):
    """`aws.apigatewayv2.ApiMapping`."""

    pulumi_type = "aws:apigatewayv2/apiMapping:ApiMapping"
    service = "apigatewayv2"
    fields = (
        Field("apiId", required=True),
        "apiMappingKey",
        Field("domainName", required=True),
        Field("stage", required=True),
    )
    replace_on_changes = frozenset({"apiId", "domainName"})
    create_call = Call("CreateApiMapping", "ApiMappingId")
    locate_call = Call(
        "GetApiMappings",
        "Items[?(ApiMappingKey || '') == '{apiMappingKey}'].ApiMappingId | [0]",
        DomainName="{domainName}",
    )
    identified_by = parameters(DomainName="{domainName}", ApiMappingId="{id}", ApiId="{apiId}")
    read_calls = (Call("GetApiMapping"),)
    update_calls = (Call("UpdateApiMapping"),)
    delete_call = Call("DeleteApiMapping")

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse a key that API Gateway doesn't take.

        Source: API Gateway's developer guide, "Map API stages to a custom domain name for HTTP APIs"; its sentence in
        aws/aws-cdk#8983; for the slashes aws/aws-cdk#23362.
        """
        key = wanted["apiMappingKey"]
        if key in (None, "", UNKNOWN):
            return []
        if len(key) > _LONGEST_KEY:
            return [("apiMappingKey", f"has {len(key)} characters, and a key has {_LONGEST_KEY} at most")]
        if not _KEY.fullmatch(key):
            return [("apiMappingKey", "An ApiMapping key may contain only letters, numbers and one of $-_.+!*'()/")]
        return []
