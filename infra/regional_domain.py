"""What API Gateway has for each name of a domain: the name itself, and the mapping that leads it to a stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class Target:
    """The stage that a domain's requests go to, and the path that they begin with, or ""."""

    api_id: pulumi.Input[str]
    stage_name: pulumi.Input[str]
    base_path: str


@dataclass(frozen=True, kw_only=True)
class RegionalDomain:
    """The names of a domain, the main one first; what it makes are children of the component `parent`.

    The resources' names contain the domain's: a name that becomes the main one, or no longer is, stays as it is.
    """

    name: str
    hosts: Sequence[str]
    parent: pulumi.Resource

    def domain_name(self, host: str, certificate_arn: pulumi.Input[str]) -> aws.apigatewayv2.DomainName:
        """Makes a name that API Gateway answers for; `*.example.com` takes all names one label below example.com."""
        return aws.apigatewayv2.DomainName(
            f"{self.name}-domain-{host}",
            domain_name=host,
            domain_name_configuration=aws.apigatewayv2.DomainNameDomainNameConfigurationArgs(
                certificate_arn=certificate_arn,
                endpoint_type="REGIONAL",
                security_policy="TLS_1_2",
                ip_address_type="dualstack",
            ),
            opts=self.options(host, "domain"),
        )

    def mapping(self, host: str, domain: aws.apigatewayv2.DomainName, target: Target) -> aws.apigatewayv2.ApiMapping:
        """Leads the requests of a name to a stage."""
        return aws.apigatewayv2.ApiMapping(
            f"{self.name}-mapping-{host}",
            api_id=target.api_id,
            domain_name=domain.id,
            stage=target.stage_name,
            api_mapping_key=target.base_path or None,
            opts=self.options(host, "mapping"),
        )

    def options(self, host: str, kind: str) -> pulumi.ResourceOptions:
        """Returns the options of a resource that each name has one of.

        The main name's was called only by its kind when a domain had one name: it must not be made again.
        """
        earlier = [pulumi.Alias(name=f"{self.name}-{kind}")] if host == self.hosts[0] else None
        return pulumi.ResourceOptions(parent=self.parent, aliases=earlier)
