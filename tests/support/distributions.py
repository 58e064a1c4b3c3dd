"""A distribution of CloudFront in front of an account's API, made by boto3 as anyone could make it."""

from tests.support.api_accounts import DOMAIN, ApiAccount

ALL_METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
ALL_BUT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"


def counted(items):
    return {"Quantity": len(items), "Items": items} if items else {"Quantity": 0}


def behavior(**different):
    return {
        "TargetOriginId": "api",
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": counted(ALL_METHODS) | {"CachedMethods": counted(["GET", "HEAD"])},
        "CachePolicyId": CACHING_DISABLED,
        "OriginRequestPolicyId": ALL_BUT_HOST,
    } | different


def put_in_front(made: ApiAccount, *, origin=None, headers=(), protocol="https-only", path="", **different):
    """Leads the account's name to a distribution whose origin is the API, and keeps the distribution's id."""
    source = {
        "Id": "api",
        "DomainName": origin or made.host,
        "OriginPath": path,
        "CustomHeaders": counted([{"HeaderName": name, "HeaderValue": value} for name, value in headers]),
        "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": protocol},
    }
    config = {
        "CallerReference": "1",
        "Comment": "",
        "Enabled": True,
        "Aliases": counted([DOMAIN]),
        "Origins": counted([source]),
        "DefaultCacheBehavior": behavior(),
        "ViewerCertificate": {"ACMCertificateArn": made.certificate, "SSLSupportMethod": "sni-only"},
    } | different
    # MiniStack deploys for a while.
    made.answered("cloudfront", "GetDistribution", lambda parsed: parsed["Distribution"].update(Status="Deployed"))
    found = made.cloudfront.create_distribution(DistributionConfig=config)["Distribution"]
    made.distribution, made.cdn = found["Id"], found["DomainName"]
    made.alias_record("UPSERT", made.cdn)
    made.dns.known[made.cdn] = made.dns.known[DOMAIN]
