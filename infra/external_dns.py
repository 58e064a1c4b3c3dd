"""A domain whose records are at a provider elsewhere: which ones to create there, and how far that has come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import pulumi
import pulumi_aws as aws

from infra import public_dns
from infra.regional_domain import RegionalDomain, Target

NOT_ISSUED = ("PENDING_VALIDATION", "VALIDATION_TIMED_OUT", "FAILED")
"""Statuses of a certificate that was never issued: one that has expired stays where it is.

Source: `CertificateDetail`, AWS Certificate Manager API Reference.
"""

Row = Mapping[str, str]
"""A record to create: its `name`, `type` and `value`."""

Part = TypeVar("Part")
Made = TypeVar("Made")


class ExternalDns:
    """Makes a domain's names, each one by the first `up` that finds its certificate issued; none of them waits.

    Each name has a certificate of its own: a name that is added then leaves the others as they are.
    """

    serves: pulumi.Output[bool]
    """Whether the main name is in API Gateway and DNS is seen to lead there."""

    dns_records: pulumi.Output[Sequence[Row]]
    """All records that the domain needs, as far as they are known."""

    def __init__(self, domain: RegionalDomain) -> None:
        self._domain = domain
        child = pulumi.ResourceOptions(parent=domain.parent)
        certificates = {
            host: aws.acm.Certificate(
                f"{domain.name}-certificate-{host}", domain_name=host, validation_method="DNS", opts=child
            )
            for host in domain.hosts
        }
        self._names = {host: self._once_issued(host, certificate) for host, certificate in certificates.items()}
        targets = pulumi.Output.all(
            **{
                host: once(name, lambda made: made.domain_name_configuration.target_domain_name)
                for host, name in self._names.items()
            }
        )
        led = targets.apply(lambda found: {host: leads(host, target) for host, target in found.items()})
        self.serves = led.apply(lambda found: found[domain.hosts[0]])
        proofs = pulumi.Output.all(*(each.domain_validation_options.apply(proof) for each in certificates.values()))
        self.dns_records = pulumi.Output.all(proofs, targets).apply(lambda found: rows(*found))
        pulumi.Output.all(led, self.dns_records).apply(lambda found: show(*found))

    def lead_to(self, target: Target) -> pulumi.Output[list[str | None]]:
        """Leads the names that there are to a stage, and returns the ids of what it made for that."""
        return pulumi.Output.all(
            *(
                once(name, lambda made, host=host: self._domain.mapping(host, made, target).id)  # type: ignore[misc]
                for host, name in self._names.items()
            )
        )

    def _once_issued(
        self, host: str, certificate: aws.acm.Certificate
    ) -> pulumi.Output[aws.apigatewayv2.DomainName | None]:
        # Read anew by each `up`: the status in the state is that of a certificate that was just requested.
        now = aws.acm.Certificate.get(
            f"{self._domain.name}-issued-{host}",
            certificate.arn,
            opts=pulumi.ResourceOptions(parent=self._domain.parent),
        )
        pulumi.Output.all(now.status, certificate.urn).apply(lambda found: warn_of(host, *found))
        return now.status.apply(
            lambda status: None if status in NOT_ISSUED else self._domain.domain_name(host, certificate.arn)
        )


def once(part: pulumi.Output[Part | None], make: Callable[[Part], Made]) -> pulumi.Output[Made | None]:
    """Returns what is made of a part that may not be there yet."""
    return part.apply(lambda found: None if found is None else make(found))


def proof(options: Sequence[aws.acm.outputs.CertificateDomainValidationOption]) -> Row:
    """Returns the record that proves a certificate's one name to ACM."""
    (option,) = options
    return row(option.resource_record_name, option.resource_record_type, option.resource_record_value)


def rows(proofs: Sequence[Row], targets: Mapping[str, str | None]) -> list[Row]:
    """Returns the records of a domain: those that prove its names to ACM, then those that lead them to API Gateway.

    A wildcard and its parent share one proof.
    """
    addresses = [row(host, address_type(host), target) for host, target in targets.items() if target]
    return [*{each["name"]: each for each in proofs}.values(), *addresses]


def row(name: str | None, record_type: str | None, value: str | None) -> Row:
    """Returns a record to create, its names without a dot at the end."""
    return {"name": (name or "").rstrip("."), "type": record_type or "", "value": (value or "").rstrip(".")}


def address_type(host: str) -> str:
    """Returns the type of the record that leads a name to API Gateway's.

    A CNAME can't be at the top of a zone (RFC 1034, section 3.6.2): providers have ALIAS, ANAME or the like for that.
    """
    return "CNAME" if host.count(".") > 1 else "ALIAS"


def leads(host: str, target: str | None) -> bool:
    """Says whether DNS is seen to lead a name to its target; without an answer from DNS, it isn't."""
    return target is not None and public_dns.leads_to(host, target)


def warn_of(host: str, status: str, urn: str) -> None:
    """Warns of a certificate that ACM has given up."""
    if status in NOT_ISSUED[1:]:
        pulumi.log.warn(
            f"The certificate of {host} is {status} and will not be issued: once its records are there, request "
            f"another one by `pulumi up --replace {urn}`."
        )


def show(led: Mapping[str, bool], records: Sequence[Row]) -> None:
    """Shows the records, as long as a name isn't seen to lead to API Gateway."""
    missing = [host for host, there in led.items() if not there]
    if missing and not pulumi.runtime.is_dry_run():
        pulumi.log.info(
            f"DNS doesn't lead {', '.join(missing)} to API Gateway yet: create these records at your DNS provider, "
            f"then run `pulumi up` again.\n{table(records)}"
        )


def table(records: Sequence[Row]) -> str:
    """Returns records as lines with aligned columns."""
    widths = {column: max(len(record[column]) for record in records) for column in ("name", "type")}
    return "\n".join(
        f"{record['name']:{widths['name']}}  {record['type']:{widths['type']}}  {record['value']}" for record in records
    )
