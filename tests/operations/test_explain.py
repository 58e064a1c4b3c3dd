"""`explain` as a person runs it: what it prints, its exit status, and its sentences where it can't go on."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from operations.errors import UsageError
from operations.explain import document, explain, lines, read
from operations.remedies import REMEDIES
from sandbox.resolver import Resolver
from tests.support.api_accounts import DOMAIN
from tests.support.distributions import ALL_VIEWER, behavior, put_in_front
from tests.support.page_blocks import blocks

ROOT = Path(__file__).parents[2]
URL = "https://api.example.com/hello"


@pytest.fixture
def command(ministack):
    """Runs the command against the account, or with other variables."""

    def run(*words, **variables):
        kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        environment = kept | ministack.variables | {"AWS_EC2_METADATA_DISABLED": "true"} | variables
        environment = {key: value for key, value in environment.items() if value}
        return subprocess.run(
            [sys.executable, "-m", "operations", "explain", *words],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def test_a_request_that_nothing_refuses_is_said_hop_by_hop_with_status_0(made, command):
    made.functions.get_waiter("published_version_active").wait(
        FunctionName="shop", Qualifier="1", WaiterConfig={"Delay": 0.2}
    )
    done = command("api.example.com/hello?a=1", "--no-dns")
    zone, target = made.zone.rpartition("/")[2], made.target.partition(".")[0]
    short, digest = made.certificate.rpartition("/")[2][:8], made.image.partition("@")[2][:19]
    assert (done.returncode, done.stderr, done.stdout.splitlines()) == (
        0,
        "",
        [
            "GET https://api.example.com/hello?a=1",
            f"  ✓ domain       api.example.com      A alias in zone {zone} to {target}, certificate {short}",
            f"  ✓ mapping      {made.mapping:19}  (none) to API {made.api}, stage $default",
            f"  ✓ stage        $default             API shop ({made.api}), no throttle",
            f"  ✓ route        {made.route:19}  $default",
            f"  ✓ integration  {made.integration:19}  AWS_PROXY, payload 2.0, 30 s, to shop:live",
            "  ✓ alias        live                 shop to version 1, allowed by api",
            "  ✓ version      1                    512 MB, 29 s, x86_64, role shop-role",
            f"  ✓ image        {digest}  repository shop-image",
            "",
            "Nothing on the way refuses it. What the application answers is in its log.",
        ],
    )


def test_a_refused_request_is_said_with_its_cause_what_to_change_and_our_setting_with_status_1(made, command):
    made.gateway.update_stage(ApiId=made.api, StageName="$default", DefaultRouteSettings={"ThrottlingRateLimit": 50.0})
    done = command(URL, "--no-dns")
    assert (done.returncode, done.stdout.splitlines()[-5:]) == (
        1,
        [
            "  ✗ throttle  $default         more than 50 requests/s, burst 0",
            "",
            "Refused at throttle $default: the client gets 429 Too Many Requests.",
            "  change   set rate and burst, both: one that is missing counts as 0, and removing the block keeps the 0",
            "  setting  throttleRate and throttleBurst",
        ],
    )


def test_json_has_the_hops_the_refusal_and_the_notes(made, command):
    made.gateway.update_api(ApiId=made.api, CorsConfiguration={"AllowOrigins": ["*"]})
    made.gateway.update_route(ApiId=made.api, RouteId=made.route, RouteKey="GET /other")
    done = command(URL, "--no-dns", "--json")
    found = json.loads(done.stdout)
    assert [(hop["hop"], hop["outcome"]) for hop in found.pop("hops")] == [
        ("domain", "ok"),
        ("mapping", "ok"),
        ("stage", "ok"),
        ("route", "refused"),
    ]
    assert (done.returncode, found) == (
        1,
        {
            "method": "GET",
            "url": URL,
            "status": 404,
            "refusal": {
                "hop": "route",
                "id": "GET /hello",
                "cause": "route-missing",
                "found": f"no route of API shop ({made.api}) takes it; it has only GET /other",
                "change": "add a route for it, or the route $default, which takes every request",
                "settings": [],
            },
            "notes": [
                {
                    "hop": "api",
                    "id": made.api,
                    "cause": "gateway-cors",
                    "found": "its CORS configuration replaces the CORS headers that the application sends",
                    "change": "remove the API's CORS configuration if the application sends its own headers",
                    "settings": [],
                }
            ],
        },
    )


def test_a_hop_that_may_not_be_read_is_shown_and_what_is_behind_it_too(made):
    made.deny("iam", "GetRole")
    question = read(URL, "GET")
    printed = list(lines(question, explain(made.account, question, made.dns.names())))
    assert "  ? role         (not read)           this hop could not be read: allow iam:GetRole" in printed
    assert printed[-1] == "Nothing on the way refuses it. What the application answers is in its log."


def test_where_the_walk_ends_the_rest_is_said_to_be_unknown(made):
    made.deny("apigatewayv2", "GetRoutes")
    question = read(URL, "GET")
    explained = explain(made.account, question, made.dns.names())
    assert list(lines(question, explained))[-2:] == [
        "Nothing refuses it up to route, behind which nothing could be read.",
        "  change   let the credentials make this call: docs/explain-policy.json allows all of them",
    ]
    assert document(question, explained)["refusal"] is None


def test_dns_is_asked_for_the_name_and_for_the_domain_s_target(made, command):
    resolver = Resolver(made.account)
    try:
        made.alias_record("DELETE", made.target)
        made.record("CREATE", Type="CNAME", TTL=60, ResourceRecords=[{"Value": made.target}])
        unresolved = command(URL, DUALMODE_RESOLVER=resolver.address)
        zone = made.route53.create_hosted_zone(Name=made.target.partition(".")[2], CallerReference="2")["HostedZone"]
        record = {"Name": made.target, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.7"}]}
        made.route53.change_resource_record_sets(
            HostedZoneId=zone["Id"], ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
        )
        resolved = command(URL, DUALMODE_RESOLVER=resolver.address)
    finally:
        resolver.stop()
    assert unresolved.stdout.splitlines()[-3:-1] == [
        "Refused at dns api.example.com: DNS leads nobody to it.",
        "  change   create a record for the name where its DNS is, or wait: resolvers keep a missing name for minutes",
    ]
    assert resolved.stdout.splitlines()[1] == "  ✓ dns          api.example.com      192.0.2.7"


def test_of_a_name_that_no_public_dns_has_the_account_s_zone_is_believed(command):
    done = command("https://app.sandbox.test/", DUALMODE_RESOLVER="127.0.0.1:1")
    assert [line.split()[:3] for line in done.stdout.splitlines()[1:2]] == [["✗", "domain", "app.sandbox.test"]]


def test_without_an_address_the_stack_s_own_is_explained(made, command, tmp_path):
    (tmp_path / "pulumi").write_text(f"""#!/bin/sh
