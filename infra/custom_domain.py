"""The custom domain: its names in API Gateway, each with a certificate that was issued before, and their mappings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi

from infra.cdn import CdnSettings
from infra.cdn_domain import CdnDomain
from infra.domain_names import (
    EXTERNAL,
    ROUTE53,
    check_aliases,
    check_base_path,
    check_domain_name,
    check_names,
    check_provider,
    is_zone_id,
    normal,
)
from infra.external_dns import ExternalDns, Row
from infra.grants import Grant
from infra.hosted_zone import HostedZone
from infra.regional_domain import RegionalDomain, Target
from infra.rules import check, checked_by

BASE_PATH_VARIABLE = "DUALMODE_BASE_PATH"
"""Variable that tells an application the path that it lives below: no event contains it."""


@dataclass(frozen=True, kw_only=True)
class DomainSettings:
    """Which names serve the API, below which path, and where their records are.

    The values are plain ones: each name is part of its resources' names.
    """

    domain_name: str = field(default="", metadata=checked_by(check_domain_name))
    aliases: Sequence[str] = field(default=(), metadata=checked_by(check_aliases))
    base_path: str = field(default="", metadata=checked_by(check_base_path))
    hosted_zone: str = ""
    dns_provider: str = field(default=ROUTE53, metadata=checked_by(check_provider))

    def __post_init__(self) -> None:
        """Checks the settings.

        Raises:
            ConfigError: one has a value that can't work, or two contradict each other.
        """
        check(self)
        zone = self.hosted_zone if is_zone_id(self.hosted_zone) else normal(self.hosted_zone)
        names = [normal(alias) for alias in self.aliases]
        check_names(normal(self.domain_name), names, self.base_path, zone, self.dns_provider)

    @property
    def hosts(self) -> Sequence[str]:
        """All names, the main one first."""
        return tuple(map(normal, (self.domain_name, *self.aliases)))

    @property
    def mapping_key(self) -> str:
        """The base path without slashes around it."""
        return self.base_path.strip("/")

    @property
    def grant(self) -> Grant:
        """What a function is told of the domain: the path that it is below."""
        return Grant(name="domain", variables=variables_of(self.mapping_key))


class CustomDomain(pulumi.ComponentResource):
    """A custom domain for an HTTP API, which is given to `grants` and to `lead_to`.

    Its names are made before the API, which closes its own address only once they are there: a certificate that isn't
    issued closes nothing.

    In another Pulumi program, for an API and a stage that there are already:

        import pulumi
        from infra.custom_domain import CustomDomain, DomainSettings

        config = pulumi.Config()
        domain = CustomDomain("domain", DomainSettings(domain_name="shop.sandbox.test", base_path="v1"))
        url = domain.lead_to(
            api_id=config.require("api"),
            stage_name="$default",
            until_then=config.require("endpoint"),
        )
        pulumi.export("url", url)
    """

    serves: pulumi.Output[bool]
    """Whether nobody needs the API's own address: the names are in API Gateway, and their records are there."""

    dns_records: pulumi.Output[Sequence[Row]] | None
    """The records to create at a provider elsewhere; None if this deployment creates them."""

    def __init__(
        self,
        name: str,
        settings: DomainSettings,
        *,
        cdn: CdnSettings | None = None,
        deployment: str = "",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dualmode:index:CustomDomain", name, None, opts)
        self._settings = settings
        domain = RegionalDomain(name=name, hosts=settings.hosts, parent=self)
        self._dns: CdnDomain | ExternalDns | HostedZone
        self.dns_records = None
        if cdn and cdn.cdn:
            self._dns = CdnDomain(domain, settings.hosted_zone, cdn, deployment)
        elif settings.dns_provider == EXTERNAL:
            self._dns = ExternalDns(domain)
            self.dns_records = self._dns.dns_records
        else:
            self._dns = HostedZone(domain, settings.hosted_zone)
        # CloudFront reaches the API by its own address, with a secret that the runtime asks for.
        self.serves = self._dns.serves.apply(lambda serves: serves and not isinstance(self._dns, CdnDomain))
        self.register_outputs({"serves": self.serves})

    def grants(self, api_endpoint: pulumi.Input[str]) -> list[Grant]:
        """Puts the domain in front of an API, and returns what the API's function gets for that."""
        return [self._dns.front(api_endpoint)] if isinstance(self._dns, CdnDomain) else []

    def lead_to(
        self, *, api_id: pulumi.Input[str], stage_name: pulumi.Input[str], until_then: pulumi.Input[str]
    ) -> pulumi.Output[str]:
        """Leads the domain to a stage and returns its address, or `until_then` as long as it doesn't serve."""
        target = Target(api_id=api_id, stage_name=stage_name, base_path=self._settings.mapping_key)
        url = "/".join(filter(None, (f"https://{self._settings.hosts[0]}", self._settings.mapping_key)))
        made = self._dns.lead_to(target)
        there = self._dns.serves
        return pulumi.Output.all(there, until_then, made).apply(lambda found: url if found[0] else str(found[1]))


def domain_of(settings: DomainSettings, cdn: CdnSettings, deployment: str) -> CustomDomain | None:
    """Makes the deployment's domain, with the CDN if it is set; None without a domain."""
    return CustomDomain("domain", settings, cdn=cdn, deployment=deployment) if settings.domain_name else None


def variables_of(base_path: str) -> dict[str, pulumi.Input[str]]:
    """Returns what tells an application its base path, given without slashes around it."""
    return {BASE_PATH_VARIABLE: f"/{base_path}"} if base_path else {}
