"""What AWS refuses of CloudFront's resources, and the emulator doesn't."""

import pytest

from sandbox.provider.refusals import ResourceRefusedError
from tests.support.provided import examples, make_everything

TOKEN = "aws:cloudfront/distribution:Distribution"


@pytest.fixture(scope="module")
def made(ministack, account, provider):
    ministack.reset()
    return make_everything(provider, account)


@pytest.fixture
def refused(provider, made):
    """Creates a distribution like the one that was made, with other inputs; gives the sentence of its refusal."""

    def refused(**other):
        with pytest.raises(ResourceRefusedError) as caught:
            provider.create(TOKEN, "mine", {**made["Distribution"].inputs, **other})
        return str(caught.value)

    return refused


@pytest.fixture
def with_certificate(made):
    arn = made["Certificate"].outputs["arn"]
    return {"acmCertificateArn": arn, "sslSupportMethod": "sni-only", "minimumProtocolVersion": "TLSv1.2_2021"}


def test_names_need_a_certificate_that_covers_them_and_is_in_us_east_1(refused, with_certificate):
    assert refused(aliases=["app.sandbox.test"]).endswith(
        "aliases: InvalidViewerCertificate: alternate domain names need a certificate of ACM"
    )
    assert "doesn't cover other.sandbox.test" in refused(
        aliases=["other.sandbox.test"], viewerCertificate=with_certificate
    )
    elsewhere = with_certificate["acmCertificateArn"].replace("us-east-1", "eu-west-1")
    assert "it is not in ACM in us-east-1" in refused(
        viewerCertificate={**with_certificate, "acmCertificateArn": elsewhere}
    )


def test_a_name_is_of_one_distribution_and_its_certificate_stays(refused, provider, made, with_certificate):
    named = {"aliases": ["app.sandbox.test"], "viewerCertificate": with_certificate}
    first = provider.create(TOKEN, "first", {**made["Distribution"].inputs, **named})
    assert f"CNAMEAlreadyExists: app.sandbox.test is an alias of distribution {first.identity}" in refused(**named)
    domain = made["DomainName"]
    provider.delete("aws:apigatewayv2/domainName:DomainName", "domain", domain.identity, domain.outputs)
    certificate = made["Certificate"]
    with pytest.raises(ResourceRefusedError, match=f"in use by CloudFront, {first.identity}"):
        provider.delete("aws:acm/certificate:Certificate", "mine", certificate.identity, certificate.outputs)
    provider.delete(TOKEN, "first", first.identity, first.outputs)
    assert made["Distribution"].identity != first.identity


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"targetOriginId": "nowhere"}, "NoSuchOrigin: no origin has the id 'nowhere'"),
        ({"cachePolicyId": "gone"}, "NoSuchCachePolicy: there is no policy gone"),
        ({"originRequestPolicyId": "gone"}, "NoSuchOriginRequestPolicy: there is no policy gone"),
        ({"viewerProtocolPolicy": "maybe"}, "Member must satisfy enum value set: [allow-all, https-only, "),
    ],
)
def test_a_behavior_that_cannot_be_is_refused(refused, made, other, sentence):
    behavior = made["Distribution"].inputs["defaultCacheBehavior"]
    assert sentence in refused(defaultCacheBehavior={**behavior, **other})


def test_a_web_acl_is_one_for_cloudfront(refused):
    regional = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/shop/11111111-2222-3333-4444-555555555555"
    assert "is not the ARN of a web ACL of WAFv2 for CloudFront" in refused(webAclId=regional)


def test_a_function_that_is_not_published_is_refused(refused, provider, made):
    token = "aws:cloudfront/function:Function"
    inputs = {**examples()["ViewerRequest"].inputs, "name": "draft", "publish": False}
    draft = provider.create(token, "draft", inputs)
    assert draft.outputs["status"] == "UNPUBLISHED"
    behavior = {
        **made["Distribution"].inputs["defaultCacheBehavior"],
        "functionAssociations": [{"eventType": "viewer-request", "functionArn": draft.outputs["arn"]}],
    }
    assert "InvalidFunctionAssociation: the function " in refused(defaultCacheBehavior=behavior)


@pytest.mark.parametrize(("key", "code"), [("ViewerRequest", "FunctionInUse"), ("CachePolicy", "CachePolicyInUse")])
def test_what_a_distribution_uses_stays(provider, made, key, code):
    found = made[key]
    used_by = made["Distribution"].identity
    with pytest.raises(ResourceRefusedError, match=rf"{code}: .* is used by distribution {used_by}"):
        provider.delete(examples()[key].pulumi_type, key, found.identity, found.outputs)


def test_the_ages_of_a_cache_policy_do_not_exclude_each_other(provider):
    inputs = {**examples()["CachePolicy"].inputs, "name": "other", "minTtl": 60, "defaultTtl": 30}
    with pytest.raises(ResourceRefusedError, match="minTtl: MinTTL, DefaultTTL and MaxTTL must not decrease"):
        provider.create("aws:cloudfront/cachePolicy:CachePolicy", "other", inputs)
