import pytest

from infra.external_dns import warn_of
from sandbox.errors import SandboxError


def test_the_domain_waits_for_its_certificate_to_be_validated(with_domain):
    domain = with_domain.one("DomainName")
    direct = {urn.split("::")[2].rpartition(":")[2] for urn in domain.dependencies}
    assert "CertificateValidation" in direct


def test_the_certificate_is_proved_by_a_record_in_the_zone(with_domain):
    record = with_domain.one("Record", "domain-validation-app.sandbox.test")
    option = with_domain.one("Certificate").outputs["domainValidationOptions"][0]
    assert record.inputs["name"] == option["resourceRecordName"]
    assert record.inputs["records"] == [option["resourceRecordValue"]]
    assert record.inputs["type"] == option["resourceRecordType"]
    assert with_domain.one("CertificateValidation").inputs["validationRecordFqdns"] == [record.outputs["fqdn"]]


def test_the_domain_is_regional_takes_tls_1_2_and_both_kinds_of_address(with_domain):
    configuration = with_domain.one("DomainName").inputs["domainNameConfiguration"]
    assert configuration == {
        "certificateArn": with_domain.one("Certificate").outputs["arn"],
        "endpointType": "REGIONAL",
        "securityPolicy": "TLS_1_2",
        "ipAddressType": "dualstack",
    }


def test_both_address_records_lead_to_the_regional_endpoint(with_domain):
    target = with_domain.one("DomainName").outputs["domainNameConfiguration"]
    for name, record_type in (("domain-a-app.sandbox.test", "A"), ("domain-aaaa-app.sandbox.test", "AAAA")):
        record = with_domain.one("Record", name).inputs
        assert (record["name"], record["type"]) == ("app.sandbox.test", record_type)
        assert record["aliases"] == [
            {"name": target["targetDomainName"], "zoneId": target["hostedZoneId"], "evaluateTargetHealth": False}
        ]


def test_a_name_leads_to_the_domain_only_once_it_is_answered_there(with_domain):
    for kind in ("a", "aaaa"):
        assert "ApiMapping" in with_domain.made_after(with_domain.one("Record", f"domain-{kind}-app.sandbox.test"))


def test_the_mapping_leads_to_the_stage(with_domain):
    mapping = with_domain.one("ApiMapping").inputs
    assert mapping["apiId"] == with_domain.one("Api").id
    assert (mapping["domainName"], mapping["stage"]) == ("app.sandbox.test", "$default")


def test_the_url_is_the_domain(with_domain):
    assert with_domain.outputs["url"] == "https://app.sandbox.test"


def test_a_domain_adds_exactly_its_own_resources(with_domain, without_domain):
    assert len(with_domain.resources) - len(without_domain.resources) == 8


def test_a_domain_at_the_top_of_its_zone_is_found_there(program):
    deployed = program.deploy(domainName="sandbox.test")
    assert deployed.outputs["url"] == "https://sandbox.test"


def test_the_record_of_another_certificate_for_the_same_domain_is_not_in_the_way(program):
    def another_certificate():
        acm, route53 = program.account.client("acm"), program.account.client("route53")
        arn = acm.request_certificate(DomainName="app.sandbox.test", ValidationMethod="DNS")["CertificateArn"]
        certificate = acm.describe_certificate(CertificateArn=arn)["Certificate"]
        proof = certificate["DomainValidationOptions"][0]["ResourceRecord"]
        record = {
            "Name": proof["Name"],
            "Type": proof["Type"],
            "TTL": 300,
            "ResourceRecords": [{"Value": proof["Value"]}],
        }
        zone = route53.list_hosted_zones_by_name(DNSName="sandbox.test")["HostedZones"][0]["Id"]
        changes = [{"Action": "CREATE", "ResourceRecordSet": record}]
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})

    deployed = program.deploy(before=another_certificate, domainName="app.sandbox.test")
    proved = deployed.one("Record", "domain-validation-app.sandbox.test").outputs
    assert (proved["type"], proved["ttl"]) == ("CNAME", 60)
    assert deployed.outputs["url"] == "https://app.sandbox.test"


