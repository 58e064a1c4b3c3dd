"""The CDN's life under the real engine: on, its secret changed, off again, seen by requests to the real runtime."""

import json

import pytest
from flask import Flask, request, url_for

from dualmode import init_phase, logs, secrets
from dualmode.gateway.http.message import Request
from sandbox.edge.edge import Edge
from sandbox.ministack import MiniStack
from sandbox.pulumi_drivers import deployment
from tests.infra.test_domain_changes import MAIN, PULL, proofs
from tests.support.provided import ROOT, make_zone, push_image
from tests.support.pulumi_command import needs_pulumi
from tests.support.tasks import task

pytestmark = needs_pulumi

app = Flask(__name__)
CALLS = []


@app.route("/who", methods=["GET", "POST"])
def who():
    return {
        "host": request.host,
        "own": url_for("who", _external=True),
        "client": request.remote_addr,
        "query": request.query_string.decode(),
        "cookies": dict(request.cookies),
        "body": request.get_data(as_text=True),
        "secret": request.headers.get("x-dualmode-cdn"),
    }


@app.get("/static/<name>")
def file(name):
    CALLS.append(name)
    return name, 200, {"Cache-Control": "max-age=600"}


class Runtime:
    """Each version of the function as one process has it: its variables as they are, its secrets as they were."""

    def __init__(self, ministack):
        self._ministack = ministack
        self._handlers = {}

    def describe(self, version):
        return "here"

    def invoke(self, version, event, **_):
        key = (version.name, version.version)
        if key not in self._handlers:
            self._handlers[key] = self._start(version)
        return json.dumps(self._handlers[key](json.loads(event), None)).encode()

    def _start(self, version):
        client = self._ministack.account.client("lambda")
        found = client.get_function_configuration(FunctionName=version.name, Qualifier=version.version)
        environ = {
            **found["Environment"]["Variables"],
            "AWS_REGION": self._ministack.region,
            "AWS_ACCESS_KEY_ID": self._ministack.credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": self._ministack.credentials.secret_key,
            "AWS_ENDPOINT_URL": self._ministack.endpoint_url,
        }
        secrets.load(environ)
        return init_phase.handler_of(app, logs.AccessLog(environ, lambda _: None), environ)


class Stack:
    """One stack that is deployed again and again, and the requests that reach it."""

    def __init__(self, ministack):
        self.ministack, self.account = ministack, ministack.account
        self.edge = Edge(ministack.reader, Runtime(ministack))
        deployment.prepare(ministack)
        self.zone = make_zone(self.account)
        self.image = push_image(self.account)
        self.account.client("ecr").set_repository_policy(repositoryName="ready", policyText=json.dumps(PULL))

    def up(self, told=lambda _: None, **chosen):
        made = deployment.deploy(task(ROOT, self.ministack, told, imageUri=self.image, throttleRate=1000, **chosen))
        self.outputs = made.outputs
        return dict(made.changes)

    def ask(self, target, host=MAIN, method="GET", body=b"", **headers):
        pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        sent = Request(method=method, target=target, headers=(("Host", host), *pairs), body=body, client="192.0.2.7")
        return self.edge.answer(sent).response

    def around(self, **headers):
        """The status of a request to API Gateway's own address."""
        host = self.outputs["api_endpoint"].partition("://")[2]
        return self.ask("/who", host=host, **headers)

    @property
    def sent(self):
        """The secret that CloudFront sends."""
        (found,) = self.account.client("cloudfront").list_distributions()["DistributionList"]["Items"]
        (header,) = found["Origins"]["Items"][0]["CustomHeaders"]["Items"]
        return header["HeaderValue"]

    def inventory(self):
        cloudfront = self.account.client("cloudfront")
        records = self.account.client("route53").list_resource_record_sets(HostedZoneId=self.zone)
        function = self.account.client("lambda").get_function_configuration(FunctionName="dualmode-dev")
        policies = cloudfront.list_cache_policies(Type="custom")["CachePolicyList"]
        iam = self.account.client("iam")
        return {
            "distributions": cloudfront.list_distributions()["DistributionList"].get("Items", []),
            "functions": cloudfront.list_functions()["FunctionList"].get("Items", []),
            "policies": policies.get("Items", []),
            "certificates": self.account.client("acm").list_certificates()["CertificateSummaryList"],
            "parameters": self.account.client("ssm").describe_parameters()["Parameters"],
            "records": sorted((record["Name"], record["Type"]) for record in records["ResourceRecordSets"]),
            "variables": function["Environment"]["Variables"],
            "permissions": iam.list_role_policies(RoleName=function["Role"].rpartition("/")[2])["PolicyNames"],
            "closed": self.account.client("apigatewayv2").get_apis()["Items"][0].get("DisableExecuteApiEndpoint"),
        }


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with MiniStack(tmp_path_factory.mktemp("cdn")) as ministack:
        yield Stack(ministack)


