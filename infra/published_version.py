"""The version that an update published, once AWS has confirmed that it is what the program describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.rules import ConfigError


def published_version(
    function: aws.lambda_.Function, wanted: Mapping[str, pulumi.Input[Any]], parent: pulumi.Resource
) -> pulumi.Output[str]:
    """Returns the version that was published last, once AWS has confirmed that it runs what the program describes.

    The provider's state has what was wanted even if Lambda refused it: the state alone proves nothing.
    """
    found = aws.lambda_.get_function_output(
        function_name=function.name,
        qualifier=function.version,
        opts=pulumi.InvokeOutputOptions(parent=parent),
    )
    there = {
        "imageUri": found.image_uri,
        "memorySize": found.memory_size,
        "timeout": found.timeout,
        "environment": found.environment.apply(lambda found: (found.variables if found else None) or {}),
        "ephemeralStorage": found.ephemeral_storages.apply(lambda found: found[0].size),
        "tracing": found.tracing_config.apply(lambda found: found.mode == "Active"),
    }

    def checked(values: Mapping[str, Any]) -> str:
        for key, value in values["wanted"].items():
            if values["there"][key] != value:
                raise ConfigError(
                    f"Version {values['version']} of the function doesn't have the {key} that was deployed, because "
                    "AWS refused an update before: run `pulumi up --refresh`, which reads what AWS has and tries again."
                )
        return str(values["version"])

    compared = pulumi.Output.all(version=function.version, wanted=wanted, there=there)
    return pulumi.Output.unsecret(compared.apply(checked))