@pytest.fixture
def with_names(program):
    return program.deploy(
        domainName="www.sandbox.test", aliases=["sandbox.test", "*.sandbox.test", "a.b.sandbox.test"], basePath="/shop/"
    )


NAMES = ["www.sandbox.test", "sandbox.test", "*.sandbox.test", "a.b.sandbox.test"]


def inputs_of(deployed, short_type, *keys):
    found = [entry.inputs for entry in deployed.resources if entry.type.endswith(f":{short_type}")]
    return sorted(tuple(inputs.get(key) for key in keys) for inputs in found)


def test_all_names_have_one_certificate_and_each_has_its_own_way_to_the_api(with_names):
    certificate = with_names.one("Certificate").inputs
    assert (certificate["domainName"], certificate["subjectAlternativeNames"]) == (NAMES[0], NAMES[1:])
    assert inputs_of(with_names, "DomainName", "domainName") == sorted((name,) for name in NAMES)
    assert inputs_of(with_names, "ApiMapping", "domainName", "apiMappingKey", "stage") == sorted(
        (name, "shop", "$default") for name in NAMES
    )
    assert [entry for entry in inputs_of(with_names, "Record", "type", "name") if entry[0] != "CNAME"] == sorted(
        (kind, name) for kind in ("A", "AAAA") for name in NAMES
    )


def test_a_wildcard_and_its_parent_are_proved_by_one_record(with_names):
    proofs = [name for kind, name in inputs_of(with_names, "Record", "type", "name") if kind == "CNAME"]
    assert proofs == [f"_acme-challenge.{name}." for name in ("a.b.sandbox.test", "sandbox.test", "www.sandbox.test")]
    waited = with_names.one("CertificateValidation").inputs["validationRecordFqdns"]
    assert sorted(waited) == [name.rstrip(".") for name in proofs]


def test_the_application_is_told_its_base_path_and_the_url_has_it(with_names):
    told = with_names.account.client("lambda").get_function_configuration(FunctionName="dualmode-dev")
    assert told["Environment"]["Variables"] == {
        "DUALMODE_API_ID": with_names.one("Api").id,
        "DUALMODE_BASE_PATH": "/shop",
    }
    assert with_names.outputs["url"] == "https://www.sandbox.test/shop"


def test_a_zone_is_found_by_its_id_where_several_have_its_name(program):
    chosen = {}

    def two_zones():
        route53 = program.account.client("route53")
        second = route53.create_hosted_zone(Name="sandbox.test", CallerReference="second")
        chosen["id"] = second["HostedZone"]["Id"].removeprefix("/hostedzone/")

    with pytest.raises(SandboxError, match=r"2 Route 53 hosted zones match 'sandbox\.test'"):
        program.deploy(before=two_zones, domainName="app.sandbox.test")
    program.empty()
    two_zones()
    deployed = program.deploy_again(domainName="app.sandbox.test", hostedZone=chosen["id"])
    assert {zone for (zone,) in inputs_of(deployed, "Record", "zoneId")} == {chosen["id"]}


def test_names_that_a_zone_given_by_its_id_cannot_hold_are_refused_before_anything_is_made(program):
    program.empty()
    zone = program.account.client("route53").list_hosted_zones()["HostedZones"][0]["Id"].rpartition("/")[2]
    for chosen, sentence in (
        (
            {"domainName": "app.example.com"},
            f"hostedZone is '{zone}', but domainName app.example.com does not end with the zone's name, sandbox.test: "
            "set the zone that the domain belongs to.",
        ),
        (
            {"domainName": "app.sandbox.test", "aliases": ["example.com"]},
            "aliases[0] is 'example.com', but it is not in the zone sandbox.test, where domainName is: "
            "remove it, or set hostedZone to a zone that holds both.",
        ),
    ):
        with pytest.raises(SandboxError) as refusal:
            program.deploy_again(hostedZone=zone, **chosen)
        assert str(refusal.value) == sentence
    assert program.account.client("acm").list_certificates()["CertificateSummaryList"] == []
    assert program.account.client("iam").list_roles()["Roles"] == []


