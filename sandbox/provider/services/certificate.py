"""Certificate Manager: certificates, and their validation by DNS.

Source: hashicorp/terraform-provider-aws, internal/service/acm/{certificate,certificate_validation}.go.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.provider.aws import Aws, Values
from sandbox.provider.blocks import Block, Blocks
from sandbox.provider.call import Call, given, parameters
from sandbox.provider.distributions import distributions_with
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.forms import INTEGER, TEXT, TEXTS
from sandbox.provider.refusals import ResourceRefusedError, or_none
from sandbox.provider.resource_type import ResourceType
from sandbox.provider.tags import Tags
from sandbox.provider.zones import find_record

_ISSUING = 60.0  # ACM's minimal time in seconds from the record to the certificate; the emulator needs none
_PATIENCE = 3.0  # seconds; the record may be created at the same time as the validation that waits for it


class Certificate(ResourceType):
    """`aws.acm.Certificate`, requested from ACM and validated by DNS or e-mail."""

    pulumi_type = "aws:acm/certificate:Certificate"
    service = "acm"
    fields = (
        Field("domainName", required=True),
        Field("validationMethod", required=True, echoed=True, filled="DNS"),
        "subjectAlternativeNames",
        Field(
            "validationOptions",
            "DomainValidationOptions",
            Blocks(Field("domainName", required=True), Field("validationDomain", required=True)),
            answer="ValidationOptions",
            echoed=True,
        ),
        Field("keyAlgorithm", filled="RSA_2048"),
        Field(
            "options",
            form=Block(
                Field("certificateTransparencyLoggingPreference", filled="ENABLED"), Field("export", filled="DISABLED")
            ),
            filled={},
        ),
        *unsupported(
            "certificateAuthorityArn", "certificateBody", "certificateChain", "earlyRenewalDuration", form=TEXT
        ),
        *unsupported("privateKey", "privateKeyWo", form=TEXT),
        *unsupported("privateKeyWoVersion", form=INTEGER),
        Output("arn", "CertificateArn"),
        Output(
            "domainValidationOptions",
            "DomainValidationOptions",
            Blocks(
                Output("domainName", "DomainName"),
                Output("resourceRecordName", "ResourceRecord.Name"),
                Output("resourceRecordType", "ResourceRecord.Type"),
                Output("resourceRecordValue", "ResourceRecord.Value"),
            ),
            filled=[],
        ),
        Output("notAfter", "NotAfter"),
        Output("notBefore", "NotBefore"),
        Output("pendingRenewal", "PendingRenewal", filled=False),
        Output("renewalEligibility", "RenewalEligibility", filled="INELIGIBLE"),
        Output("renewalSummaries", "RenewalSummaries", filled=[]),
        Output("status", "Status"),
        Output("type", "Type", filled="AMAZON_ISSUED"),
        Output("validationEmails", "DomainValidationOptions[].ValidationEmails[]", TEXTS, filled=[]),
    )
    tags = Tags("{arn}", tag="AddTagsToCertificate", untag="RemoveTagsFromCertificate", listed="ListTagsForCertificate")
    replace_on_changes = frozenset(
        {
            *("certificateAuthorityArn", "domainName", "keyAlgorithm", "subjectAlternativeNames", "validationMethod"),
            "validationOptions",
        }
    )
    normalised = frozenset({"subjectAlternativeNames"})  # ACM adds the domain's own name
    create_call = Call("RequestCertificate", "CertificateArn")
    identified_by = parameters(CertificateArn="{id}")
    read_calls = (Call("DescribeCertificate", "Certificate"),)
    delete_call = Call("DeleteCertificate")

    def equivalent(self, name: str, given: Any, found: Any) -> bool:
        """Treat the lists as equal if they differ only in the names that ACM adds."""
        if name == "subjectAlternativeNames" and given and found:
            return set(given) <= set(found)
        return super().equivalent(name, given, found)

    def make(self, wanted: Values) -> str:
        """Request the certificate: it is pending then, also where its records are in their zones already."""
        identity = super().make(wanted)
        self.aws.requested.add(identity)
        return identity

    def read(self, identity: str, state: Mapping[str, Any]) -> Any:
        """Return the certificate, pending until its records are in their zones: the emulator issues at once."""
        certificate = super().read(identity, state)
        status = certificate["Status"]
        if identity in self.aws.requested or unproven(self.aws, certificate):
            status = "PENDING_VALIDATION"
            self.aws.requested.discard(identity)
        elif status == "ISSUED":
            self.aws.awaited.add(identity)  # whoever reads that it is issued may use it
        algorithm = str(certificate.get("KeyAlgorithm", "RSA_2048")).replace("RSA-", "RSA_")
        return {**certificate, "Status": status, "KeyAlgorithm": algorithm}

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Change the options, where the program gives some."""
        if wanted["options"]:
            self.client.update_certificate_options(CertificateArn=identity, Options=given(wanted["options"]))
        super().update(identity, wanted, old)

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        """Refuse to remove a certificate that a domain uses: the emulator would remove it."""
        users = [domain["DomainName"] for domain in domains_of(self.aws, identity)]
        if users:
            raise ResourceRefusedError(
                "ResourceInUseException", f"the certificate {identity} is in use by API Gateway for {', '.join(users)}"
            )
        used_by = distributions_with(self.aws, identity)
        if used_by:
            raise ResourceRefusedError(
                "ResourceInUseException", f"the certificate {identity} is in use by CloudFront, {', '.join(used_by)}"
            )
        super().delete(identity, state)


