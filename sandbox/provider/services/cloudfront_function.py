"""CloudFront: functions.

Source: hashicorp/terraform-provider-aws, internal/service/cloudfront/function.go.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.call import Call, given, parameters
from sandbox.provider.cloudfront_tags import CloudFrontTags
from sandbox.provider.distributions import behaviors, function_arns
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.forms import BOOLEAN, TEXTS, Plain
from sandbox.provider.refusals import ResourceRefusedError, or_none
from sandbox.provider.resource_type import ResourceType

_TEXT_AS_BYTES = Plain(
    lambda inputs, key: _encoded(inputs.required(key)),
    lambda found: found.decode() if isinstance(found, bytes) else found,
    str,
)


class Function(ResourceType):
    """`aws.cloudfront.Function`, published unless the program says no."""

    pulumi_type = "aws:cloudfront/function:Function"
    service = "cloudfront"
    regional = False
    fields = (
        Field("name", "Name", required=True),
        Field("code", "FunctionCode", _TEXT_AS_BYTES, required=True, echoed=True),
        Field("runtime", "FunctionConfig.Runtime", required=True),
        Field("comment", "FunctionConfig.Comment", default=""),
        Field("publish", "", BOOLEAN),
        *unsupported("keyValueStoreAssociations", form=TEXTS),
        Output("arn", "FunctionMetadata.FunctionARN"),
        Output("etag", "ETag", unknown_after_update=True),
        Output("liveStageEtag", "LiveETag", unknown_after_update=True),
        Output("status", "Status"),
    )
    tags = CloudFrontTags("{arn}")
    autonamed = "name"
    replace_on_changes = frozenset({"name"})
    identity = "{name}"
    create_call = Call("CreateFunction")
    identified_by = parameters(Name="{id}")

    def finish(self, identity: str, wanted: Values) -> None:
        """Publish the function: only what is published can be used."""
        super().finish(identity, wanted)
        self._publish(identity, wanted)

    def read(self, identity: str, state: Mapping[str, Any]) -> Any:
        """Return the function, with what is published of it."""
        described = self.client.describe_function(Name=identity, Stage="DEVELOPMENT")
        live = or_none(lambda: self.client.describe_function(Name=identity, Stage="LIVE"))
        code = self.client.get_function(Name=identity, Stage="DEVELOPMENT")["FunctionCode"].read()
        return {
            **described["FunctionSummary"],
            "FunctionCode": code,
            "ETag": described["ETag"],
            "Status": "DEPLOYED" if live else "UNPUBLISHED",  # the emulator takes a while
            "LiveETag": live and live["ETag"],
        }

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Change what differs, and publish it."""
        if any(wanted[name] != old.get(name) for name in ("runtime", "comment")) or wanted["code"] != _encoded(
            old.get("code")
        ):
            request = self.create_request(wanted)
            etag = self.client.describe_function(Name=identity, Stage="DEVELOPMENT")["ETag"]
            self.client.update_function(
                Name=identity,
                IfMatch=etag,
                FunctionConfig=given(request["FunctionConfig"]),
                FunctionCode=request["FunctionCode"],
            )
            self._publish(identity, wanted)
        super().update(identity, wanted, old)

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        """Remove the function, unless a distribution uses it: the emulator would remove it.

        Source: `DeleteFunction`, CloudFront API Reference.
        """
        described = self.client.describe_function(Name=identity, Stage="DEVELOPMENT")
        arn = described["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
        for used_by, behavior in behaviors(self.aws):
            if arn in function_arns(behavior):
                raise ResourceRefusedError(
                    "FunctionInUse", f"the function {identity} is used by distribution {used_by}"
                )
        self.client.delete_function(Name=identity, IfMatch=described["ETag"])

    def _publish(self, identity: str, wanted: Values) -> None:
        if wanted["publish"] is not False:
            etag = self.client.describe_function(Name=identity, Stage="DEVELOPMENT")["ETag"]
            self.client.publish_function(Name=identity, IfMatch=etag)


def _encoded(text: Any) -> Any:
    return text.encode() if isinstance(text, str) else text
