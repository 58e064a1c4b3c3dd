"""Each cause with a remedy is proven by an account that is broken that way."""

from operations.remedies import REMEDIES
from tests.walk import test_explanation, test_explanation_behind_cdn

TABLES = [
    getattr(module, name)
    for module in (test_explanation, test_explanation_behind_cdn)
    for name in ("REFUSALS", "ENDS", "NOTES")
]


def test_every_cause_with_a_remedy_is_proven_by_a_broken_account():
    proven = {parameters.values[1][3] for table in TABLES for parameters in table}
    assert proven | {"denied", "dns-silent"} == set(REMEDIES)
