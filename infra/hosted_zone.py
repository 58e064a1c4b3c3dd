"""A domain whose records are in a public Route 53 zone of this account: its proof for a certificate, its addresses."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from infra import public_dns
from infra.domain_names import check_in_zone, is_zone_id, normal, proved_name, zone_of
from infra.regional_domain import RegionalDomain, Target

VALIDATION_TIMEOUT = "20m"
"""How long an `up` waits for a certificate; a delegated zone takes a few minutes."""

VALIDATION_TTL = 60
"""Seconds that resolvers may keep a validation record."""

ADDRESS_KINDS = ("a", "aaaa")
"""Types of the records that lead a name to IPv4 and IPv6 addresses, as the resources are called."""


class HostedZone:
    """Makes a domain's names with one certificate, which an `up` waits for.

    Raises:
        ConfigError: the zone, given by its id, can't hold one of the names.
    """

    serves: pulumi.Output[bool]
    """True, once the names are in API Gateway."""

    def __init__(self, domain: RegionalDomain, hosted_zone: str) -> None:
        self._domain = domain
        by_id = is_zone_id(hosted_zone)
        # Waited for, not an output: names that the zone can't hold are refused before anything is made.
        zone = aws.route53.get_zone(
            zone_id=hosted_zone if by_id else None,
            name=None if by_id else zone_of(domain.hosts[0], hosted_zone),
            private_zone=False,
            opts=pulumi.InvokeOptions(parent=domain.parent),
        )
        check_in_zone(hosted_zone, normal(zone.name), domain.hosts[0], domain.hosts[1:])
        self._zone_id = zone.zone_id
        warning = delegation_warning(normal(zone.name), [normal(server) for server in zone.name_servers])
        if warning:
            pulumi.log.warn(warning)
        certificate_arn = self._issued_certificate()
        self._names = {host: domain.domain_name(host, certificate_arn) for host in domain.hosts}
        self.serves = pulumi.Output.all(*(name.id for name in self._names.values())).apply(lambda _: True)

    def lead_to(self, target: Target) -> pulumi.Output[list[str]]:
        """Leads each name to a stage, and returns the ids of what it made for that."""
        made: list[pulumi.CustomResource] = []
        for host, name in self._names.items():
            made += [self._domain.mapping(host, name, target), *self._addresses(host, name)]
        return pulumi.Output.all(*(resource.id for resource in made))

    def _issued_certificate(self) -> pulumi.Output[str]:
        """Makes one certificate for all names and returns its ARN, which is known only once it is issued."""
        name, hosts, parent = self._domain.name, self._domain.hosts, self._domain.parent
        certificate = aws.acm.Certificate(
            f"{name}-certificate",
            domain_name=hosts[0],
            subject_alternative_names=list(hosts[1:]) or None,
            validation_method="DNS",
            opts=pulumi.ResourceOptions(parent=parent),
        )
        # A wildcard and its parent share one validation record: one record for each name, not for each option.
        proved = {proved_name(host): host for host in reversed(hosts)}
        records = [self._validation_record(certificate, proof, host) for proof, host in proved.items()]
        validation = aws.acm.CertificateValidation(
            f"{name}-validated",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn for record in records],
            opts=pulumi.ResourceOptions(
                parent=parent, custom_timeouts=pulumi.CustomTimeouts(create=VALIDATION_TIMEOUT)
            ),
        )
        # The validation's ARN, not the certificate's: API Gateway refuses a certificate that isn't issued yet.
        return validation.certificate_arn

    def _validation_record(self, certificate: aws.acm.Certificate, proved: str, host: str) -> aws.route53.Record:
        option = certificate.domain_validation_options.apply(
            lambda options: next(option for option in options if proved_name(option.domain_name or "") == proved)
        )
        return aws.route53.Record(
            f"{self._domain.name}-validation-{proved}",
            zone_id=self._zone_id,
            name=option.resource_record_name,
            type=option.resource_record_type,
            records=[option.resource_record_value],
            ttl=VALIDATION_TTL,
            # Every certificate of this account for this name has the same record: it may be there already, and
            # without it the others would not be renewed.
            allow_overwrite=True,
            opts=pulumi.ResourceOptions.merge(
                self._domain.options(host, "validation"), pulumi.ResourceOptions(retain_on_delete=True)
            ),
        )

    def _addresses(self, host: str, name: aws.apigatewayv2.DomainName) -> list[aws.route53.Record]:
        """Leads a name to API Gateway, for both kinds of address."""
        target = name.domain_name_configuration
        return [
            aws.route53.Record(
                f"{self._domain.name}-{kind}-{host}",
                zone_id=self._zone_id,
                name=host,
                type=kind.upper(),
                aliases=[
                    aws.route53.RecordAliasArgs(
                        name=target.target_domain_name,
                        zone_id=target.hosted_zone_id,
                        evaluate_target_health=False,
                    )
                ],
                opts=self._domain.options(host, kind),
            )
            for kind in ADDRESS_KINDS
        ]


def delegation_warning(zone: str, servers: Sequence[str]) -> str:
    """Returns the sentence that says why no certificate will be issued, if DNS uses other servers than the zone's.

    Without an answer from DNS there is nothing to say.
    """
    found = public_dns.ask(zone, "NS")
    if found is None:
        return ""
    named = sorted(record.value for record in found if record.type == "NS")
    if set(named) & set(servers):
        return ""
    has = f"names {', '.join(named)} for it" if named else "names no servers for it"
    return (
        f"DNS doesn't use the zone {zone} of this account, so no certificate can be issued: DNS {has}, and the zone's "
        f"are {', '.join(sorted(servers))}; set these where {zone} is registered, or as an NS record in the zone above "
        "it, or set hostedZone to the zone that is used."
    )
