import pytest

from infra.public_dns import RESOLVER_VARIABLE, Found, ask
from sandbox import resolver
from sandbox.lifecycle import make_zone

SERVERS = {"ns-1.awsdns-1.com", "ns-2.awsdns-2.net", "ns-3.awsdns-3.org", "ns-4.awsdns-4.co.uk"}


@pytest.fixture
def create(ministack, monkeypatch):
    """Makes a record in a zone of an account that has the zone sandbox.test alone at first."""
    monkeypatch.setenv(RESOLVER_VARIABLE, ministack.program_variables[resolver.RESOLVER_VARIABLE])
    ministack.reset()
    make_zone(ministack.account, "sandbox.test")
    route53 = ministack.account.client("route53")

    def create(zone, name, record_type, *values):
        (found,) = [each["Id"] for each in route53.list_hosted_zones()["HostedZones"] if each["Name"] == f"{zone}."]
        record = {"Name": name, "Type": record_type, "TTL": 60, "ResourceRecords": [{"Value": text} for text in values]}
        changes = [{"Action": "CREATE", "ResourceRecordSet": record}]
        route53.change_resource_record_sets(HostedZoneId=found, ChangeBatch={"Changes": changes})

    return create


def servers(name):
    return {record.value for record in ask(name, "NS")}


@pytest.mark.usefixtures("create")
def test_it_reads_the_variable_that_the_program_reads():
    assert resolver.RESOLVER_VARIABLE == RESOLVER_VARIABLE


@pytest.mark.usefixtures("create")
def test_a_zone_of_the_account_is_delegated_and_no_other_is_known():
    assert servers("sandbox.test") == servers("Sandbox.test") == SERVERS
    assert servers("example.com") == servers("deep.sandbox.test") == set()


def test_a_zone_below_another_one_is_delegated_by_it_alone(create, ministack):
    route53 = ministack.account.client("route53")
    route53.create_hosted_zone(Name="forgotten.sandbox.test", CallerReference="forgotten")
    assert servers("forgotten.sandbox.test") == set()
    create("sandbox.test", "forgotten.sandbox.test", "NS", "ns1.elsewhere.test.")
    assert servers("forgotten.sandbox.test") == {"ns1.elsewhere.test"}
    make_zone(ministack.account, "deep.sandbox.test")
    assert servers("deep.sandbox.test") == SERVERS


def test_names_are_answered_by_their_own_records_by_a_wildcards_and_through_aliases(create):
    create("sandbox.test", "a.sandbox.test", "A", "192.0.2.1", "192.0.2.2")
    create("sandbox.test", "*.sandbox.test", "CNAME", "A.sandbox.test.")
    create("sandbox.test", "out.sandbox.test", "CNAME", "d-1.execute-api.us-east-1.amazonaws.com")
    addresses = [Found(type="A", value="192.0.2.1"), Found(type="A", value="192.0.2.2")]
    assert ask("a.sandbox.test", "A") == addresses
    assert ask("any.sandbox.test", "A") == [Found(type="CNAME", value="a.sandbox.test"), *addresses]
    assert ask("*.sandbox.test", "CNAME") == [Found(type="CNAME", value="a.sandbox.test")]
    assert ask("out.sandbox.test", "A") == [Found(type="CNAME", value="d-1.execute-api.us-east-1.amazonaws.com")]
    assert ask("two.labels.sandbox.test", "A") == []


@pytest.mark.parametrize("message", [b"", b"\0" * 11, b"\0\1\1\0\0\0" + bytes(6) + b"\0\0\1\0\1", b"\xff" * 512])
def test_what_is_not_a_question_gets_no_answer(message):
    assert resolver.reply(message, lambda *_: []) is None


def test_an_account_that_cannot_be_read_is_no_statement(ministack, create, monkeypatch):
    def unreadable(*_):
        raise resolver.UnreadableAccountError("gone")

    monkeypatch.setattr(resolver, "answers", unreadable)
    assert ask("sandbox.test", "NS", timeout=0.5) is None
