"""A request whose name leads to CloudFront is explained up to the function behind the distribution's origin."""

import datetime

import pytest

from dualmode.behind_cdn import SECRET_HEADER, VARIABLE
from dualmode.gateway.http.message import Request
from infra.secrets import PLACE_OF
from sandbox.edge.edge import Edge
from tests.support.api_accounts import ALIAS, DOMAIN, FUNCTION, publish
from tests.support.distributions import (
    ALL_VIEWER,
    CACHING_OPTIMIZED,
    behavior,
    counted,
    put_in_front,
)
from tests.support.explanations import case, explained, outcome
from walk import cdn_secret

ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/shop/11111111-2222-3333-4444-555555555555"


def front(**different):
    return lambda made: put_in_front(made, **different)


def closed_domain(made):
    """The API has no domain of its own, as with the setting `cdn`."""
    made.gateway.delete_api_mapping(DomainName=DOMAIN, ApiMappingId=made.mapping)
    made.gateway.delete_domain_name(DomainName=DOMAIN)


def host_to_an_api_without_domain(**different):
    def change(made):
        closed_domain(made)
        put_in_front(made, DefaultCacheBehavior=behavior(**different))

    return change


def guarded(made):
    """The function takes requests of its CDN alone."""
    variables = {f"{PLACE_OF}{VARIABLE}": "ssm:/dualmode/shop/CDN_SECRETS"}
    made.functions.update_function_configuration(FunctionName=FUNCTION, Environment={"Variables": variables})
    made.functions.update_alias(FunctionName=FUNCTION, Name=ALIAS, FunctionVersion=publish(made))


def guarded_behind(headers):
    def change(made):
        guarded(made)
        put_in_front(made, headers=headers)

    return change


def own_values(*headers):
    """A behavior of the kind before there were policies."""
    given = behavior(
        ForwardedValues={"QueryString": True, "Cookies": {"Forward": "all"}, "Headers": counted(list(headers))},
        MinTTL=0,
    )
    return {key: value for key, value in given.items() if not key.endswith("PolicyId")}


def forwarding(*headers):
    def change(made):
        closed_domain(made)
        put_in_front(made, DefaultCacheBehavior=own_values(*headers))

    return change


def expired(made):
    put_in_front(made)
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    made.answered("acm", "DescribeCertificate", lambda parsed: parsed["Certificate"].update(NotAfter=past))


def endpoint_disabled(made):
    put_in_front(made)
    made.gateway.update_api(ApiId=made.api, DisableExecuteApiEndpoint=True)


def named_stage_without_origin_path(made):
    put_in_front(made)
    made.gateway.delete_stage(ApiId=made.api, StageName="$default")
    made.gateway.create_stage(ApiId=made.api, StageName="prod", AutoDeploy=True)


def api_gone(made):
    put_in_front(made)
    made.gateway.delete_api(ApiId=made.api)


def answered(**different):
    def change(made):
        put_in_front(made)
        made.answered("cloudfront", "GetDistribution", lambda parsed: parsed["Distribution"].update(different))

    return change


def config(**different):
    def change(made):
        put_in_front(made)
        made.answered(
            "cloudfront",
            "GetDistribution",
            lambda parsed: parsed["Distribution"]["DistributionConfig"].update(different),
        )

    return change


def another_account_s(made):
    distribution = "d111111abcdef8.cloudfront.net"
    made.alias_record("UPSERT", distribution)
    made.dns.known[distribution] = made.dns.known[DOMAIN]


READ_ONLY = counted(["GET", "HEAD"]) | {"CachedMethods": counted(["GET", "HEAD"])}
EDGE = counted([{"EventType": "origin-request", "LambdaFunctionARN": "arn:aws:lambda:us-east-1:1:function:edge:1"}])

