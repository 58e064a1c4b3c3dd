"""The custom domain: a certificate that is validated before use, the domain, its mapping and its addresses."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

VALIDATION_TIMEOUT = "20m"
"""How long an `up` waits for a certificate; a delegated zone takes a few minutes."""

VALIDATION_TTL = 60
"""Seconds that resolvers may keep a validation record."""

ADDRESS_TYPES = ("A", "AAAA")


@dataclass(frozen=True, kw_only=True)
class CustomDomainArgs:
    """Which domain, in which public Route 53 zone, leads to which stage of which API."""

    domain_name: str
    hosted_zone: str
    api_id: pulumi.Input[str]
    stage_name: pulumi.Input[str]


class CustomDomain(pulumi.ComponentResource):
    """A domain of one's own for an HTTP API."""

    url: pulumi.Output[str]
    """`https://<domain>`, once its addresses and its mapping exist."""

    def __init__(self, name: str, args: CustomDomainArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dualmode:index:CustomDomain", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        zone = aws.route53.get_zone_output(
            name=args.hosted_zone, private_zone=False, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        certificate = aws.acm.Certificate(
            f"{name}-certificate", domain_name=args.domain_name, validation_method="DNS", opts=child
        )
        # A wildcard and its parent are validated by one and the same record: one record for each name, not each option.
        proof = certificate.domain_validation_options[0]
        record = aws.route53.Record(
            f"{name}-validation",
            zone_id=zone.zone_id,
            name=proof.resource_record_name,
            type=proof.resource_record_type,
            records=[proof.resource_record_value],
            ttl=VALIDATION_TTL,
            # Any other certificate of this account for this domain has the very same record.
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
            domain_name=args.domain_name,
            domain_name_configuration=aws.apigatewayv2.DomainNameDomainNameConfigurationArgs(
                # The validation's, not the certificate's own: API Gateway refuses one that isn't issued yet.
                certificate_arn=validation.certificate_arn,
                endpoint_type="REGIONAL",
                security_policy="TLS_1_2",
                ip_address_type="dualstack",
            ),
            opts=child,
        )
        mapping = aws.apigatewayv2.ApiMapping(
            f"{name}-mapping", api_id=args.api_id, domain_name=domain.id, stage=args.stage_name, opts=child
        )
        target = domain.domain_name_configuration
        addresses = [
            aws.route53.Record(
                f"{name}-{address_type.lower()}",
                zone_id=zone.zone_id,
                name=args.domain_name,
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
        ready = pulumi.Output.all(mapping.id, *(address.id for address in addresses))
        self.url = ready.apply(lambda _: f"https://{args.domain_name}")
        self.register_outputs({"url": self.url})
