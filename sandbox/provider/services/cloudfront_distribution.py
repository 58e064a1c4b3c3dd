"""CloudFront: distributions.

Source: hashicorp/terraform-provider-aws, internal/service/cloudfront/distribution.go.
"""

import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.blocks import Block
from sandbox.provider.call import Call, given, parameters
from sandbox.provider.cloudfront_tags import CloudFrontTags
from sandbox.provider.counted import CountedBlock, CountedBlocks, CountedTexts
from sandbox.provider.distributions import distributions, function_arns, items_of
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.forms import ANYTHING, BOOLEAN, INTEGER, TEXT, TEXTS, Plain
from sandbox.provider.inputs import UNKNOWN
from sandbox.provider.refusals import ResourceRefusedError, or_none
from sandbox.provider.resource_type import ResourceType
from sandbox.provider.services.certificate import describe, unusable
from walk.dns_names import covers

ZONE = "Z2FDTNDATAQYW2"
"""The hosted zone that an alias to a distribution names. Source: `AliasTarget`, Route 53 API Reference."""

_WEB_ACL = re.compile(r"arn:aws:wafv2:us-east-1:\d{12}:global/webacl/[\w-]{1,128}/[0-9a-f-]{36}")
_STATUS_TEXT = Plain(lambda inputs, key: inputs.text(key), lambda found: int(found or 0), int)

_BEHAVIOR = (
    Field("targetOriginId", required=True),
    Field("viewerProtocolPolicy", required=True),
    Field("allowedMethods", "AllowedMethods", CountedTexts(), required=True),
    Field("cachedMethods", "AllowedMethods.CachedMethods", CountedTexts(), required=True),
    Field("compress", default=False),
    Field("cachePolicyId"),
    Field("originRequestPolicyId"),
    Field("responseHeadersPolicyId"),
    Field(
        "functionAssociations",
        "FunctionAssociations",
        CountedBlocks(Field("eventType", required=True), Field("functionArn", "FunctionARN", required=True)),
    ),
    *unsupported("defaultTtl", "maxTtl", "minTtl", form=INTEGER),
    *unsupported("fieldLevelEncryptionId", "realtimeLogConfigArn", form=TEXT),
    *unsupported("forwardedValues", "grpcConfig", form=ANYTHING),
    *unsupported("lambdaFunctionAssociations", "trustedKeyGroups", "trustedSigners", form=TEXTS),
    *unsupported("smoothStreaming", form=BOOLEAN),
)


def _config(name: str, member: str = "", form: Any = None, **rest: Any) -> Field:
    """Return an input that is a member of the distribution's configuration."""
    return Field(name, f"DistributionConfig.{member or name[0].upper() + name[1:]}", form, **rest)


