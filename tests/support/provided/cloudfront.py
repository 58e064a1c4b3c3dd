from tests.support.provided.example import Example

CODE = "function handler(event) { return event.request; }"
DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"


def behavior(made, **more):
    return {
        "targetOriginId": "api",
        "viewerProtocolPolicy": "redirect-to-https",
        "allowedMethods": ["GET", "HEAD"],
        "cachedMethods": ["GET", "HEAD"],
        "cachePolicyId": made["CachePolicy"].identity,
        "functionAssociations": [
            {"eventType": "viewer-request", "functionArn": made["ViewerRequest"].outputs["arn"]},
        ],
        **more,
    }


EXAMPLES = (
    Example(
        pulumi_type="aws:cloudfront/function:Function",
        name="ViewerRequest",
        inputs={"name": "viewer", "runtime": "cloudfront-js-2.0", "code": CODE, "tags": {"old": "x"}},
        updates={"code": CODE + "\n", "comment": "keeps Host", "tags": {"a": "b"}},
        follow=frozenset({"etag", "liveStageEtag"}),
        replaces={"name": "other"},
    ),
    Example(
        pulumi_type="aws:cloudfront/cachePolicy:CachePolicy",
        inputs={
            "name": "static",
            "defaultTtl": 0,
            "parametersInCacheKeyAndForwardedToOrigin": {
                "enableAcceptEncodingGzip": True,
                "headersConfig": {"headerBehavior": "whitelist", "headers": {"items": ["x-forwarded-host"]}},
                "cookiesConfig": {"cookieBehavior": "none"},
                "queryStringsConfig": {"queryStringBehavior": "all"},
            },
        },
        updates={"comment": "as the origin says", "defaultTtl": 60},
        follow=frozenset({"etag"}),
    ),
    Example(
        pulumi_type="aws:cloudfront/distribution:Distribution",
        inputs=lambda made: {
            "enabled": True,
            "origins": [
                {
                    "originId": "api",
                    "domainName": "api.example.com",
                    "customHeaders": [{"name": "x-secret", "value": "s"}],
                    "customOriginConfig": {
                        "httpPort": 80,
                        "httpsPort": 443,
                        "originProtocolPolicy": "https-only",
                        "originSslProtocols": ["TLSv1.2"],
                    },
                }
            ],
            "defaultCacheBehavior": behavior(made, cachePolicyId=DISABLED),
            "orderedCacheBehaviors": [behavior(made, pathPattern="/static/*")],
            "customErrorResponses": [{"errorCode": 404, "errorCachingMinTtl": 0}],
            "restrictions": {"geoRestriction": {"restrictionType": "none"}},
            "viewerCertificate": {"cloudfrontDefaultCertificate": True},
            "tags": {"old": "x"},
        },
        updates={"comment": "web", "priceClass": "PriceClass_100", "tags": {"a": "b"}},
        follow=frozenset({"etag", "lastModifiedTime"}),
        valueless=frozenset({"trustedKeyGroups", "trustedSigners"}),
    ),
)
