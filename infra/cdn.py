"""CloudFront in front of an HTTP API: static files from its caches, an AWS WAF if there is one, no way around it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra.cdn_secret import CdnSecret
from infra.domain_names import EXTERNAL, ROUTE53
from infra.grants import Grant
from infra.rules import at_least, check, checked_by, refuse
from infra.secrets import PLACE_OF, read_statements

REGION = "us-east-1"
"""Where CloudFront's certificates and web ACLs are, whatever the region of the rest.

Source: "Requirements for using SSL/TLS certificates with CloudFront", CloudFront Developer Guide.
"""

WEB_ACL = re.compile(rf"arn:aws:wafv2:{REGION}:[0-9]{{12}}:global/webacl/[A-Za-z0-9_-]{{1,128}}/[0-9a-f-]{{36}}")
"""ARNs of web ACLs for CloudFront. Source: `AssociateWebACL` and `CreateWebACL`, AWS WAFV2 API Reference."""

VARIABLE = "DUALMODE_CDN_SECRETS"
"""Variable with the values of the secret header that the runtime accepts."""

SECRET_HEADER = "x-dualmode-cdn"  # noqa: S105  its name
HOST_HEADER = "x-forwarded-host"

VIEWER_REQUEST = f"""\
function handler(event) {{
  var request = event.request;
  request.headers['{HOST_HEADER}'] = {{value: request.headers.host.value}};
  request.headers['x-dualmode-client'] = {{value: event.viewer.ip}};
  return request;
}}
"""
"""Keeps the name that a client asked for, and its address: the API gets its own name, and CloudFront's address.

The API would answer 403 to another name than its own. Source: "How origin request policies and cache policies work
together" and "CloudFront Functions event structure", CloudFront Developer Guide.
"""

# Source of the ids: "Use managed cache policies" and "Use managed origin request policies", CloudFront Developer Guide.
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER_EXCEPT_HOST_HEADER = "b689b0a8-53d0-40ab-baf2-68738e2966ac"

STATIC_PATHS = "/static/*"
"""Where Flask, and most applications, have their files."""

METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE")

LONGEST_AGE = 31_536_000
"""Seconds that a file is cached at most, a year."""

ORIGIN_TIMEOUT = 35
"""Seconds that CloudFront waits for the API, which always answers within 30 s."""

ERROR_CODES = (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)
"""Statuses that CloudFront keeps for ten seconds unless it is told not to, and for other clients too.

