"""Identity and Access Management: managed policies of the account.

Source: hashicorp/terraform-provider-aws, internal/service/iam/policy.go.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.call import Call, parameters
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.forms import INTEGER, JSON, TEXT
from sandbox.provider.resource_type import ResourceType
from sandbox.provider.services.iam import policy_mistakes
from sandbox.provider.tags import Tags

MOST_VERSIONS = 5
"""Versions that a managed policy keeps. Source: "IAM and AWS STS quotas", IAM User Guide."""


class Policy(ResourceType):
    """`aws.iam.Policy`."""

    pulumi_type = "aws:iam/policy:Policy"
    service = "iam"
    regional = False
    fields = (
        Field("name", "PolicyName", required=True, answer="Policy.PolicyName"),
        Field("policy", "PolicyDocument", JSON, required=True, answer="PolicyVersion.Document"),
        Field("path", default="/", answer="Policy.Path"),
        Field("description", answer="Policy.Description"),
        *unsupported("namePrefix", form=TEXT),
        *unsupported("delayAfterPolicyCreationInMs", form=INTEGER),
        Output("arn", "Policy.Arn"),
        Output("attachmentCount", "Policy.AttachmentCount"),
        Output("policyId", "Policy.PolicyId"),
    )
    tags = Tags("{arn}", "Policy.Tags", tag="TagPolicy", untag="UntagPolicy")
    autonamed = "name"
    replace_on_changes = frozenset({"description", "name", "namePrefix", "path"})
    create_call = Call("CreatePolicy", "Policy.Arn")
    identified_by = parameters(PolicyArn="{id}")
    delete_call = Call("DeletePolicy")

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse a policy that IAM calls malformed."""
        return policy_mistakes(wanted["policy"], "policy", principal=False)

    def locate(self, wanted: Values) -> str | None:
        """Return the ARN of a policy with this name and path, if there is one."""
        arn = f"arn:aws:iam::{self.aws.account_id}:policy{wanted['path']}{wanted['name']}"
        return arn if self.find(arn, wanted) is not None else None

    def read(self, identity: str, state: Mapping[str, Any]) -> Any:
        """Return the policy with its default version's document."""
        policy = self.client.get_policy(PolicyArn=identity)["Policy"]
        version = self.client.get_policy_version(PolicyArn=identity, VersionId=policy["DefaultVersionId"])
        return {"Policy": policy, "PolicyVersion": version["PolicyVersion"]}

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Make the document the default version; the oldest version goes if there would be too many."""
        if wanted["policy"] != old.get("policy"):
            versions = self._others(identity)
            if len(versions) + 1 == MOST_VERSIONS:
                oldest = min(versions, key=lambda name: int(name.removeprefix("v")))
                self.client.delete_policy_version(PolicyArn=identity, VersionId=oldest)
            self.client.create_policy_version(PolicyArn=identity, PolicyDocument=wanted["policy"], SetAsDefault=True)
        super().update(identity, wanted, old)

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        """Delete the other versions first: IAM requires that."""
        for name in self._others(identity):
            self.client.delete_policy_version(PolicyArn=identity, VersionId=name)
        super().delete(identity, state)

    def _others(self, identity: str) -> list[str]:
        versions = self.client.list_policy_versions(PolicyArn=identity)["Versions"]
        return [version["VersionId"] for version in versions if not version["IsDefaultVersion"]]
