# ruff: noqa: D102  what each method means is said once, in kind.py
"""API Gateway v2: custom domains, and which API they lead to.

Source: hashicorp/terraform-provider-aws, internal/service/apigatewayv2/{domain_name,api_mapping}.go.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provider.apigateway_api import retag
from sandbox.provider.certificate import describe, unusable
from sandbox.provider.inputs import UNKNOWN, Inputs
from sandbox.provider.kind import Kind, Values, given, region_of
from sandbox.provider.refusals import ResourceRefusedError, is_missing
from sandbox.provider.regions import API_GATEWAY_ZONES
from walk.dns_names import covers


class DomainName(Kind):
    """`aws.apigatewayv2.DomainName`."""

    pulumi_type = "aws:apigatewayv2/domainName:DomainName"
    service = "apigatewayv2"
    operation = "CreateDomainName"
    replaces = frozenset({"domainName"})
    completed = MappingProxyType(
        {
            "domainNameConfiguration": (
                *("hostedZoneId", "ipAddressType", "ownershipVerificationCertificateArn", "targetDomainName"),
            )
        }
    )

    def request(self, inputs: Inputs) -> Values:
        region_of(self.aws, inputs)
        inputs.unsupported("mutualTlsAuthentication")
        configuration = inputs.block("domainNameConfiguration")
        if configuration is None:
            inputs.fail("domainNameConfiguration", "is missing")
            configuration = Inputs({})
        return {
            "DomainName": inputs.required("domainName"),
            "DomainNameConfigurations": [
                {
                    "CertificateArn": configuration.required("certificateArn"),
                    "EndpointType": configuration.required("endpointType"),
                    "IpAddressType": configuration.text("ipAddressType"),
                    "OwnershipVerificationCertificateArn": configuration.text("ownershipVerificationCertificateArn"),
                    "SecurityPolicy": configuration.required("securityPolicy"),
                }
            ],
            "RoutingMode": inputs.text("routingMode"),
            "Tags": inputs.names("tags") or None,
        }

    def limits(self, request: Values) -> list[tuple[str, str]]:
        configuration = request["DomainNameConfigurations"][0]
        broken = []
        for key, allowed in (("EndpointType", "REGIONAL"), ("SecurityPolicy", "TLS_1_2")):
            if configuration[key] not in (allowed, UNKNOWN):
                path = f"domainNameConfiguration.{key[0].lower()}{key[1:]}"
                broken.append((path, f"{configuration[key]} is not for HTTP APIs: they take {allowed}"))
        return broken

    def create(self, request: Values) -> str:
        self._refer(request)
        return str(self.client.create_domain_name(**given(request))["DomainName"])

    def locate(self, request: Values) -> str | None:
        return str(request["DomainName"]) if self.read(request["DomainName"], {}) else None

    def read(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        try:
            domain = self.client.get_domain_name(DomainName=identity)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        configuration = domain["DomainNameConfigurations"][0]
        tags = domain.get("Tags") or {}
        return {
            "apiMappingSelectionExpression": domain.get("ApiMappingSelectionExpression", "$request.basepath"),
            "arn": self._arn(identity),
            "domainName": domain["DomainName"],
            "domainNameConfiguration": {
                "certificateArn": configuration["CertificateArn"],
                "endpointType": configuration.get("EndpointType", "REGIONAL"),
                # The emulator answers with us-east-1's in every region.
                "hostedZoneId": API_GATEWAY_ZONES.get(self.aws.region) or configuration["HostedZoneId"],
                "ipAddressType": configuration.get("IpAddressType", "ipv4"),
                "ownershipVerificationCertificateArn": configuration.get("OwnershipVerificationCertificateArn", ""),
                "securityPolicy": configuration.get("SecurityPolicy", "TLS_1_2"),
                "targetDomainName": configuration["ApiGatewayDomainName"],
            },
            "mutualTlsAuthentication": None,
            "region": self.aws.region,
            "routingMode": domain.get("RoutingMode", "API_MAPPING_ONLY"),
            "tags": tags,
            "tagsAll": tags,
        }

    def update(self, identity: str, request: Values, old: Mapping[str, Any]) -> None:
        self._refer(request)
        self.client.update_domain_name(**given({key: value for key, value in request.items() if key != "Tags"}))
        retag(self.client, self._arn(identity), old, request["Tags"] or {})

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        try:
            self.client.delete_domain_name(DomainName=identity)
        except ClientError as error:
            if not is_missing(error):
                raise

    def _arn(self, name: str) -> str:
        return f"arn:aws:apigateway:{self.aws.region}::/domainnames/{name}"

    def _refer(self, request: Values) -> None:
        """Refuse a certificate that doesn't exist, isn't validated or is another domain's."""
        name, path = request["DomainName"], "domainNameConfiguration.certificateArn"
        arn = request["DomainNameConfigurations"][0]["CertificateArn"]
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


class ApiMapping(Kind):
    """`aws.apigatewayv2.ApiMapping`."""

    pulumi_type = "aws:apigatewayv2/apiMapping:ApiMapping"
    service = "apigatewayv2"
    operation = "CreateApiMapping"
    replaces = frozenset({"apiId", "domainName"})

    def request(self, inputs: Inputs) -> Values:
        region_of(self.aws, inputs)
        return {
            "ApiId": inputs.required("apiId"),
            "ApiMappingKey": inputs.text("apiMappingKey"),
            "DomainName": inputs.required("domainName"),
            "Stage": inputs.required("stage"),
        }

    def create(self, request: Values) -> str:
        return str(self.client.create_api_mapping(**given(request))["ApiMappingId"])

    def locate(self, request: Values) -> str | None:
        mappings = self.client.get_api_mappings(DomainName=request["DomainName"])["Items"]
        same = [entry for entry in mappings if entry.get("ApiMappingKey", "") == (request["ApiMappingKey"] or "")]
        return str(same[0]["ApiMappingId"]) if same else None

    def read(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        domain = state.get("domainName")
        try:
            mapping = self.client.get_api_mapping(DomainName=domain, ApiMappingId=identity)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        return {
            "apiId": mapping["ApiId"],
            "apiMappingKey": mapping.get("ApiMappingKey", ""),
            "domainName": domain,
            "region": self.aws.region,
            "stage": mapping["Stage"],
        }

    def update(self, identity: str, request: Values, old: Mapping[str, Any]) -> None:
        call = {**request, "ApiMappingKey": request["ApiMappingKey"] or ""}
        self.client.update_api_mapping(ApiMappingId=identity, **given(call))

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        try:
            self.client.delete_api_mapping(DomainName=state["domainName"], ApiMappingId=identity)
        except ClientError as error:
            if not is_missing(error):
                raise