REFUSALS = [
    case("no distribution has the name", front(Aliases=counted([])), 403, "distribution", DOMAIN, "distribution-alias"),
    case(
        "the distribution is disabled",
        front(Enabled=False),
        *(403, "distribution", "{made.distribution}", "distribution-disabled"),
    ),
    case(
        "the distribution's certificate has expired",
        expired,
        *(403, "certificate", "{made.certificate}", "certificate-expired"),
    ),
    case(
        "the behavior allows no POST",
        front(DefaultCacheBehavior=behavior(AllowedMethods=READ_ONLY)),
        *(403, "behavior", "*", "cdn-method"),
        method="POST",
    ),
    case(
        "the origin request policy passes on Host",
        host_to_an_api_without_domain(OriginRequestPolicyId=ALL_VIEWER),
        *(403, "host", DOMAIN, "cdn-host"),
    ),
    case("a behavior without policies passes on Host", forwarding("Host"), 403, "host", DOMAIN, "cdn-host"),
    case("a behavior without policies passes on all", forwarding("*"), 403, "host", DOMAIN, "cdn-host"),
    case("CloudFront connects by http", front(protocol="http-only"), 502, "origin", "api", "cdn-http"),
    case("the origin's API is gone", api_gone, 403, "domain", "{made.host}", "api-missing"),
    case("the origin's endpoint is closed", endpoint_disabled, 404, "domain", "{made.host}", "endpoint-disabled"),
    case(
        "the origin has no path to the stage",
        named_stage_without_origin_path,
        *(404, "stage", "$default", "stage-not-in-path"),
    ),
    case("the secret header is not sent", guarded_behind(()), 403, "function", "shop:2", "cdn-secret"),
    case("the request goes around the CDN", guarded, 403, "function", "shop:2", "cdn-around", name="{made.host}"),
]


@pytest.mark.parametrize(("breaks", "expected", "asked"), REFUSALS)
def test_the_cause_of_a_refusal_at_or_behind_cloudfront_is_named(made, breaks, expected, asked):
    breaks(made)
    found = explained(made, **{key: value.format(made=made) for key, value in asked.items()})
    status, hop, identity, cause = expected
    refusal = found.refusal
    assert refusal is not None
    assert refusal == found.hops[-1]
    assert (found.status, refusal.hop, refusal.id, refusal.cause) == (status, hop, identity.format(made=made), cause)


ENDS = [
    case("the distribution is another account's", another_account_s, None, "distribution", DOMAIN, "cdn"),
    case("the origin is a bucket", front(origin="shop.s3.amazonaws.com"), None, "origin", "api", "cdn-origin"),
]


@pytest.mark.parametrize(("breaks", "expected", "asked"), ENDS)
def test_where_the_walk_ends_at_cloudfront_is_said_and_is_not_a_refusal(made, breaks, expected, asked):
    breaks(made)
    found = explained(made, **asked)
    status, hop, identity, cause = expected
    last = found.hops[-1]
    assert (found.status, last.hop, last.id, last.cause) == (status, hop, identity, cause)
    assert (outcome(last), found.refusal) == ("unread", None)


NOTES = [
    case("a web ACL is asked first", front(WebACLId=ACL), None, "distribution", "{made.distribution}", "web-acl"),
    case(
        "the distribution is being changed",
        answered(Status="InProgress"),
        *(None, "distribution", "{made.distribution}", "cdn-in-progress"),
    ),
    case(
        "some countries are refused",
        config(Restrictions={"GeoRestriction": {"RestrictionType": "blacklist", **counted(["DE"])}}),
        *(None, "distribution", "{made.distribution}", "cdn-countries"),
    ),
    case(
        "a function at the edge may change the request",
        front(DefaultCacheBehavior=behavior(OriginRequestPolicyId=ALL_VIEWER, LambdaFunctionAssociations=EDGE)),
        *(None, "behavior", "*", "edge-function"),
    ),
    case(
        "cookies and query are lost",
        front(
            DefaultCacheBehavior={
                key: value
                for key, value in behavior(CachePolicyId=CACHING_OPTIMIZED).items()
                if key != "OriginRequestPolicyId"
            }
        ),
        *(None, "behavior", "*", "cdn-drops"),
    ),
]