class CertificateValidation(ResourceType):
    """`aws.acm.CertificateValidation`: nothing exists in AWS, it only waits until a certificate is issued."""

    pulumi_type = "aws:acm/certificateValidation:CertificateValidation"
    service = "acm"
    fields = (
        Field("certificateArn", required=True),
        Field("validationRecordFqdns", "", TEXTS),
    )
    replace_on_changes = frozenset({"certificateArn", "validationRecordFqdns"})
    create_call = Call("DescribeCertificate")

    def make(self, wanted: Values) -> str:
        """Wait until the certificate can have been issued."""
        arn = wanted["certificateArn"]
        certificate = describe(self.aws, arn)
        if certificate is None:
            raise ResourceRefusedError(
                "ResourceNotFoundException", f"the certificate {arn} doesn't exist", "certificateArn"
            )
        if wanted["validationRecordFqdns"] is not None:
            expected = {_fqdn(option["ResourceRecord"]["Name"]) for option in _dns_options(certificate)}
            missing = sorted(expected - {_fqdn(name) for name in wanted["validationRecordFqdns"]})
            if missing:
                raise ResourceRefusedError(
                    "ValidationException",
                    f"missing {certificate['DomainName']} DNS validation record: {', '.join(missing)}",
                    "validationRecordFqdns",
                )
        deadline = time.monotonic() + _PATIENCE
        while reason := unproven(self.aws, certificate):
            if time.monotonic() > deadline:
                raise ResourceRefusedError(
                    "PENDING_VALIDATION", f"the certificate {arn} would wait until it times out: {reason}"
                )
            time.sleep(0.1)
        self.aws.awaited.add(arn)
        return str(TEXT.output(certificate.get("IssuedAt") or certificate.get("CreatedAt")) or arn)

    def read(self, identity: str, state: Mapping[str, Any]) -> Any:
        """Return the certificate as long as it is validated."""
        certificate = describe(self.aws, str(state.get("certificateArn")))
        return None if certificate is None or unproven(self.aws, certificate) else certificate

    def drifted(self, inputs: Mapping[str, Any], state: Mapping[str, Any]) -> frozenset[str]:
        """Find no drift, and remember that an earlier run waited for this certificate."""
        self.aws.awaited.add(str(inputs.get("certificateArn")))
        return frozenset()


def describe(aws: Aws, arn: str) -> dict[str, Any] | None:
    """Return what ACM knows of a certificate, or None."""
    found = or_none(lambda: aws.client("acm").describe_certificate(CertificateArn=arn))
    return found and dict(found["Certificate"])


def unproven(aws: Aws, certificate: Mapping[str, Any]) -> str:
    """Return why a certificate can't have been issued, or nothing where it can.

    The emulator issues at once: so whether each validation record is in its zone is looked up here.
    """
    if certificate["Status"] != "ISSUED":
        return f"its status is {certificate['Status']}"
    for option in _dns_options(certificate):
        record = option["ResourceRecord"]
        found = find_record(aws, record["Name"], record["Type"])
        if found is None:
            return f"the record {_fqdn(record['Name'])} ({record['Type']}) is not in a public zone of the account"
        values = {_fqdn(value["Value"]) for value in found.get("ResourceRecords", [])}
        if _fqdn(record["Value"]) not in values:
            return f"the record {_fqdn(record['Name'])} doesn't have the value {record['Value']}"
    return ""


def unusable(aws: Aws, certificate: Mapping[str, Any]) -> str:
    """Return why a certificate can't be used yet, or nothing where it can: one that was just validated takes time."""
    reason = unproven(aws, certificate)
    age = (datetime.now(UTC) - certificate["CreatedAt"]).total_seconds()
    if not reason and age < _ISSUING and certificate["CertificateArn"] not in aws.awaited:
        return "ACM issues it a while after its records are in the zone, and nothing waited for that"
    return reason


def domains_of(aws: Aws, certificate: str) -> list[dict[str, Any]]:
    """Return the custom domains of API Gateway that use a certificate."""
    pages = aws.client("apigatewayv2").get_paginator("get_domain_names").paginate()
    return [
        domain
        for page in pages
        for domain in page["Items"]
        if any(entry.get("CertificateArn") == certificate for entry in domain.get("DomainNameConfigurations", []))
    ]


def _dns_options(certificate: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [option for option in certificate.get("DomainValidationOptions", []) if "ResourceRecord" in option]


def _fqdn(name: str) -> str:
    return name.rstrip(".").lower()
