import hmac

import pytest

from infra.cdn import ALL_VIEWER_EXCEPT_HOST_HEADER, CACHING_DISABLED, ERROR_CODES
from infra.cdn_secret import accepted
from walk import explanation

METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]


@pytest.fixture(scope="module")
def with_cdn(program):
    return program.deploy(domainName="app.sandbox.test", aliases=["sandbox.test"], cdn=True)


def values(key, *rotations):
    return [hmac.new(key.encode(), rotation.encode(), "sha256").hexdigest() for rotation in rotations]


def test_a_rotation_accepts_its_own_secret_and_the_one_before():
    assert accepted("key", 0) == values("key", "0")
    assert accepted("key", 1) == values("key", "1", "0")
    assert accepted("key", 7) == values("key", "7", "6")


def test_the_distribution_has_the_names_of_the_domain_and_takes_http_3_ipv6_and_tls_1_2(with_cdn):
    made = with_cdn.one("Distribution").inputs
    certificate = with_cdn.one("Certificate")
    # CloudFront takes certificates of this region alone, wherever the deployment is.
    assert (certificate.name, certificate.inputs.get("region")) == ("domain-cdn-certificate", "us-east-1")
    assert {key: made.get(key) for key in ("aliases", "enabled", "httpVersion", "isIpv6Enabled", "priceClass")} == {
        "aliases": ["app.sandbox.test", "sandbox.test"],
        "enabled": True,
        "httpVersion": "http2and3",
        "isIpv6Enabled": True,
        "priceClass": "PriceClass_All",
    }
    assert made["viewerCertificate"] == {
        "acmCertificateArn": certificate.outputs["arn"],
        "sslSupportMethod": "sni-only",
        "minimumProtocolVersion": "TLSv1.2_2021",
    }
    assert ("loggingConfig" in made, "webAclId" in made) == (False, False)
    assert made["customErrorResponses"] == [{"errorCode": code, "errorCachingMinTtl": 0} for code in ERROR_CODES]


def test_all_but_files_passes_with_cookies_and_query_and_is_not_cached(with_cdn):
    function = with_cdn.one("Function", "cdn-viewer-request")
    association = [{"eventType": "viewer-request", "functionArn": function.outputs["arn"]}]
    made = with_cdn.one("Distribution").inputs
    assert made["defaultCacheBehavior"] == {
        "targetOriginId": "api",
        "viewerProtocolPolicy": "redirect-to-https",
        "allowedMethods": METHODS,
        "cachedMethods": ["GET", "HEAD"],
        "compress": True,
        "cachePolicyId": CACHING_DISABLED,
        "originRequestPolicyId": ALL_VIEWER_EXCEPT_HOST_HEADER,
        "functionAssociations": association,
    }
    assert made["orderedCacheBehaviors"] == [
        {
            "pathPattern": "/static/*",
            "targetOriginId": "api",
            "viewerProtocolPolicy": "redirect-to-https",
            "allowedMethods": ["GET", "HEAD", "OPTIONS"],
            "cachedMethods": ["GET", "HEAD"],
            "compress": True,
            "cachePolicyId": with_cdn.one("CachePolicy").id,
            "functionAssociations": association,
        }
    ]


def test_the_origin_is_asked_by_tls_and_waited_for_longer_than_the_api_takes(with_cdn):
    (origin,) = with_cdn.one("Distribution").inputs["origins"]
    assert origin["customOriginConfig"] == {
        "httpPort": 80,
        "httpsPort": 443,
        "originProtocolPolicy": "https-only",
        "originSslProtocols": ["TLSv1.2"],
        "originReadTimeout": 35,  # the API answers within 30 s
    }


def test_files_are_kept_by_name_path_and_query_and_without_cookies(with_cdn):
    policy = with_cdn.one("CachePolicy").inputs
    assert (policy["minTtl"], policy["defaultTtl"], policy["maxTtl"]) == (0, 0, 365 * 24 * 3600)
    assert policy["parametersInCacheKeyAndForwardedToOrigin"] == {
        "enableAcceptEncodingBrotli": True,
        "enableAcceptEncodingGzip": True,
        "headersConfig": {"headerBehavior": "whitelist", "headers": {"items": ["x-forwarded-host"]}},
        "cookiesConfig": {"cookieBehavior": "none"},
        "queryStringsConfig": {"queryStringBehavior": "all"},
    }


def test_both_address_records_of_each_name_lead_to_cloudfront(with_cdn):
    distribution = with_cdn.one("Distribution").outputs
    for host in ("app.sandbox.test", "sandbox.test"):
        for kind in ("a", "aaaa"):
            assert with_cdn.one("Record", f"domain-{kind}-{host}").inputs["aliases"] == [
                {"name": distribution["domainName"], "zoneId": "Z2FDTNDATAQYW2", "evaluateTargetHealth": False}
            ]
    assert (with_cdn.count("DomainName"), with_cdn.count("ApiMapping")) == (0, 0)


def test_the_function_is_told_where_the_secrets_are_once_the_names_lead_to_cloudfront(with_cdn):
    made = with_cdn.account.client("lambda").get_function_configuration(FunctionName="dualmode-dev")
    assert made["Environment"]["Variables"] == {
        "DUALMODE_API_ID": with_cdn.one("Api").id,
        "DUALMODE_SECRET_DUALMODE_CDN_SECRETS": "ssm:/dualmode/dualmode-dev/CDN_SECRETS",
    }
    awaited = {urn.rpartition("::")[2] for urn in with_cdn.one("Function", "function-function").dependencies}
    records = {f"domain-{kind}-{host}" for kind in ("a", "aaaa") for host in ("app.sandbox.test", "sandbox.test")}
    assert {"cdn-distribution", *records} <= awaited


def test_the_function_may_read_the_secrets_and_not_the_key(with_cdn):
    parameter = with_cdn.one("Parameter", "cdn-secrets").outputs["arn"]
    policy = with_cdn.one("RolePolicy", "function-cdn").inputs["policy"]
    assert ("ssm:GetParameters" in policy, parameter in policy, "CDN_KEY" in policy) == (True, True, False)


def test_a_request_is_explained_through_cloudfront_to_the_image(with_cdn):
    found = explanation.explain(with_cdn.account, "GET", "/hello", "app.sandbox.test", None)
    assert [hop.hop for hop in found.hops] == [
        *("distribution", "behavior", "domain", "stage", "route", "integration", "alias", "version", "image")
    ]
    assert (found.refusal, [note.cause for note in found.notes if note.cause != "cdn-in-progress"]) == (None, [])
    around = with_cdn.one("Api").outputs["apiEndpoint"].partition("://")[2].partition(":")[0]
    assert explanation.explain(with_cdn.account, "GET", "/hello", around, None).refusal.cause == "cdn-around"
