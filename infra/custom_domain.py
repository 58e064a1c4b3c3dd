"""The custom domain: a certificate that is validated before use, the domain, its mapping and its addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra.rules import check, checked_by, refuse

VALIDATION_TIMEOUT = "20m"
"""How long an `up` waits for a certificate; a delegated zone takes a few minutes."""

VALIDATION_TTL = 60
"""Seconds that resolvers may keep a validation record."""

ADDRESS_TYPES = ("A", "AAAA")

DOMAIN = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
"""Domain names of two labels or more, the first of which may be `*`. Source: RFC 1123, section 2.1."""

LONGEST_DOMAIN = 64
"""Characters that the first name of a certificate may have.

Source: `RequestCertificate`, AWS Certificate Manager API Reference.
"""


def check_domain_name(key: str, given: str) -> None:
    """A domain must have a syntax and length that a certificate allows."""
    name = normal(given)
    if name and not DOMAIN.fullmatch(name):
        refuse(key, given, "that is not a domain name", "set a name such as api.example.com, in ASCII")
    if len(name) > LONGEST_DOMAIN:
        refuse(key, given, f"a certificate's name has {LONGEST_DOMAIN} characters at most", "set a shorter one")


@dataclass(frozen=True, kw_only=True)
class DomainSettings:
    """Which domain serves the API, and which public Route 53 zone holds it."""

    domain_name: pulumi.Input[str] = field(default="", metadata=checked_by(check_domain_name))
    hosted_zone: pulumi.Input[str] = ""

    def __post_init__(self) -> None:
        """Checks the settings that are already known.

        Raises:
            ConfigError: the domain is not a domain name, or the zone can't hold it.
        """
        check(self)
        if isinstance(self.domain_name, str) and isinstance(self.hosted_zone, str):
            check_zone(normal(self.domain_name), normal(self.hosted_zone))


class CustomDomain(pulumi.ComponentResource):
    """A custom domain for an HTTP API."""

    url: pulumi.Output[str]
    """`https://<domain>`, once its addresses and its mapping exist."""

    def __init__(
        self,
        name: str,
        settings: DomainSettings,
        *,
        api_id: pulumi.Input[str],
        stage_name: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dualmode:index:CustomDomain", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        domain_name = pulumi.Output.from_input(settings.domain_name).apply(normal)
        zone_name = pulumi.Output.all(domain_name, settings.hosted_zone).apply(lambda names: zone_of(*names))
        zone = aws.route53.get_zone_output(
            name=zone_name, private_zone=False, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        certificate = aws.acm.Certificate(
            f"{name}-certificate", domain_name=domain_name, validation_method="DNS", opts=child
        )
        # A wildcard and its parent share one validation record: one record for each name, not for each option.
        proof = certificate.domain_validation_options[0]
        record = aws.route53.Record(
            f"{name}-validation",
            zone_id=zone.zone_id,
            name=proof.resource_record_name,
            type=proof.resource_record_type,
            records=[proof.resource_record_value],
            ttl=VALIDATION_TTL,
            # Any other certificate in this account for this domain has the same record.
            allow_overwrite=True,
            opts=child,
        )
        validation = aws.acm.CertificateValidation(
            f"{name}-validated",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn],
            opts=pulumi.ResourceOptions(parent=self, custom_timeouts=pulumi.CustomTimeouts(create=VALIDATION_TIMEOUT)),
        )
        domain = aws.apigatewayv2.DomainName(
            f"{name}-domain",
            domain_name=domain_name,
            domain_name_configuration=aws.apigatewayv2.DomainNameDomainNameConfigurationArgs(
                # The validation's ARN, not the certificate's: API Gateway refuses a certificate that isn't issued yet.
                certificate_arn=validation.certificate_arn,
                endpoint_type="REGIONAL",
                security_policy="TLS_1_2",
                ip_address_type="dualstack",
            ),
            opts=child,
        )
        mapping = aws.apigatewayv2.ApiMapping(
            f"{name}-mapping", api_id=api_id, domain_name=domain.id, stage=stage_name, opts=child
        )
        target = domain.domain_name_configuration
        addresses = [
            aws.route53.Record(
                f"{name}-{address_type.lower()}",
                zone_id=zone.zone_id,
                name=domain_name,
                type=address_type,
                aliases=[
                    aws.route53.RecordAliasArgs(
                        name=target.target_domain_name,
                        zone_id=target.hosted_zone_id,
                        evaluate_target_health=False,
                    )
                ],
                opts=child,
            )
            for address_type in ADDRESS_TYPES
        ]
        ready = pulumi.Output.all(domain_name, mapping.id, *(address.id for address in addresses))
        self.url = ready.apply(lambda values: f"https://{values[0]}")
        self.register_outputs({"url": self.url})


def check_zone(domain_name: str, hosted_zone: str) -> None:
    """Refuses a zone that can't hold the domain.

    Raises:
        ConfigError: there is no domain, or its name doesn't end in the zone's name.
    """
    if hosted_zone and not domain_name:
        refuse(
            "hostedZone",
            hosted_zone,
            "it is the zone of domainName, and domainName is not set",
            "set domainName as well",
        )
    if hosted_zone and domain_name != hosted_zone and not domain_name.endswith(f".{hosted_zone}"):
        refuse(
            "hostedZone",
            hosted_zone,
            f"domainName {domain_name} does not end with it",
            "set the zone that the domain belongs to",
        )


def zone_of(domain_name: str, hosted_zone: str) -> str:
    """Returns the zone that holds a domain: the one given, or its parent, or itself if it has two labels."""
    if hosted_zone:
        return normal(hosted_zone)
    return domain_name.split(".", 1)[1] if domain_name.count(".") > 1 else domain_name


def normal(name: str) -> str:
    """Returns a domain name as AWS writes it: in lower case, without a dot at the end."""
    return name.rstrip(".").lower()
