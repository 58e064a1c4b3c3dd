"""CloudFront's distributions, as its listing has them."""

from typing import Any

from sandbox.provider.aws import Aws


def distributions(aws: Aws) -> list[dict[str, Any]]:
    """Return the configuration of every distribution."""
    pages = aws.client("cloudfront").get_paginator("list_distributions").paginate()
    return [each for page in pages for each in page["DistributionList"].get("Items", [])]


def distributions_with(aws: Aws, certificate: str) -> list[str]:
    """Return the ids of the distributions that use a certificate."""
    return [
        each["Id"] for each in distributions(aws) if each["ViewerCertificate"].get("ACMCertificateArn") == certificate
    ]
