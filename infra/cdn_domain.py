"""A domain whose names lead to CloudFront, with one certificate in CloudFront's region."""

from __future__ import annotations

from dataclasses import replace

import pulumi

from infra.cdn import REGION, Cdn, CdnSettings
from infra.grants import Grant
from infra.regional_domain import RegionalDomain, Target
from infra.zone import Zone


class CdnDomain:
    """Leads a domain's names to a distribution, which an API is given to by `front`."""

    serves: pulumi.Output[bool]
    """True, once the names lead to CloudFront."""

    def __init__(self, domain: RegionalDomain, hosted_zone: str, settings: CdnSettings, deployment: str) -> None:
        self._domain = domain
        self._settings = settings
        self._deployment = deployment
        self._zone = Zone(domain, hosted_zone)
        self._certificate_arn = self._zone.issued_certificate("cdn-", region=REGION)
        self.serves = pulumi.Output.from_input(True)

    def front(self, api_endpoint: pulumi.Input[str]) -> Grant:
        """Puts CloudFront in front of an API, leads the names there, and returns what the API's function gets."""
        cdn = Cdn(
            "cdn",
            self._settings,
            deployment=self._deployment,
            hosts=self._domain.hosts,
            certificate_arn=self._certificate_arn,
            api_endpoint=api_endpoint,
            opts=pulumi.ResourceOptions(parent=self._domain.parent),
        )
        self._records = [
            record
            for host in self._domain.hosts
            for record in self._zone.addresses(host, cdn.domain_name, cdn.hosted_zone_id)
        ]
        # The function refuses other requests only once the names lead to CloudFront.
        led = pulumi.Output.all(*(record.id for record in self._records))
        variables = {
            name: pulumi.Output.all(place, led).apply(lambda found: str(found[0]))
            for name, place in cdn.grant.variables.items()
        }
        return replace(cdn.grant, variables=variables)

    def lead_to(self, target: Target) -> pulumi.Output[list[str]]:
        """Returns the ids of the records: CloudFront's origin is the API's own address, and its default stage."""
        return pulumi.Output.all(*(record.id for record in self._records))
