"""The secret that CloudFront sends with each request: a parameter holds the values that the runtime accepts."""

from __future__ import annotations

import hmac
import secrets

import pulumi
import pulumi_aws as aws

KEY_BYTES = 32


class CdnSecret:
    """The secret of one rotation, and a parameter with it and the one before.

    Both follow from a random key in a parameter of its own, which nothing reads. The parameter has the new value before
    CloudFront sends it, and still accepts the old one while CloudFront's locations change over.
    """

    sent: pulumi.Output[str]
    """What CloudFront sends, once the runtime can read it."""

    parameter: aws.ssm.Parameter

    def __init__(self, name: str, *, deployment: str, rotation: int, parent: pulumi.Resource) -> None:
        key = aws.ssm.Parameter(
            f"{name}-key",
            name=f"/dualmode/{deployment}/CDN_KEY",
            type="SecureString",
            value=pulumi.Output.secret(secrets.token_hex(KEY_BYTES)),
            # Each run makes another value, and only the first one counts.
            opts=pulumi.ResourceOptions(parent=parent, ignore_changes=["value"]),
        )
        # A secret, like the key: the SDK declares a parameter's value as one.
        values = key.value.apply(lambda known: accepted(known, rotation))
        self.parameter = aws.ssm.Parameter(
            f"{name}-secrets",
            name=f"/dualmode/{deployment}/CDN_SECRETS",
            type="SecureString",
            value=values.apply(" ".join),
            opts=pulumi.ResourceOptions(parent=parent),
        )
        self.sent = pulumi.Output.all(values, self.parameter.version).apply(lambda known: known[0][0])


def accepted(key: str, rotation: int) -> list[str]:
    """Returns the values that are accepted at a rotation: its own, and the one before it if there is one."""
    rotations = range(rotation, max(rotation - 2, -1), -1)
    return [hmac.digest(key.encode(), str(each).encode(), "sha256").hex() for each in rotations]