@pytest.mark.parametrize(("changes", "expected", "asked"), NOTES)
def test_what_cloudfront_does_that_is_seldom_wanted_is_noted(made, changes, expected, asked):
    changes(made)
    found = explained(made, **asked)
    status, hop, identity, cause = expected
    assert (found.status, found.refusal, found.hops[-1].hop) == (status, None, "image")
    assert [(note.hop, note.id, note.cause) for note in found.notes] == [(hop, identity.format(made=made), cause)]


def test_a_request_passes_cloudfront_and_every_hop_behind_it_in_order(made):
    closed_domain(made)
    guarded_behind([(SECRET_HEADER, "value")])(made)
    found = explained(made)
    assert [(hop.hop, hop.id, outcome(hop)) for hop in found.hops] == [
        ("dns", DOMAIN, "ok"),
        ("distribution", made.distribution, "ok"),
        ("behavior", "*", "ok"),
        ("domain", made.host, "ok"),
        ("stage", "$default", "ok"),
        ("route", made.route, "ok"),
        ("integration", made.integration, "ok"),
        ("alias", ALIAS, "ok"),
        ("version", "2", "ok"),
        ("image", made.image.partition("@")[2], "ok"),
    ]
    assert (found.notes, found.status, found.refusal) == ((), None, None)


def test_a_distribution_is_explained_by_its_own_name_too(made):
    put_in_front(made)
    found = explained(made, name=made.cdn)
    assert ([hop.hop for hop in found.hops[:3]], found.refusal) == (["distribution", "behavior", "domain"], None)


def test_the_host_is_passed_on_to_an_api_that_has_a_domain_of_that_name(made):
    put_in_front(made, DefaultCacheBehavior=behavior(OriginRequestPolicyId=ALL_VIEWER))
    found = explained(made)
    assert ([hop.hop for hop in found.hops[1:5]], found.refusal) == (
        ["distribution", "behavior", "domain", "mapping"],
        None,
    )


@pytest.mark.case("R91")
def test_the_path_of_the_origin_is_put_in_front_of_the_request_s(made):
    named_stage_without_origin_path(made)
    made.cloudfront.get_distribution(Id=made.distribution)
    made.answered(
        "cloudfront",
        "GetDistribution",
        lambda parsed: parsed["Distribution"]["DistributionConfig"]["Origins"]["Items"][0].update(OriginPath="/prod"),
    )
    found = explained(made)
    assert ([hop.id for hop in found.hops if hop.hop == "stage"], found.refusal) == (["prod"], None)


def test_an_origin_in_another_region_is_looked_for_there(made):
    put_in_front(made, origin="abcdefghij.execute-api.eu-west-1.amazonaws.com")
    assert explained(made).refusal.detail == "no API of this account in eu-west-1 has the id abcdefghij"


@pytest.mark.parametrize(
    ("call", "goes_on"),
    [
        ("ListDistributions", False),
        ("GetDistribution", False),
        ("GetCachePolicy", True),
        ("GetOriginRequestPolicy", True),
    ],
)
def test_behind_what_may_not_be_read_of_cloudfront_the_walk_goes_on_where_it_can(made, call, goes_on):
    put_in_front(made)
    made.deny("cloudfront", call)
    found = explained(made)
    denied = [hop for hop in found.hops if hop.cause == "denied"]
    assert (found.refusal, found.notes, {outcome(hop) for hop in denied}) == (None, (), {"unread"})
    assert ("image" in [hop.hop for hop in found.hops]) == goes_on


def test_the_header_and_the_variables_are_those_of_the_runtime():
    assert (SECRET_HEADER, (VARIABLE, f"{PLACE_OF}{VARIABLE}")) == (cdn_secret.HEADER, cdn_secret.VARIABLES)


@pytest.mark.case("R89")
def test_the_sandbox_refuses_a_distribution_that_passes_on_host_as_aws_does(made):
    closed_domain(made)
    put_in_front(made, DefaultCacheBehavior=behavior(OriginRequestPolicyId=ALL_VIEWER))
    answer = Edge(made.account, None).answer(Request(method="GET", target="/hello", headers=(("Host", DOMAIN),)))
    assert (answer.response.status, answer.trace.refusal.cause) == (403, "cdn-host")
