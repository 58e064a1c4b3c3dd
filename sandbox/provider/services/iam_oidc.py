"""Identity and Access Management: providers of OpenID Connect, whose tokens roles can trust.

Source: hashicorp/terraform-provider-aws, internal/service/iam/openid_connect_provider.go.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.provider.aws import Values
from sandbox.provider.call import Call, parameters
from sandbox.provider.fields import Field, Output
from sandbox.provider.forms import SORTED_TEXTS
from sandbox.provider.resource_type import ResourceType
from sandbox.provider.tags import Tags


class OpenIdConnectProvider(ResourceType):
    """`aws.iam.OpenIdConnectProvider`. The emulator can't change one: its audiences stay as they were made."""

    pulumi_type = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
    service = "iam"
    regional = False
    fields = (
        Field("url", "Url", required=True),
        Field("clientIdLists", "ClientIDList", SORTED_TEXTS, required=True),
        Field("thumbprintLists", "ThumbprintList", SORTED_TEXTS, computed=True),
        Output("arn", "{id}"),
    )
    tags = Tags("{id}", "Tags", tag="TagOpenIDConnectProvider", untag="UntagOpenIDConnectProvider")
    replace_on_changes = frozenset({"url"})
    create_call = Call("CreateOpenIDConnectProvider", "OpenIDConnectProviderArn")
    identified_by = parameters(OpenIDConnectProviderArn="{id}")
    read_calls = (Call("GetOpenIDConnectProvider"),)
    delete_call = Call("DeleteOpenIDConnectProvider")

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse an address that IAM refuses. Source: `CreateOpenIDConnectProvider`, IAM API Reference."""
        url = wanted["url"]
        if isinstance(url, str) and not url.startswith("https://"):
            return [("url", "ValidationError: Invalid Open ID Connect Provider URL: it must begin with https://")]
        return []

    def locate(self, wanted: Values) -> str | None:
        """Return the ARN of the provider with this address, if there is one: an account has one for each."""
        arn = f"arn:aws:iam::{self.aws.account_id}:oidc-provider/{wanted['url'].removeprefix('https://').rstrip('/')}"
        return arn if self.find(arn, wanted) is not None else None

    def computed_outputs(self, answer: Any, state: Mapping[str, Any]) -> Values:
        """Return the address as a program gives it: IAM answers without its scheme."""
        return {"url": f"https://{answer['Url'].removeprefix('https://')}"}