Without that, what one client may not see, or what failed once, is the answer to the next one.
Source: "How CloudFront caches HTTP 4xx and 5xx status codes from your origin", CloudFront Developer Guide.
"""


def check_web_acl(key: str, given: str) -> None:
    """A web ACL must be one for CloudFront."""
    if given and not WEB_ACL.fullmatch(given):
        rule = f"CloudFront takes the ARN of a web ACL of WAFv2 with the scope CLOUDFRONT, which is in {REGION}"
        refuse(key, given, rule, f"set arn:aws:wafv2:{REGION}:ACCOUNT:global/webacl/NAME/ID")


@dataclass(frozen=True, kw_only=True)
class CdnSettings:
    """Whether CloudFront is in front of the API, with which web ACL, and how often its secret was changed."""

    cdn: bool = False
    web_acl_arn: str = field(default="", metadata=checked_by(check_web_acl))
    cdn_rotation: int = field(default=0, metadata=checked_by(at_least(0, "it counts how often the secret was changed")))

    def __post_init__(self) -> None:
        """Checks the settings.

        Raises:
            ConfigError: one has a value that can't work, or is for a CDN that isn't there.
        """
        check(self)
        if not self.cdn and self.web_acl_arn:
            refuse("webAclArn", self.web_acl_arn, "it protects the CDN, and cdn is not set", "set cdn to true as well")
        if not self.cdn and self.cdn_rotation:
            rule = "it changes the secret of the CDN, and cdn is not set"
            refuse("cdnRotation", self.cdn_rotation, rule, "set cdn to true as well")


def check_domain(domain_name: str, base_path: str, dns_provider: str) -> None:
    """Refuses a CDN for a domain that can't lead to it.

    Raises:
        ConfigError: there is no domain, its records are elsewhere, or it serves a part of it only.
    """
    if not domain_name:
        rule = "its certificate and its addresses are those of domainName, and domainName is not set"
        refuse("cdn", True, rule, "set domainName as well")
    if dns_provider == EXTERNAL:
        rule = f"dnsProvider is {EXTERNAL}, and CloudFront needs a certificate that this deployment waits for"
        refuse("cdn", True, rule, f"set dnsProvider to {ROUTE53}, or remove cdn")
    if base_path:
        refuse("cdn", True, "CloudFront serves the whole domain, and basePath is set", "remove one of the two")


class Cdn(pulumi.ComponentResource):
    """A distribution for some names, whose requests the API's function takes and no others.

    The function gets its grant last: it takes direct requests until the distribution is there.

    In another Pulumi program, for an API and an issued certificate that there are already, the latter in us-east-1:

        import pulumi
        from infra.cdn import Cdn, CdnSettings

        config = pulumi.Config()
        cdn = Cdn(
            "cdn",
            CdnSettings(cdn=True),
            deployment="shop",
            hosts=["shop.sandbox.test"],
            certificate_arn=config.require("certificate"),
            api_endpoint=config.require("endpoint"),
        )
        pulumi.export("address", cdn.domain_name)

    `cdn.grant` is for the function behind the API, and the record of the name is an alias of `cdn.domain_name`.
    """

    domain_name: pulumi.Output[str]
    hosted_zone_id: pulumi.Output[str]
    """CloudFront's zone, for alias records."""

    grant: Grant

    def __init__(
        self,
        name: str,
        settings: CdnSettings,
        *,
        deployment: str,
        hosts: Sequence[str],
        certificate_arn: pulumi.Input[str],
        api_endpoint: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dualmode:index:Cdn", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        secret = CdnSecret(name, deployment=deployment, rotation=settings.cdn_rotation, parent=self)
        function = aws.cloudfront.Function(
            f"{name}-viewer-request",
            name=deployment,
            runtime="cloudfront-js-2.0",
            code=VIEWER_REQUEST,
            publish=True,
            opts=child,
        )
        static = aws.cloudfront.CachePolicy(
            f"{name}-static",
            name=f"{deployment}-static",
            comment="As long as Cache-Control says",
            min_ttl=0,
            default_ttl=0,
            max_ttl=LONGEST_AGE,
            parameters_in_cache_key_and_forwarded_to_origin=_cache_key(),
            opts=child,
        )
        viewer_request = aws.cloudfront.DistributionDefaultCacheBehaviorFunctionAssociationArgs(
            event_type="viewer-request", function_arn=function.arn
        )
        distribution = aws.cloudfront.Distribution(
            f"{name}-distribution",
            comment=deployment,
            enabled=True,
            aliases=list(hosts),
            is_ipv6_enabled=True,
            http_version="http2and3",
            price_class="PriceClass_All",
            web_acl_id=settings.web_acl_arn or None,
            origins=[
                aws.cloudfront.DistributionOriginArgs(
                    origin_id="api",
                    domain_name=pulumi.Output.from_input(api_endpoint).apply(lambda url: url.partition("://")[2]),
                    custom_headers=[
                        aws.cloudfront.DistributionOriginCustomHeaderArgs(name=SECRET_HEADER, value=secret.sent)
                    ],
                    custom_origin_config=aws.cloudfront.DistributionOriginCustomOriginConfigArgs(
                        http_port=80,
                        https_port=443,
                        origin_protocol_policy="https-only",
                        origin_ssl_protocols=["TLSv1.2"],
                        origin_read_timeout=ORIGIN_TIMEOUT,
                    ),
                )
            ],
            default_cache_behavior=aws.cloudfront.DistributionDefaultCacheBehaviorArgs(
                target_origin_id="api",
                viewer_protocol_policy="redirect-to-https",
                allowed_methods=list(METHODS),
                cached_methods=["GET", "HEAD"],
                compress=True,
                cache_policy_id=CACHING_DISABLED,
                origin_request_policy_id=ALL_VIEWER_EXCEPT_HOST_HEADER,
                function_associations=[viewer_request],
            ),
            ordered_cache_behaviors=[
                # Without an origin request policy: what is kept for all clients is made without one's cookies.
                aws.cloudfront.DistributionOrderedCacheBehaviorArgs(
                    path_pattern=STATIC_PATHS,
                    target_origin_id="api",
                    viewer_protocol_policy="redirect-to-https",
                    allowed_methods=["GET", "HEAD", "OPTIONS"],
                    cached_methods=["GET", "HEAD"],
                    compress=True,
                    cache_policy_id=static.id,
                    function_associations=[
                        aws.cloudfront.DistributionOrderedCacheBehaviorFunctionAssociationArgs(
                            event_type="viewer-request", function_arn=function.arn
                        )
                    ],
                )
            ],
            custom_error_responses=[
                aws.cloudfront.DistributionCustomErrorResponseArgs(error_code=code, error_caching_min_ttl=0)
                for code in ERROR_CODES
            ],
            restrictions=aws.cloudfront.DistributionRestrictionsArgs(
                geo_restriction=aws.cloudfront.DistributionRestrictionsGeoRestrictionArgs(restriction_type="none")
            ),
            viewer_certificate=aws.cloudfront.DistributionViewerCertificateArgs(
                acm_certificate_arn=certificate_arn,
                ssl_support_method="sni-only",
                minimum_protocol_version="TLSv1.2_2021",
            ),
            opts=child,
        )
        self.domain_name = distribution.domain_name
        self.hosted_zone_id = distribution.hosted_zone_id
        place = pulumi.Output.all(secret.parameter.name, distribution.id).apply(lambda found: f"ssm:{found[0]}")
        self.grant = Grant(
            name=name,
            statements=secret.parameter.arn.apply(lambda arn: read_statements([arn])),
            variables={f"{PLACE_OF}{VARIABLE}": place},
        )
        self.register_outputs({"domain_name": self.domain_name})


def _cache_key() -> aws.cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginArgs:
    """Returns what files differ by: name, path and query.

    The managed policies that follow Cache-Control have Host in the key, so the API would get it, and answer 403.
    """
    return aws.cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginArgs(
        enable_accept_encoding_brotli=True,
        enable_accept_encoding_gzip=True,
        headers_config=aws.cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginHeadersConfigArgs(
            header_behavior="whitelist",
            headers=aws.cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginHeadersConfigHeadersArgs(
                items=[HOST_HEADER]
            ),
        ),
        cookies_config=aws.cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginCookiesConfigArgs(
            cookie_behavior="none"
        ),
        query_strings_config=aws.cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginQueryStringsConfigArgs(
            query_string_behavior="all"
        ),
    )
