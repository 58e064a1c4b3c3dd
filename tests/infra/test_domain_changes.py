"""A custom domain's life under the real engine: each setting on, changed and off again, seen by requests."""

import json
import shutil

import pytest

from dualmode.gateway.http.message import Request
from sandbox.edge.edge import Edge
from sandbox.errors import SandboxError
from sandbox.pulumi_drivers import deployment
from tests.support.provided import ROOT, copy_program, make_zone, push_image
from tests.support.pulumi_command import needs_pulumi
from tests.support.tasks import task

pytestmark = needs_pulumi

MAIN = "app.sandbox.test"
PULL = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        }
    ],
}


class Echo:
    """A function whose result is its event, which API Gateway sends as it is."""

    def describe(self, version):
        return "here"

    def invoke(self, version, event, **_):
        return json.dumps({"statusCode": 200, "body": event.decode()}).encode()


class Stack:
    """One stack that is deployed again and again, and the requests that reach it."""

    def __init__(self, ministack):
        self.ministack, self.account = ministack, ministack.account
        self.edge = Edge(ministack.reader, Echo())
        self.told = []
        shutil.rmtree(ministack.state / "pulumi", ignore_errors=True)
        deployment.prepare(ministack)
        self.zone = make_zone(self.account)
        self.image = push_image(self.account)
        self.account.client("ecr").set_repository_policy(repositoryName="ready", policyText=json.dumps(PULL))

    def up(self, program=ROOT, **chosen):
        self.told.clear()
        made = deployment.deploy(task(program, self.ministack, self.told.append, imageUri=self.image, **chosen))
        self.outputs = made.outputs
        return dict(made.changes)

    def ask(self, host, target="/hello"):
        """The status of a request, and the path that the function gets."""
        answer = self.edge.answer(Request(method="GET", target=target, headers=(("Host", host),), body=b""))
        body = json.loads(answer.response.body)
        return (200, body["rawPath"]) if answer.response.status == 200 else (answer.response.status, body["message"])

    def ask_itself(self):
        """The same by API Gateway's own address."""
        return self.ask(self.outputs["api_endpoint"].partition("://")[2].partition(":")[0])

    def create(self, records):
        """Create records as their owner would at a provider elsewhere: here that is the one zone."""
        changes = [
            {
                "Action": "UPSERT",
                "ResourceRecordSet": {
                    "Name": record["name"],
                    "Type": record["type"],
                    "TTL": 60,
                    "ResourceRecords": [{"Value": record["value"]}],
                },
            }
            for record in records
        ]
        self.account.client("route53").change_resource_record_sets(
            HostedZoneId=self.zone, ChangeBatch={"Changes": changes}
        )

    def inventory(self):
        """All that a domain can leave behind, and the function's variables."""
        gateway, acm = self.account.client("apigatewayv2"), self.account.client("acm")
        function = self.account.client("lambda").get_function_configuration(FunctionName="dualmode-dev")
        records = self.account.client("route53").list_resource_record_sets(HostedZoneId=self.zone)
        return {
            "domains": [domain["DomainName"] for domain in gateway.get_domain_names()["Items"]],
            "certificates": acm.list_certificates()["CertificateSummaryList"],
            "records": sorted((record["Name"], record["Type"]) for record in records["ResourceRecordSets"]),
            "variables": function["Environment"]["Variables"],
            "closed": gateway.get_apis()["Items"][0].get("DisableExecuteApiEndpoint", False),
        }


@pytest.fixture
def stack(ministack):
    return Stack(ministack)


def proofs(*names):
    return [(f"_acme-challenge.{name}.", "CNAME") for name in names]


def test_names_and_a_path_are_served_changed_and_gone_without_a_trace_but_their_proofs(stack):
    stack.up()
    before = stack.inventory()
    assert stack.ask_itself() == (200, "/hello")

    stack.up(domainName=MAIN, aliases=["sandbox.test", "*.sandbox.test"], basePath="shop/v1")
    for host in (MAIN, "sandbox.test", "anything.sandbox.test"):
        assert stack.ask(host, "/shop/v1/hello") == (200, "/hello")
        assert stack.ask(host, "/shop/v1") == (200, "/")
        assert stack.ask(host, "/hello") == (403, "Forbidden")
    assert stack.ask("two.labels.sandbox.test", "/shop/v1/hello") == (403, "Forbidden")
    assert stack.ask_itself() == (404, "Not Found")
    assert stack.outputs["url"] == f"https://{MAIN}/shop/v1"
    assert stack.inventory()["variables"]["DUALMODE_BASE_PATH"] == "/shop/v1"
    assert set(stack.up(domainName=MAIN, aliases=["sandbox.test", "*.sandbox.test"], basePath="shop/v1")) == {"same"}

    stack.up(domainName=MAIN, aliases=["*.sandbox.test"], keepDefaultEndpoint=True, hostedZone=stack.zone)
    assert stack.ask(MAIN) == stack.ask("anything.sandbox.test") == stack.ask_itself() == (200, "/hello")
    assert stack.ask("sandbox.test") == (403, "Forbidden")

    stack.up()
    assert stack.ask_itself() == (200, "/hello")
    assert stack.ask(MAIN) == stack.ask("anything.sandbox.test") == (403, "Forbidden")
    # Other certificates may share the proofs of their names.
    expected = {**before, "records": sorted([*before["records"], *proofs(MAIN, "sandbox.test")])}
    assert stack.inventory() == expected


