"""A domain whose records are in a public Route 53 zone of this account, and lead to API Gateway."""

from __future__ import annotations

import pulumi

from infra.regional_domain import RegionalDomain, Target
from infra.zone import Zone


class HostedZone:
    """Makes a domain's names with one certificate, which an `up` waits for.

    Raises:
        ConfigError: the zone, given by its id, can't hold one of the names.
    """

    serves: pulumi.Output[bool]
    """True, once the names are in API Gateway."""

    def __init__(self, domain: RegionalDomain, hosted_zone: str) -> None:
        self._domain = domain
        self._zone = Zone(domain, hosted_zone)
        certificate_arn = self._zone.issued_certificate()
        self._names = {host: domain.domain_name(host, certificate_arn) for host in domain.hosts}
        self.serves = pulumi.Output.all(*(name.id for name in self._names.values())).apply(lambda _: True)

    def lead_to(self, target: Target) -> pulumi.Output[list[str]]:
        """Leads each name to a stage, and returns the ids of what it made for that."""
        made: list[pulumi.CustomResource] = []
        for host, name in self._names.items():
            regional = name.domain_name_configuration
            mapping = self._domain.mapping(host, name, target)
            # A name that led to CloudFront leads here only once it is answered here.
            addresses = self._zone.addresses(
                host, regional.target_domain_name, regional.hosted_zone_id, after=[mapping]
            )
            made += [mapping, *addresses]
        return pulumi.Output.all(*(resource.id for resource in made))