class Distribution(ResourceType):
    """`aws.cloudfront.Distribution`, with custom origins."""

    pulumi_type = "aws:cloudfront/distribution:Distribution"
    service = "cloudfront"
    regional = False
    fields = (
        _config("aliases", form=CountedTexts()),
        _config("comment", default=""),
        _config("enabled", required=True),
        _config("httpVersion", filled="http2"),
        _config("isIpv6Enabled", "IsIPV6Enabled", default=False),
        _config("priceClass", filled="PriceClass_All"),
        _config("webAclId", "WebACLId"),
        _config("defaultRootObject"),
        _config(
            "origins",
            form=CountedBlocks(
                Field("originId", "Id", required=True),
                Field("domainName", required=True),
                Field("originPath", default=""),
                Field("connectionAttempts", filled=3, allowed=range(1, 4)),
                Field("connectionTimeout", filled=10, allowed=range(1, 11)),
                Field(
                    "customHeaders",
                    "CustomHeaders",
                    CountedBlocks(
                        Field("name", "HeaderName", required=True), Field("value", "HeaderValue", required=True)
                    ),
                ),
                Field(
                    "customOriginConfig",
                    "CustomOriginConfig",
                    Block(
                        Field("httpPort", "HTTPPort", required=True),
                        Field("httpsPort", "HTTPSPort", required=True),
                        Field("originProtocolPolicy", required=True),
                        Field("originSslProtocols", form=CountedTexts(), required=True),
                        # Source: "CustomOriginConfig", CloudFront API Reference, for both ranges, in seconds.
                        Field("originReadTimeout", filled=30, allowed=range(1, 121)),
                        Field("originKeepaliveTimeout", filled=5, allowed=range(1, 121)),
                        *unsupported("ipAddressType", form=TEXT),
                        *unsupported("originMtlsConfig", form=ANYTHING),
                    ),
                ),
                *unsupported("originAccessControlId", form=TEXT),
                *unsupported("originShield", "s3OriginConfig", "vpcOriginConfig", form=ANYTHING),
                *unsupported("responseCompletionTimeout", form=INTEGER),
            ),
            required=True,
        ),
        _config("defaultCacheBehavior", form=Block(*_BEHAVIOR), required=True),
        _config(
            "orderedCacheBehaviors", "CacheBehaviors", CountedBlocks(Field("pathPattern", required=True), *_BEHAVIOR)
        ),
        _config(
            "customErrorResponses",
            form=CountedBlocks(
                Field("errorCode", required=True),
                Field("errorCachingMinTtl", "ErrorCachingMinTTL", INTEGER),
                Field("responseCode", "ResponseCode", _STATUS_TEXT),
                Field("responsePagePath"),
            ),
        ),
        _config(
            "restrictions",
            form=Block(
                Field(
                    "geoRestriction",
                    form=CountedBlock(Field("restrictionType", required=True), Field("locations", "Items", TEXTS)),
                    required=True,
                )
            ),
            required=True,
        ),
        _config(
            "viewerCertificate",
            form=Block(
                Field("acmCertificateArn", "ACMCertificateArn"),
                Field("cloudfrontDefaultCertificate", "CloudFrontDefaultCertificate", BOOLEAN),
                Field("minimumProtocolVersion"),
                Field("sslSupportMethod", "SSLSupportMethod"),
                *unsupported("iamCertificateId", form=TEXT),
            ),
            required=True,
        ),
        Field("retainOnDelete", "", BOOLEAN),
        Field("waitForDeployment", "", BOOLEAN),
        *unsupported("anycastIpListId", "continuousDeploymentPolicyId", form=TEXT),
        *unsupported("cacheTagConfig", "connectionFunctionAssociation", "loggingConfig", form=ANYTHING),
        *unsupported("viewerMtlsConfig", form=ANYTHING),
        *unsupported("originGroups", form=TEXTS),
        *unsupported("staging", form=BOOLEAN),
        Output("arn", "ARN"),
        Output("callerReference", "DistributionConfig.CallerReference"),
        Output("domainName", "DomainName"),
        Output("etag", "ETag", unknown_after_update=True),
        Output("hostedZoneId", "HostedZoneId", filled=ZONE),
        Output("inProgressValidationBatches", "InProgressInvalidationBatches", filled=0),
        Output("lastModifiedTime", "LastModifiedTime", TEXT, unknown_after_update=True),
        Output("loggingV1Enabled", "DistributionConfig.Logging.Enabled", filled=False),
        Output("status", "Status"),
        Output("trustedKeyGroups", "ActiveTrustedKeyGroups", filled=[]),
        Output("trustedSigners", "ActiveTrustedSigners", filled=[]),
    )
    tags = CloudFrontTags("{arn}")
    normalised = frozenset({"origins", "orderedCacheBehaviors", "customErrorResponses"})
    create_call = Call("CreateDistribution", "Distribution.Id")
    identified_by = parameters(Id="{id}")
    read_calls = (Call("GetDistribution", "merge(Distribution, {ETag: ETag})"),)

    def create_request(self, wanted: Values) -> Values:
        """Return the request, with a reference that no other distribution has."""
        request = super().create_request(wanted)
        request["DistributionConfig"]["CallerReference"] = str(uuid.uuid4())
        return request

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Put the whole configuration."""
        now = self.client.get_distribution_config(Id=identity)
        config = self.create_request(wanted)["DistributionConfig"]
        config["CallerReference"] = now["DistributionConfig"]["CallerReference"]
        self.client.update_distribution(Id=identity, IfMatch=now["ETag"], DistributionConfig=given(config))
        super().update(identity, wanted, old)

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        """Disable the distribution, as CloudFront asks, and remove it."""
        now = self.client.get_distribution_config(Id=identity)
        etag, config = now["ETag"], now["DistributionConfig"]
        if config["Enabled"]:
            disabled = {**config, "Enabled": False}
            etag = self.client.update_distribution(Id=identity, IfMatch=etag, DistributionConfig=disabled)["ETag"]
        self.client.delete_distribution(Id=identity, IfMatch=etag)

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse what CloudFront's own reference forbids.

        Source: `CacheBehavior` (TargetOriginId), `DistributionConfig` (WebACLId) and `ViewerCertificate` in the
        CloudFront API Reference.
        """
        broken = []
        origins = {origin["Id"] for origin in items_of(wanted["origins"])}
        for path, behavior in _wanted_behaviors(wanted):
            target = behavior.get("TargetOriginId")
            if UNKNOWN not in (*origins, target) and target not in origins:
                broken.append((f"{path}.targetOriginId", f"NoSuchOrigin: no origin has the id '{target}'"))
        acl = wanted["webAclId"]
        if isinstance(acl, str) and acl and not _WEB_ACL.fullmatch(acl):
            broken.append(("webAclId", f"InvalidWebACLId: '{acl}' is not the ARN of a web ACL of WAFv2 for CloudFront"))
        certificate = wanted["viewerCertificate"]
        if certificate is not UNKNOWN and items_of(wanted["aliases"]) and not certificate.get("ACMCertificateArn"):
            broken.append(("aliases", "InvalidViewerCertificate: alternate domain names need a certificate of ACM"))
        return broken

    def check_references(self, wanted: Values, identity: str) -> None:
        """Refuse names without a certificate or of another distribution, and policies and functions that aren't there.

        Source: errors of `CreateDistribution`, CloudFront API Reference.
        """
        names = items_of(wanted["aliases"])
        self._check_certificate(wanted["viewerCertificate"].get("ACMCertificateArn"), names)
        for other in distributions(self.aws):
            taken = sorted(set(names) & set(items_of(other.get("Aliases"))))
            if other["Id"] != identity and taken:
                raise ResourceRefusedError(
                    "CNAMEAlreadyExists", f"{', '.join(taken)} is an alias of distribution {other['Id']}", "aliases"
                )
        for path, behavior in _wanted_behaviors(wanted):
            self._check_behavior(path, behavior)

    def _check_certificate(self, arn: str | None, names: list[str]) -> None:
        if arn is None:
            return
        where = "viewerCertificate.acmCertificateArn"
        certificate = describe(self.aws, arn) if arn.split(":")[3] == "us-east-1" else None
        reason = unusable(self.aws, certificate) if certificate else "it is not in ACM in us-east-1"
        if certificate is None or reason:
            raise ResourceRefusedError(
                "InvalidViewerCertificate", f"the certificate {arn} can't be used: {reason}", where
            )
        covered = {certificate["DomainName"], *certificate.get("SubjectAlternativeNames", [])}
        missing = [name for name in names if not any(name == entry or covers(entry, name) for entry in covered)]
        if missing:
            raise ResourceRefusedError(
                "InvalidViewerCertificate", f"the certificate {arn} doesn't cover {', '.join(missing)}", where
            )

    def _check_behavior(self, path: str, behavior: Mapping[str, Any]) -> None:
        for member, operation, code in (
            ("CachePolicyId", "get_cache_policy", "NoSuchCachePolicy"),
            ("OriginRequestPolicyId", "get_origin_request_policy", "NoSuchOriginRequestPolicy"),
            ("ResponseHeadersPolicyId", "get_response_headers_policy", "NoSuchResponseHeadersPolicy"),
        ):
            policy = behavior.get(member)
            if policy and or_none(lambda: getattr(self.client, operation)(Id=policy)) is None:  # noqa: B023
                raise ResourceRefusedError(
                    code, f"there is no policy {policy}", f"{path}.{member[0].lower()}{member[1:]}"
                )
        for arn in function_arns(behavior):
            name = arn.rpartition("/")[2]
            if or_none(lambda: self.client.describe_function(Name=name, Stage="LIVE")) is None:  # noqa: B023
                raise ResourceRefusedError(
                    "InvalidFunctionAssociation", f"the function {arn} isn't published", f"{path}.functionAssociations"
                )


def _wanted_behaviors(wanted: Values) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(wanted["defaultCacheBehavior"], Mapping):
        yield "defaultCacheBehavior", wanted["defaultCacheBehavior"]
    for place, behavior in enumerate(items_of(wanted["orderedCacheBehaviors"])):
        yield f"orderedCacheBehaviors[{place}]", behavior