def test_a_further_name_becomes_the_main_one_without_being_made_again(stack):
    stack.up(domainName=MAIN, aliases=["new.sandbox.test"])
    gateway = stack.account.client("apigatewayv2")
    before = sorted(
        (domain["DomainName"], domain["DomainNameConfigurations"][0]["ApiGatewayDomainName"])
        for domain in gateway.get_domain_names()["Items"]
    )
    stack.up(domainName="new.sandbox.test", aliases=[MAIN])
    after = sorted(
        (domain["DomainName"], domain["DomainNameConfigurations"][0]["ApiGatewayDomainName"])
        for domain in gateway.get_domain_names()["Items"]
    )
    assert after == before
    assert stack.outputs["url"] == "https://new.sandbox.test"
    assert stack.ask(MAIN) == stack.ask("new.sandbox.test") == (200, "/hello")


@pytest.fixture
def never_proved(tmp_path):
    """The program with a mistake that keeps its certificates from being issued."""
    (tmp_path / "program").mkdir()
    return copy_program(
        tmp_path / "program",
        "infra/zone.py",
        "records=[option.resource_record_value]",
        'records=["elsewhere.example.com"]',
    )


def test_a_certificate_that_is_not_issued_leaves_the_api_as_it_was(stack, never_proved):
    stack.up()
    with pytest.raises(SandboxError, match="would wait until it times out"):
        stack.up(never_proved, domainName=MAIN)
    assert stack.ask_itself() == (200, "/hello")
    stack.up(domainName=MAIN)
    assert (stack.ask(MAIN), stack.ask_itself()) == ((200, "/hello"), (404, "Not Found"))
    with pytest.raises(SandboxError, match="would wait until it times out"):
        stack.up(never_proved, domainName="new.sandbox.test")
    assert stack.ask(MAIN) == (200, "/hello")


def test_a_domain_with_dns_elsewhere_comes_up_step_by_step_and_no_step_closes_the_api(stack):
    chosen = {"domainName": MAIN, "dnsProvider": "external"}
    stack.up()
    before = stack.inventory()
    stack.up(**chosen)
    assert [(record["name"], record["type"]) for record in stack.outputs["dns_records"]] == [
        (f"_acme-challenge.{MAIN}", "CNAME")
    ]
    assert stack.outputs["url"] == stack.outputs["api_endpoint"]
    assert stack.ask_itself() == (200, "/hello")
    assert set(stack.up(**chosen)) == {"same"}

    stack.create(stack.outputs["dns_records"])
    stack.up(**chosen)  # the certificate is issued
    assert stack.outputs["url"] == stack.outputs["api_endpoint"]
    target = stack.account.client("apigatewayv2").get_domain_name(DomainName=MAIN)["DomainNameConfigurations"][0]
    assert stack.outputs["dns_records"][1:] == [
        {"name": MAIN, "type": "CNAME", "value": target["ApiGatewayDomainName"]}
    ]
    assert stack.ask_itself() == (200, "/hello")
    assert stack.ask(MAIN) == (403, "Forbidden")

    stack.create(stack.outputs["dns_records"])
    assert stack.up(**chosen)["update"] == 1  # the domain works, so API Gateway's own address closes
    assert stack.outputs["url"] == f"https://{MAIN}"
    assert stack.ask(MAIN) == (200, "/hello")
    assert stack.ask_itself() == (404, "Not Found")
    assert [line for line in stack.told if "DNS" in line] == []
    assert set(stack.up(**chosen)) == {"same"}

    stack.up(**chosen, aliases=["new.sandbox.test"])  # it waits alone
    assert stack.ask(MAIN) == (200, "/hello")
    assert any(line.startswith("DNS doesn't lead new.sandbox.test to API Gateway yet:") for line in stack.told)
    stack.create(stack.outputs["dns_records"])
    stack.up(**chosen, aliases=["new.sandbox.test"])
    stack.create(stack.outputs["dns_records"])
    assert stack.ask(MAIN) == stack.ask("new.sandbox.test") == (200, "/hello")

    stack.up()
    assert stack.ask_itself() == (200, "/hello")
    after = stack.inventory()
    assert {**after, "records": before["records"]} == before
