# ruff: noqa: D102  what each method means is said once, in kind.py
"""Certificate Manager: certificates, and the proof in DNS that one may have them.

Source: hashicorp/terraform-provider-aws, internal/service/acm/{certificate,certificate_validation}.go.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provider.inputs import Inputs
from sandbox.provider.kind import Aws, Kind, Values, given, region_of, tag_list, tag_map
from sandbox.provider.refusals import ResourceRefusedError, is_missing
from sandbox.provider.zones import find_record

_ISSUING = 60.0  # seconds that ACM takes at least, from the record to the certificate; the emulator takes none
_PATIENCE = 3.0  # seconds; the record may be on its way, made at the same time as the validation that waits for it


class Certificate(Kind):
    """`aws.acm.Certificate`, requested from ACM and validated by DNS or e-mail."""

    pulumi_type = "aws:acm/certificate:Certificate"
    service = "acm"
    operation = "RequestCertificate"
    replaces = frozenset(
        {
            *("certificateAuthorityArn", "domainName", "keyAlgorithm", "subjectAlternativeNames", "validationMethod"),
            "validationOptions",
        }
    )
    settled = frozenset({"subjectAlternativeNames"})  # ACM adds the domain's own name

    def request(self, inputs: Inputs) -> Values:
        region_of(self.aws, inputs)
        inputs.unsupported(
            *("certificateAuthorityArn", "certificateBody", "certificateChain", "earlyRenewalDuration", "privateKey"),
            *("privateKeyWo", "privateKeyWoVersion"),
        )
        options = inputs.block("options")
        validations = [
            {"DomainName": entry.required("domainName"), "ValidationDomain": entry.required("validationDomain")}
            for entry in inputs.blocks("validationOptions")
        ]
        return {
            "DomainName": inputs.required("domainName"),
            "ValidationMethod": inputs.required("validationMethod"),
            "SubjectAlternativeNames": inputs.texts("subjectAlternativeNames") or None,
            "DomainValidationOptions": validations or None,
            "KeyAlgorithm": inputs.text("keyAlgorithm"),
            "Options": {
                "CertificateTransparencyLoggingPreference": options.text("certificateTransparencyLoggingPreference"),
                "Export": options.text("export"),
            }
            if options
            else None,
            "Tags": tag_list(inputs.names("tags")) or None,
        }

    def equivalent(self, key: str, given: Any, found: Any) -> bool:
        if key == "subjectAlternativeNames" and given and found:
            return set(given) <= set(found)
        return super().equivalent(key, given, found)

    def create(self, request: Values) -> str:
        return str(self.client.request_certificate(**given(request))["CertificateArn"])

    def read(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        certificate = describe(self.aws, identity)
        if certificate is None:
            return None
        tags = tag_map(self.client.list_tags_for_certificate(CertificateArn=identity)["Tags"])
        options = certificate.get("Options", {})
        return {
            **dict.fromkeys(("certificateAuthorityArn", "certificateBody", "certificateChain"), ""),
            **dict.fromkeys(("earlyRenewalDuration", "privateKey", "privateKeyWo"), ""),
            "arn": identity,
            "domainName": certificate["DomainName"],
            "domainValidationOptions": [
                {
                    "domainName": option["DomainName"],
                    "resourceRecordName": option.get("ResourceRecord", {}).get("Name", ""),
                    "resourceRecordType": option.get("ResourceRecord", {}).get("Type", ""),
                    "resourceRecordValue": option.get("ResourceRecord", {}).get("Value", ""),
                }
                for option in certificate.get("DomainValidationOptions", [])
            ],
            "keyAlgorithm": str(certificate.get("KeyAlgorithm", "RSA_2048")).replace("RSA-", "RSA_"),
            "notAfter": _timestamp(certificate.get("NotAfter")),
            "notBefore": _timestamp(certificate.get("NotBefore")),
            "options": {
                "certificateTransparencyLoggingPreference": options.get(
                    "CertificateTransparencyLoggingPreference", "ENABLED"
                ),
                "export": options.get("Export", "DISABLED"),
            },
            "pendingRenewal": False,
            "privateKeyWoVersion": 0,
            "region": self.aws.region,
            "renewalEligibility": certificate.get("RenewalEligibility", "INELIGIBLE"),
            "renewalSummaries": [],
            "status": "PENDING_VALIDATION" if unproven(self.aws, certificate) else certificate["Status"],
            "subjectAlternativeNames": certificate["SubjectAlternativeNames"],
            "tags": tags,
            "tagsAll": tags,
            "type": certificate.get("Type", "AMAZON_ISSUED"),
            "validationEmails": [
                address
                for option in certificate.get("DomainValidationOptions", [])
                for address in option.get("ValidationEmails") or []
            ],
            "validationMethod": state.get("validationMethod") or "DNS",
            "validationOptions": state.get("validationOptions") or [],
        }

    def update(self, identity: str, request: Values, old: Mapping[str, Any]) -> None:
        if request["Options"]:
            self.client.update_certificate_options(CertificateArn=identity, Options=given(request["Options"]))
        wanted = tag_map(request["Tags"])
        gone = [{"Key": key} for key in old.get("tags") or {} if key not in wanted]
        if gone:
            self.client.remove_tags_from_certificate(CertificateArn=identity, Tags=gone)
        if wanted:
            self.client.add_tags_to_certificate(CertificateArn=identity, Tags=tag_list(wanted))

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        users = [domain["DomainName"] for domain in domains_of(self.aws, identity)]
        if users:
            raise ResourceRefusedError(
                "ResourceInUseException", f"the certificate {identity} is in use by API Gateway for {', '.join(users)}"
            )
        try:
            self.client.delete_certificate(CertificateArn=identity)
        except ClientError as error:
            if not is_missing(error):
                raise


class CertificateValidation(Kind):
    """`aws.acm.CertificateValidation`: nothing that AWS has, only the wait until a certificate is issued."""

    pulumi_type = "aws:acm/certificateValidation:CertificateValidation"
    service = "acm"
    operation = "DescribeCertificate"
    replaces = frozenset({"certificateArn", "validationRecordFqdns"})

    def request(self, inputs: Inputs) -> Values:
        region_of(self.aws, inputs)
        return {
            "CertificateArn": inputs.required("certificateArn"),
            "records": inputs.texts("validationRecordFqdns"),
        }

    def create(self, request: Values) -> str:
        arn = request["CertificateArn"]
        certificate = describe(self.aws, arn)
        if certificate is None:
            raise ResourceRefusedError(
                "ResourceNotFoundException", f"the certificate {arn} doesn't exist", "certificateArn"
            )
        if request["records"] is not None:
            expected = {_fqdn(option["ResourceRecord"]["Name"]) for option in _dns_options(certificate)}
            missing = sorted(expected - {_fqdn(name) for name in request["records"]})
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
        return _timestamp(certificate.get("IssuedAt") or certificate.get("CreatedAt")) or arn

    def read(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        certificate = describe(self.aws, str(state.get("certificateArn")))
        if certificate is None or unproven(self.aws, certificate):
            return None
        return {
            "certificateArn": certificate["CertificateArn"],
            "region": self.aws.region,
            "validationRecordFqdns": state.get("validationRecordFqdns") or [],
        }

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        """Nothing to remove."""

    def drifted(self, inputs: Mapping[str, Any], state: Mapping[str, Any]) -> frozenset[str]:
        self.aws.awaited.add(str(inputs.get("certificateArn")))  # in an earlier run
        return frozenset()


def describe(aws: Aws, arn: str) -> dict[str, Any] | None:
    """Return what ACM knows of a certificate, or None."""
    try:
        certificate: dict[str, Any] = aws.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return certificate


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
            return f"the record {_fqdn(record['Name'])} ({record['Type']}) is in no public zone of the account"
        values = {_fqdn(value["Value"]) for value in found.get("ResourceRecords", [])}
        if _fqdn(record["Value"]) not in values:
            return f"the record {_fqdn(record['Name'])} doesn't have the value {record['Value']}"
    return ""


def unusable(aws: Aws, certificate: Mapping[str, Any]) -> str:
    """Return why a certificate can't be used yet, or nothing where it can: one just proven must be waited for."""
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


def _timestamp(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""