@pytest.mark.case("R89", "R90")
def test_the_application_sees_its_client_files_are_cached_and_nothing_comes_around_the_cdn(stack):
    stack.up()
    stack.up(domainName=MAIN)
    assert stack.ask("/who").status == 200

    stack.up(domainName=MAIN, cdn=True)
    answer = stack.ask("/who?b=2&a=1", method="POST", body=b"text", cookie="one=1; two=2", content_type="text/plain")
    assert json.loads(answer.body) == {
        "host": MAIN,
        "own": f"https://{MAIN}/who",
        "client": "192.0.2.7",
        "query": "b=2&a=1",
        "cookies": {"one": "1", "two": "2"},
        "body": "text",
        "secret": None,
    }
    assert stack.outputs["url"] == f"https://{MAIN}"
    found = [dict(stack.ask("/static/app.js", cookie=f"user={user}").headers)["x-cache"] for user in "ab"]
    assert (found, CALLS) == (["Miss from cloudfront", "Hit from cloudfront"], ["app.js"])
    assert [dict(stack.ask("/who").headers)["x-cache"] for _ in "ab"] == ["Miss from cloudfront"] * 2

    around = stack.around(x_forwarded_host=MAIN, x_dualmode_cdn="guessed")
    assert (around.status, json.loads(around.body)) == (
        403,
        {"error": "This address takes no requests of its own: send them to the domain of the application"},
    )
    first = stack.sent
    assert stack.around(x_dualmode_cdn=first).status == 200
    function = stack.account.client("lambda").get_function_configuration(FunctionName="dualmode-dev")
    kept = [path.read_text(errors="replace") for path in stack.ministack.state.glob("pulumi/**/*.json")]
    assert any("dualmode-dev" in text for text in kept)
    assert [text for text in (*kept, str(function)) if first in text] == []
    assert set(stack.up(domainName=MAIN, cdn=True)) == {"same"}


def test_no_request_is_refused_while_the_secret_is_changed(stack):
    stack.up(domainName=MAIN, cdn=True)
    first, answers = stack.sent, []
    changed = stack.up(lambda _: answers.append(stack.ask("/who").status), domainName=MAIN, cdn=True, cdnRotation=1)
    assert {change: changed[change] for change in changed if change != "same"} == {"update": 2}
    assert (len(answers) > 2, set(answers)) == (True, {200})
    second = stack.sent
    assert first != second
    # CloudFront's locations change over at different times.
    assert [stack.around(x_dualmode_cdn=value).status for value in (first, second)] == [200, 200]

    stack.up(domainName=MAIN, cdn=True, cdnRotation=2)
    assert stack.ask("/who").status == 200
    assert [stack.around(x_dualmode_cdn=value).status for value in (first, second, stack.sent)] == [403, 200, 200]


def test_the_cdn_comes_and_goes_without_a_refused_request(stack):
    stack.up(domainName=MAIN)
    answers = []

    def ask(line):
        answer = stack.edge.answer(Request(method="GET", target="/who", headers=(("Host", MAIN),)))
        refusal = answer.trace.refusal or answer.trace.hops[-1]
        answers.append(200 if answer.response.status == 200 else (line, refusal))

    stack.up(ask, domainName=MAIN, cdn=True)
    stack.up(ask, domainName=MAIN, keepDefaultEndpoint=True)
    stack.up(ask, domainName=MAIN)
    assert (len(answers) > 10, set(answers)) == (True, {200})
    assert stack.around().status == 404


def test_a_web_acl_is_asked_and_no_longer_asked(stack):
    acl = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/shop/11111111-2222-3333-4444-555555555555"

    def asked():
        (found,) = stack.account.client("cloudfront").list_distributions()["DistributionList"]["Items"]
        return found["WebACLId"]

    stack.up(domainName=MAIN, cdn=True, webAclArn=acl)
    assert asked() == acl
    stack.up(domainName=MAIN, cdn=True)
    assert asked() == ""


def test_without_the_cdn_the_account_is_as_before(stack):
    stack.up()
    before = stack.inventory()
    stack.up(domainName=MAIN, cdn=True, aliases=["*.sandbox.test"])
    assert json.loads(stack.ask("/who", host="any.sandbox.test").body)["host"] == "any.sandbox.test"
    stack.up(domainName=MAIN)
    assert (stack.ask("/who").status, stack.around().status) == (200, 404)
    stack.up()
    expected = {**before, "records": sorted({*before["records"], *proofs(MAIN, "sandbox.test")})}
    assert stack.inventory() == expected
