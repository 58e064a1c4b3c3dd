from tests.support.provided.example import Example


def _proof(made):
    option = made["Certificate"].outputs["domainValidationOptions"][0]
    return {
        "zoneId": made.zone,
        "name": option["resourceRecordName"],
        "type": option["resourceRecordType"],
        "records": [option["resourceRecordValue"]],
        "ttl": 60,
    }


EXAMPLES = (
    Example(
        pulumi_type="aws:route53/record:Record",
        inputs=_proof,
        updates={"ttl": 300},
        replaces={"name": "other.sandbox.test"},
    ),
)