[ "$*" = "stack output --json --non-interactive --stack prod" ] || exit 1
echo '{{"function_name": "shop", "url": "https://{made.target}", "api_endpoint": "https://{made.host}"}}'
""")
    (tmp_path / "pulumi").chmod(0o755)
    found = command("--stack", "prod", "--no-dns", PATH=f"{tmp_path}:{os.environ['PATH']}", AWS_REGION="")
    assert found.stdout.splitlines()[0] == f"GET https://{made.target}"
    missing = command("--stack", "other", "--no-dns", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert (missing.returncode, missing.stderr.startswith("operations: `pulumi stack output` failed")) == (1, True)
    assert missing.stderr.endswith(" Or give the address to explain, such as https://api.example.com/hello.\n")


def test_without_credentials_it_says_so_in_one_sentence(command):
    done = command(URL, "--no-dns", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="", HOME="/nonexistent")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("operations: There are no credentials for AWS (")
    assert done.stderr.count("\n") == 1


def test_credentials_that_aws_does_not_know_are_said_to_be_refused(command):
    done = command(URL, "--no-dns", AWS_ACCESS_KEY_ID="OTHER")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("operations: AWS does not accept the credentials (")


def test_without_a_region_it_says_how_to_give_one(command):
    done = command(URL, AWS_REGION="", AWS_DEFAULT_REGION="", HOME="/nonexistent")
    assert (done.returncode, done.stderr) == (
        1,
        "operations: No AWS region is set: give --region, or set AWS_REGION.\n",
    )


@pytest.mark.parametrize(
    "url", ["", "https://", "ftp://api.example.com", "https://[api", "https://a..b.example/x", "/x"]
)
def test_what_is_not_an_address_is_refused(url):
    with pytest.raises(UsageError) as refused:
        read(url, "GET")
    assert str(refused.value) == f"explain takes an address such as https://api.example.com/hello, not '{url}'."


def test_wrong_usage_ends_with_status_2(command):
    done = command(URL, "--method", "GET IT")
    assert (done.returncode, done.stderr) == (
        2,
        "operations: --method takes a method such as GET, not 'GET IT'. See python -m operations --help.\n",
    )


@pytest.mark.parametrize(
    ("url", "name", "target"),
    [
        ("api.example.com", "api.example.com", "/"),
        ("https://API.example.com./a%20b?x=1&y", "api.example.com", "/a%20b?x=1&y"),
        ("http://api.example.com:8080/a#part", "api.example.com", "/a"),
        ("https://bücher.example/ü", "xn--bcher-kva.example", "/%C3%BC"),
    ],
)
def test_an_address_is_read_as_a_client_sends_it(url, name, target):
    question = read(url, "post")
    assert (question.method, question.name, question.target) == ("POST", name, target)


def test_a_remedy_names_only_settings_that_there_are():
    settings = set(yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"])
    assert {name for remedy in REMEDIES.values() for name in remedy.settings} <= settings


def permission_of_a_rest_api(made):
    made.permit(SourceArn=f"{made.source}/*/*/*")


def host_passed_on(made):
    made.gateway.delete_api_mapping(DomainName=DOMAIN, ApiMappingId=made.mapping)
    made.gateway.delete_domain_name(DomainName=DOMAIN)
    put_in_front(made, DefaultCacheBehavior=behavior(OriginRequestPolicyId=ALL_VIEWER))


@pytest.mark.parametrize(("number", "breaks"), [(0, permission_of_a_rest_api), (1, host_passed_on)])
def test_the_examples_of_the_documentation_are_what_it_prints(made, number, breaks):
    breaks(made)
    question = read(URL, "GET")
    printed = list(lines(question, explain(made.account, question, made.dns.names())))
    example = blocks("console", pages=[ROOT / "docs" / "explain.md"])[number].text.splitlines()[1:]
    assert [masked(line) for line in example] == [masked(line) for line in printed]


def masked(line):
    """A line without the ids that are others each time."""
    return re.sub(r"\b(?:Z[A-Z0-9]{13}|E[A-Z0-9]{13}|d[a-z0-9]{13}|(?:d-)?[0-9a-f]{6,10})\b *", "ID ", line)
