"""The key that signs an application's sessions: made once, kept in Systems Manager, read by the runtime at init."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.grants import Grant
from infra.secrets import PLACE_OF, STAND_IN, read_statements

VARIABLE = "SECRET_KEY"
"""Flask's own name for the key."""

KEY_BYTES = 32
"""Random bytes of the key. Source: "Configuration Handling", Flask's documentation."""


@dataclass(frozen=True, kw_only=True)
class SessionKeySettings:
    """Whether the application gets a key for its sessions."""

    session_key: bool = False


class SessionKey(pulumi.ComponentResource):
    """A random key in a parameter, which updates and rollbacks leave as it is.

    A parameter costs nothing, a secret of Secrets Manager 0.40 USD a month. The write-only input of a parameter would
    not keep the value out of the state either: Pulumi keeps it with the inputs, encrypted like this one
    (pulumi/pulumi-terraform-bridge#3201).

    In another Pulumi program:

        import pulumi
        from infra.container_function import ContainerFunction, FunctionSettings
        from infra.session_key import SessionKey

        key = SessionKey("session-key", deployment="shop")
        ContainerFunction(
            "function",
            FunctionSettings(),
            function_name="shop",
            image_uri=pulumi.Config().require("image"),
            grants=[key.grant],
        )
    """

    grant: Grant

    def __init__(
        self,
        name: str,
        *,
        deployment: str,
        protect: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dualmode:index:SessionKey", name, None, opts)
        parameter = aws.ssm.Parameter(
            f"{name}-parameter",
            name=f"/dualmode/{deployment}/{VARIABLE}",
            type="SecureString",
            value=pulumi.Output.secret(secrets.token_hex(KEY_BYTES)),
            # Each run makes another value, and only the first one counts; nor is one undone that was set in AWS.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["value"], protect=protect),
        )
        self.grant = Grant(
            name=name,
            statements=parameter.arn.apply(lambda arn: read_statements([arn])),
            variables={f"{PLACE_OF}{VARIABLE}": pulumi.Output.concat("ssm:", parameter.name)},
            stand_ins={VARIABLE: STAND_IN},
        )
        self.register_outputs({})
