from tests.support.provided.example import Example

EXAMPLES = (
    Example(
        pulumi_type="aws:acm/certificate:Certificate",
        inputs={"domainName": "app.sandbox.test", "validationMethod": "DNS", "tags": {"old": "x"}},
        updates={"tags": {"a": "b"}},
        follow=frozenset({"status"}),  # its record is in the zone by now
        replaces={"domainName": "other.sandbox.test"},
        valueless=frozenset({"renewalSummaries", "validationEmails"}),
        gone="arn:aws:acm:us-east-1:000000000000:certificate/gone",
    ),
    Example(
        pulumi_type="aws:acm/certificateValidation:CertificateValidation",
        inputs=lambda made: {
            "certificateArn": made["Certificate"].outputs["arn"],
            "validationRecordFqdns": [made["Record"].outputs["fqdn"]],
        },
    ),
)