def test_a_zone_that_dns_does_not_use_is_said_and_one_that_it_uses_is_not(program):
    sentence = (
        "DNS doesn't use the zone deep.sandbox.test of this account, so no certificate can be issued: DNS names no "
        "servers for it, and the zone's are {servers}; set these where deep.sandbox.test is registered, or as an NS "
        "record in the zone above it, or set hostedZone to the zone that is used."
    )
    program.empty()
    route53 = program.account.client("route53")
    made = route53.create_hosted_zone(Name="deep.sandbox.test", CallerReference="deep")
    servers = made["DelegationSet"]["NameServers"]
    told = []
    program.deploy_again(told.append, domainName="a.deep.sandbox.test")
    assert sentence.format(servers=", ".join(sorted(server.rstrip(".") for server in servers))) in told
    program.empty()
    made = route53.create_hosted_zone(Name="deep.sandbox.test", CallerReference="deep")
    above = route53.list_hosted_zones_by_name(DNSName="sandbox.test", MaxItems="1")["HostedZones"][0]["Id"]
    record = {
        "Name": "deep.sandbox.test",
        "Type": "NS",
        "TTL": 60,
        "ResourceRecords": [{"Value": server} for server in servers],
    }
    changes = [{"Action": "CREATE", "ResourceRecordSet": record}]
    route53.change_resource_record_sets(HostedZoneId=above, ChangeBatch={"Changes": changes})
    told.clear()
    program.deploy_again(told.append, domainName="a.deep.sandbox.test")
    assert [line for line in told if "DNS" in line] == []


def test_a_zone_elsewhere_gets_nothing_and_its_records_are_listed(program):
    told = []
    program.empty()
    deployed = program.deploy_again(
        told.append,
        domainName="a.sandbox.test",
        aliases=["*.b.elsewhere.test", "b.elsewhere.test"],
        dnsProvider="external",
    )
    assert deployed.count("Certificate") == 3
    assert [deployed.count(kind) for kind in ("Record", "CertificateValidation", "DomainName", "ApiMapping")] == [0] * 4
    assert deployed.one("Api").inputs["disableExecuteApiEndpoint"] is False
    assert deployed.outputs["url"] == deployed.outputs["api_endpoint"]
    proofs = {
        entry.inputs["domainName"]: entry.outputs["domainValidationOptions"][0]["resourceRecordValue"].rstrip(".")
        for entry in deployed.resources
        if entry.type.endswith(":Certificate") and entry.inputs
    }
    assert deployed.outputs["dns_records"] == [
        {"name": f"_acme-challenge.{name}", "type": "CNAME", "value": proofs[name]}
        for name in ("a.sandbox.test", "b.elsewhere.test")
    ]
    assert (
        "DNS doesn't lead a.sandbox.test, *.b.elsewhere.test, b.elsewhere.test to API Gateway yet: create these "
        "records at your DNS provider, then run `pulumi up` again.\n"
        f"_acme-challenge.a.sandbox.test    CNAME  {proofs['a.sandbox.test']}\n"
        f"_acme-challenge.b.elsewhere.test  CNAME  {proofs['b.elsewhere.test']}"
    ) in told


@pytest.mark.parametrize(
    ("status", "warnings"),
    [
        ("PENDING_VALIDATION", []),
        ("ISSUED", []),
        ("EXPIRED", []),
        *(
            (
                status,
                [
                    f"The certificate of a.test is {status} and will not be issued: once its records are there, "
                    "request another one by `pulumi up --replace urn:a`."
                ],
            )
            for status in ("VALIDATION_TIMED_OUT", "FAILED")
        ),
    ],
)
def test_a_certificate_that_acm_has_given_up_is_said(monkeypatch, status, warnings):
    said = []
    monkeypatch.setattr("pulumi.log.warn", said.append)
    warn_of("a.test", status, "urn:a")
    assert said == warnings
