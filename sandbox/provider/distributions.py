"""CloudFront's distributions, as its listing has them."""

from collections.abc import Iterator, Mapping
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


def behaviors(aws: Aws) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the behaviors of all distributions, each with its distribution's id."""
    for each in distributions(aws):
        for behavior in (each["DefaultCacheBehavior"], *items_of(each.get("CacheBehaviors"))):
            yield each["Id"], behavior


def function_arns(behavior: Mapping[str, Any]) -> list[str]:
    """Return the ARNs of a behavior's functions."""
    return [each["FunctionARN"] for each in items_of(behavior.get("FunctionAssociations"))]


def items_of(found: Any) -> list[Any]:
    """Return the items of one of CloudFront's lists, none where there is no list."""
    return list(found.get("Items") or []) if isinstance(found, Mapping) else []
