"""A public Route 53 zone of this account: it proves a domain's certificate, and holds its addresses."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from infra import public_dns
from infra.domain_names import check_in_zone, is_zone_id, normal, proved_name, zone_of
from infra.regional_domain import RegionalDomain

VALIDATION_TIMEOUT = "20m"
"""How long an `up` waits for a certificate; a delegated zone takes a few minutes."""

VALIDATION_TTL = 60
"""Seconds that resolvers may keep a validation record."""

ADDRESS_KINDS = ("a", "aaaa")
"""Types of the records that lead a name to IPv4 and IPv6 addresses, as the resources are called."""


class Zone:
    """The zone that holds a domain's names.

    Raises:
        ConfigError: the zone, given by its id, can't hold one of the names.
    """

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

    def issued_certificate(self, kind: str = "", region: str | None = None) -> pulumi.Output[str]:
        """Makes one certificate for all names and returns its ARN, which is known only once it is issued.

        `kind` is part of its name; without a `region`, it is in the deployment's own.
        """
        name, hosts, parent = self._domain.name, self._domain.hosts, self._domain.parent
        certificate = aws.acm.Certificate(
            f"{name}-{kind}certificate",
            region=region,
            domain_name=hosts[0],
            subject_alternative_names=list(hosts[1:]) or None,
            validation_method="DNS",
            opts=pulumi.ResourceOptions(parent=parent),
        )
        # A wildcard and its parent share one validation record: one record for each name, not for each option.
        proved = {proved_name(host): host for host in reversed(hosts)}
        records = [self._validation_record(certificate, proof, host) for proof, host in proved.items()]
        validation = aws.acm.CertificateValidation(
            f"{name}-{kind}validated",
            region=region,
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

    def addresses(
        self,
        host: str,
        target: pulumi.Input[str],
        target_zone: pulumi.Input[str],
        *,
        after: Sequence[pulumi.Resource] = (),
    ) -> list[aws.route53.Record]:
        """Leads a name to another one of AWS's, for both kinds of address, once `after` is there."""
        return [
            aws.route53.Record(
                f"{self._domain.name}-{kind}-{host}",
                zone_id=self._zone_id,
                name=host,
                type=kind.upper(),
                aliases=[
                    aws.route53.RecordAliasArgs(
                        name=target,
                        zone_id=target_zone,
                        evaluate_target_health=False,
                    )
                ],
                opts=pulumi.ResourceOptions.merge(
                    self._domain.options(host, kind), pulumi.ResourceOptions(depends_on=list(after))
                ),
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
