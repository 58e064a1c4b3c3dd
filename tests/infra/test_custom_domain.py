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
