"""CloudFront: cache policies.

Source: hashicorp/terraform-provider-aws, internal/service/cloudfront/cache_policy.go.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.blocks import Block
from sandbox.provider.call import Call, given, parameters
from sandbox.provider.counted import CountedTexts
from sandbox.provider.distributions import behaviors
from sandbox.provider.fields import Field, Output
from sandbox.provider.forms import BOOLEAN, INTEGER
from sandbox.provider.inputs import Inputs
from sandbox.provider.refusals import ResourceRefusedError
from sandbox.provider.resource_type import ResourceType


class _Names(Block):
    """A block with one list, `items`, which AWS has with its length."""

    def __init__(self) -> None:
        super().__init__()

    def read(self, inputs: Inputs, key: str) -> Any:
        block = inputs.block(key)
        return CountedTexts().read(block, "items") if block else None

    def output(self, found: Any) -> Any:
        return {"items": CountedTexts().output(found)} if found.get("Items") else None

    def holds(self, found: Any, wanted: Any) -> bool:
        return bool(found == self.output(wanted))

    def bound(self, shape: Any) -> "_Names":
        return self


def _part_of_key(name: str, behavior: str, names: str) -> Field:
    above = name[0].upper() + name[1:]
    return Field(
        name,
        above,
        Block(
            Field(behavior, behavior[0].upper() + behavior[1:], required=True),
            Field(names, names[0].upper() + names[1:], _Names()),
        ),
    )


class CachePolicy(ResourceType):
    """`aws.cloudfront.CachePolicy`."""

    pulumi_type = "aws:cloudfront/cachePolicy:CachePolicy"
    service = "cloudfront"
    regional = False
    fields = (
        Field("name", "CachePolicyConfig.Name", required=True),
        Field("comment", "CachePolicyConfig.Comment"),
        Field("minTtl", "CachePolicyConfig.MinTTL", INTEGER, default=0),
        Field("defaultTtl", "CachePolicyConfig.DefaultTTL", INTEGER, filled=86400),
        Field("maxTtl", "CachePolicyConfig.MaxTTL", INTEGER, filled=31536000),
        Field(
            "parametersInCacheKeyAndForwardedToOrigin",
            "CachePolicyConfig.ParametersInCacheKeyAndForwardedToOrigin",
            Block(
                Field("enableAcceptEncodingBrotli", "EnableAcceptEncodingBrotli", BOOLEAN, default=False),
                Field("enableAcceptEncodingGzip", "EnableAcceptEncodingGzip", BOOLEAN, default=False),
                _part_of_key("headersConfig", "headerBehavior", "headers"),
                _part_of_key("cookiesConfig", "cookieBehavior", "cookies"),
                _part_of_key("queryStringsConfig", "queryStringBehavior", "queryStrings"),
            ),
            required=True,
        ),
        Output("arn"),
        Output("etag", "ETag", unknown_after_update=True),
    )
    autonamed = "name"
    create_call = Call("CreateCachePolicy", "CachePolicy.Id")
    locate_call = Call(
        "ListCachePolicies",
        "CachePolicyList.Items[?CachePolicy.CachePolicyConfig.Name == '{name}'].CachePolicy.Id | [0]",
        Type="custom",
    )
    identified_by = parameters(Id="{id}")
    read_calls = (Call("GetCachePolicy", "merge(CachePolicy, {ETag: ETag})"),)

    def computed_outputs(self, answer: Any, state: Mapping[str, Any]) -> Values:
        """Return the ARN."""
        return {"arn": f"arn:aws:cloudfront::{self.aws.account_id}:cache-policy/{answer['Id']}"}

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse times that exclude each other. Source: `CachePolicyConfig`, CloudFront API Reference."""
        least, usual, most = (wanted[name] for name in ("minTtl", "defaultTtl", "maxTtl"))
        known = [value for value in (least, usual, most) if isinstance(value, int)]
        return [("minTtl", "MinTTL, DefaultTTL and MaxTTL must not decrease")] if known != sorted(known) else []

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Put the whole policy."""
        etag = self.client.get_cache_policy(Id=identity)["ETag"]
        self.client.update_cache_policy(Id=identity, IfMatch=etag, **given(self.create_request(wanted)))

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        """Remove the policy, unless a distribution uses it: the emulator would remove it.

        Source: `DeleteCachePolicy`, CloudFront API Reference.
        """
        for used_by, behavior in behaviors(self.aws):
            if behavior.get("CachePolicyId") == identity:
                raise ResourceRefusedError(
                    "CachePolicyInUse", f"the cache policy {identity} is used by distribution {used_by}"
                )
        self.client.delete_cache_policy(Id=identity, IfMatch=self.client.get_cache_policy(Id=identity)["ETag"])
