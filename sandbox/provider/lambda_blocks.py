"""The nested objects of a Lambda function: from Pulumi's inputs to a request, and from AWS's answer to outputs."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sandbox.provider.inputs import UNKNOWN, Inputs
from sandbox.provider.kind import Values

UNSUPPORTED_LISTS = ("layers", "replacementSecurityGroupIds")
UNSUPPORTED = (
    *("capacityProviderConfig", "code", "codeSigningConfigArn", "deadLetterConfig", "durableConfig"),
    *("fileSystemConfig", "handler", "kmsKeyArn", "publishTo", "replaceSecurityGroupsOnDestroy", "runtime"),
    *("s3Bucket", "s3Key", "s3ObjectVersion", "sourceKmsKeyArn", "tenancyConfig", "useResourceTimeoutForPropagation"),
    *("vpcConfig", *UNSUPPORTED_LISTS),
)
"""What a function made from an image here doesn't have."""


def nested(inputs: Inputs, key: str, request: Callable[[Inputs], Values]) -> Values | None:
    """Return the request of a nested object, or None where it isn't given."""
    block = inputs.block(key)
    return request(block) if block else None


def environment(inputs: Inputs) -> Values | None:
    """Return the variables as CreateFunction takes them."""
    block = inputs.block("environment")
    return {"Variables": block.names("variables") or {}} if block else None


def image_config(block: Inputs) -> Values:
    """Return `imageConfig`, whose lists are plural in Pulumi and singular in AWS."""
    return {
        "Command": block.texts("commands"),
        "EntryPoint": block.texts("entryPoints"),
        "WorkingDirectory": block.text("workingDirectory"),
    }


def logging_config(block: Inputs) -> Values:
    """Return `loggingConfig`."""
    return {
        "LogFormat": block.required("logFormat"),
        "LogGroup": block.text("logGroup"),
        "ApplicationLogLevel": block.text("applicationLogLevel"),
        "SystemLogLevel": block.text("systemLogLevel"),
    }


def configured(config: Mapping[str, Any]) -> Values:
    """Return the nested outputs of what GetFunction answers as the configuration."""
    logging = config.get("LoggingConfig", {})
    image = config.get("ImageConfigResponse", {}).get("ImageConfig", {})
    snap = config.get("SnapStart", {})
    variables = config.get("Environment", {}).get("Variables")
    return {
        "environment": {"variables": variables} if variables else None,
        "ephemeralStorage": {"size": config.get("EphemeralStorage", {}).get("Size", 512)},
        "imageConfig": {
            "commands": image.get("Command") or [],
            "entryPoints": image.get("EntryPoint") or [],
            "workingDirectory": image.get("WorkingDirectory", ""),
        }
        if image
        else None,
        "loggingConfig": {
            "applicationLogLevel": logging.get("ApplicationLogLevel", ""),
            "logFormat": logging.get("LogFormat", "Text"),
            "logGroup": logging.get("LogGroup", f"/aws/lambda/{config['FunctionName']}"),
            "systemLogLevel": logging.get("SystemLogLevel", ""),
        },
        "snapStart": {
            "applyOn": snap["ApplyOn"],
            "optimizationStatus": snap.get("OptimizationStatus", "Off"),
        }
        if snap.get("ApplyOn", "None") != "None"
        else None,
        "tracingConfig": {"mode": config.get("TracingConfig", {}).get("Mode", "PassThrough")},
    }


def unset() -> Values:
    """Return the outputs that an image function never has, each by name: a forgotten one would be None as well."""
    return {
        **dict.fromkeys(UNSUPPORTED),
        **{key: [] for key in UNSUPPORTED_LISTS},
        "signingJobArn": "",
        "signingProfileVersionArn": "",
    }


def outside(path: str, value: Any, bounds: tuple[int, int], unit: str) -> Iterator[tuple[str, str]]:
    """Yield the sentence that a number is out of Lambda's bounds, where it is."""
    if value is not None and value is not UNKNOWN and not bounds[0] <= value <= bounds[1]:
        yield path, f"{value} {unit} is out of range: Lambda takes {bounds[0]} to {bounds[1]} {unit}"
