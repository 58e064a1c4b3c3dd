"""The Function URL: an address of the function's own, instead of an API."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from infra.rules import key_of, refuse

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, kw_only=True)
class UrlSettings:
    """Whether a Function URL replaces the API."""

    function_url: bool = False


class FunctionUrl(pulumi.ComponentResource):
    """A public address of one alias of a function, without an API.

    In another Pulumi program:

        import pulumi
        from infra.container_function import ContainerFunction, FunctionSettings
        from infra.function_url import FunctionUrl

        image = pulumi.Config().require("image")
        function = ContainerFunction("function", FunctionSettings(), function_name="shop", image_uri=image)
        address = FunctionUrl("address", function_name=function.function_name, qualifier=function.live.name)
        pulumi.export("url", address.url)
    """

    url: pulumi.Output[str]
    """`https://<id>.lambda-url.<region>.on.aws`, once it may be asked."""

    def __init__(
        self,
        name: str,
        *,
        function_name: pulumi.Input[str],
        qualifier: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dualmode:index:FunctionUrl", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        address = aws.lambda_.FunctionUrl(
            f"{name}-address", function_name=function_name, qualifier=qualifier, authorization_type="NONE", opts=child
        )
        may_ask = aws.lambda_.Permission(
            f"{name}-ask",
            action="lambda:InvokeFunctionUrl",
            principal="*",
            function=function_name,
            qualifier=qualifier,
            function_url_auth_type="NONE",
            opts=child,
        )
        # Both are needed since October 2025. The condition keeps other accounts from Invoke itself.
        # Source: "Control access to Lambda function URLs", Lambda Developer Guide.
        may_invoke = aws.lambda_.Permission(
            f"{name}-invoke",
            action="lambda:InvokeFunction",
            principal="*",
            function=function_name,
            qualifier=qualifier,
            invoked_via_function_url=True,
            opts=child,
        )
        ready = pulumi.Output.all(address.function_url, may_ask.id, may_invoke.id)
        self.url = ready.apply(lambda values: str(values[0]).rstrip("/"))
        self.register_outputs({"url": self.url})


def check_alone(*sections: DataclassInstance) -> None:
    """Refuses settings of the API or of what watches it, given by sections: a Function URL replaces it.

    Raises:
        ConfigError: one has another value than its default.
    """
    for section in sections:
        unset = type(section)()
        for field in fields(section):
            if getattr(section, field.name) != getattr(unset, field.name):
                rule = f"{key_of(field.name)} is set, which needs the API that a Function URL replaces"
                refuse("functionUrl", True, rule, "remove one of the two")
