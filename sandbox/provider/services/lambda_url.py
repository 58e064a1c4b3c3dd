"""Lambda: Function URLs.

Source: hashicorp/terraform-provider-aws, internal/service/lambda/function_url.go.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sandbox.provider.aws import Values
from sandbox.provider.call import Call, given, parameters
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.forms import ANYTHING
from sandbox.provider.resource_type import ResourceType


class FunctionUrl(ResourceType):
    """`aws.lambda_.FunctionUrl`, of a function or an alias."""

    pulumi_type = "aws:lambda/functionUrl:FunctionUrl"
    service = "lambda"
    fields = (
        Field("authorizationType", "AuthType", required=True),
        Field("functionName", required=True, echoed=True),
        Field("invokeMode", default="BUFFERED"),
        Field("qualifier", echoed=True),
        *unsupported("cors", form=ANYTHING),
        Output("functionArn", "FunctionArn"),
        Output("functionUrl", "FunctionUrl"),
        Output("urlId"),
    )
    replace_on_changes = frozenset({"functionName", "qualifier"})
    create_call = Call("CreateFunctionUrlConfig")
    identity_holds = "{functionName}/{qualifier}"
    identified_by = parameters(FunctionName="{functionName}", Qualifier="{qualifier}")
    read_calls = (Call("GetFunctionUrlConfig"),)
    update_calls = (Call("UpdateFunctionUrlConfig"),)
    delete_call = Call("DeleteFunctionUrlConfig")

    def make(self, wanted: Values) -> str:
        """Make the URL and return its id: the function and, if there is one, its qualifier."""
        super().make(wanted)
        return _identity(wanted)

    def locate(self, wanted: Values) -> str | None:
        """Return the id where the function has a URL: it can have one only."""
        identity = _identity(wanted)
        return identity if self.find(identity, wanted) is not None else None

    def computed_outputs(self, answer: Any, state: Mapping[str, Any]) -> Values:
        """Return the first label of the URL's name."""
        return {"urlId": (urlsplit(answer["FunctionUrl"]).hostname or "").partition(".")[0]}

    def _identification(self, call: Call, known: Mapping[str, Any]) -> Values:
        return given({name: value or None for name, value in super()._identification(call, known).items()})


def _identity(wanted: Values) -> str:
    return "/".join(part for part in (wanted["functionName"], wanted["qualifier"]) if part)
