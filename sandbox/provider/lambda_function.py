# ruff: noqa: D102  what each method means is said once, in kind.py
"""Lambda: functions made from container images, and their published versions.

Source: hashicorp/terraform-provider-aws, internal/service/lambda/function.go.
"""

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provider.ecr import split_image_uri
from sandbox.provider.iam import policy_text, role_of
from sandbox.provider.inputs import UNKNOWN, Inputs
from sandbox.provider.kind import Kind, Values, given, region_of
from sandbox.provider.lambda_blocks import (
    UNSUPPORTED,
    configured,
    environment,
    image_config,
    logging_config,
    nested,
    outside,
    unset,
)
from sandbox.provider.refusals import ResourceRefusedError, is_missing
from walk.policy import LAMBDA_ASSUMES, evaluate

# Source: "Lambda quotas" and "Using environment variables", Lambda Developer Guide.
_MEMORY = (128, 10240)  # MB
_TIMEOUT = (1, 900)  # seconds
_STORAGE = (512, 10240)  # MB
_ENVIRONMENT_BYTES = 4096
_PATIENCE = 600.0  # seconds, as long as the real provider waits
_RESERVED = frozenset(
    {
        *("_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV"),
        *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION"),
        *("AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"),
        *("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
    }
)
_MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
)
# What a published version freezes, as GetFunction names it.
_FROZEN = (
    *("Architectures", "CodeSha256", "Description", "Environment", "EphemeralStorage", "ImageConfigResponse"),
    *("LoggingConfig", "MemorySize", "Role", "SnapStart", "Timeout", "TracingConfig"),
)
_CONFIGURATION = frozenset(
    {
        *("description", "environment", "ephemeralStorage", "imageConfig", "loggingConfig", "memorySize", "role"),
        *("snapStart", "timeout", "tracingConfig"),
    }
)
_CODE = frozenset({"imageUri", "architectures"})


class Function(Kind):
    """`aws.lambda_.Function`, of package type Image."""

    pulumi_type = "aws:lambda/function:Function"
    service = "lambda"
    operation = "CreateFunction"
    spelt = MappingProxyType({"functionName": "name"})
    replaces = frozenset({"name", "packageType", "tenancyConfig"})
    autonamed = "name"
    completed = MappingProxyType({"loggingConfig": ("applicationLogLevel", "logGroup", "systemLogLevel")})

    def request(self, inputs: Inputs) -> Values:
        region_of(self.aws, inputs)
        inputs.boolean("skipDestroy", False)
        inputs.unsupported(*UNSUPPORTED, "codeSha256", "sourceCodeHash")
        package = inputs.text("packageType", "Zip")
        if package == "Zip":
            inputs.fail("packageType", "must be Image: the sandbox's provider makes functions from images only")
        return {
            "FunctionName": inputs.required("name"),
            "PackageType": package,
            "Code": {"ImageUri": inputs.required("imageUri")},
            "Role": inputs.required("role"),
            "Architectures": inputs.texts("architectures"),
            "Description": inputs.text("description"),
            "Environment": environment(inputs),
            "EphemeralStorage": nested(inputs, "ephemeralStorage", lambda block: {"Size": block.integer("size")}),
            "ImageConfig": nested(inputs, "imageConfig", image_config),
            "LoggingConfig": nested(inputs, "loggingConfig", logging_config),
            "MemorySize": inputs.integer("memorySize", 128),
            "Publish": inputs.boolean("publish", False),
            "SnapStart": nested(inputs, "snapStart", lambda block: {"ApplyOn": block.required("applyOn")}),
            "Timeout": inputs.integer("timeout", 3),
            "TracingConfig": nested(inputs, "tracingConfig", lambda block: {"Mode": block.required("mode")}),
            "Tags": inputs.names("tags") or None,
            "reserved": inputs.integer("reservedConcurrentExecutions", -1),
        }

    def limits(self, request: Values) -> list[tuple[str, str]]:
        storage = (request["EphemeralStorage"] or {}).get("Size")
        broken = [
            *outside("memorySize", request["MemorySize"], _MEMORY, "MB"),
            *outside("timeout", request["Timeout"], _TIMEOUT, "s"),
            *outside("ephemeralStorage.size", storage, _STORAGE, "MB"),
        ]
        variables = (request["Environment"] or {}).get("Variables")
        if isinstance(variables, Mapping):
            reserved = sorted(_RESERVED & variables.keys())
            if reserved:
                broken.append(("environment", f"{', '.join(reserved)} can't be set: Lambda reserves it"))
            size = sum(len(str(name)) + len(str(value)) for name, value in variables.items() if value is not UNKNOWN)
            if size > _ENVIRONMENT_BYTES:
                broken.append(("environment", f"{size} bytes are above the limit of {_ENVIRONMENT_BYTES}"))
        return broken

    def create(self, request: Values) -> str:
        self._refer(request)
        call = given({key: value for key, value in request.items() if key != "reserved"})
        name = str(self.client.create_function(**call)["FunctionName"])
        settle(self.client, name)
        self._reserve(name, request["reserved"], -1)
        return name

    def locate(self, request: Values) -> str | None:
        return str(request["FunctionName"]) if self.read(request["FunctionName"], {}) else None

    def read(self, identity: str, state: Mapping[str, Any]) -> Values | None:
        try:
            function = self.client.get_function(FunctionName=identity)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        config = function["Configuration"]
        arn = config["FunctionArn"]
        version = latest_version(self.client, identity)
        tags = function.get("Tags") or {}
        return {
            **unset(),
            **configured(config),
            "architectures": config.get("Architectures") or ["x86_64"],
            "arn": arn,
            "codeSha256": config.get("CodeSha256", ""),
            "description": config.get("Description", ""),
            "imageUri": function.get("Code", {}).get("ImageUri", ""),
            "invokeArn": invoke_arn(self.aws.region, arn),
            "lastModified": config.get("LastModified", ""),
            "memorySize": config.get("MemorySize", 128),
            "name": config["FunctionName"],
            "packageType": config.get("PackageType", "Image"),
            "publish": bool(state.get("publish")),
            "qualifiedArn": f"{arn}:{version}",
            "qualifiedInvokeArn": invoke_arn(self.aws.region, f"{arn}:{version}"),
            "region": self.aws.region,
            "reservedConcurrentExecutions": function.get("Concurrency", {}).get("ReservedConcurrentExecutions", -1),
            "responseStreamingInvokeArn": streaming_arn(self.aws.region, arn),
            "role": config["Role"],
            "skipDestroy": bool(state.get("skipDestroy")),
            "sourceCodeHash": config.get("CodeSha256", ""),
            "sourceCodeSize": config.get("CodeSize", 0),
            "tags": tags,
            "tagsAll": tags,
            "timeout": config.get("Timeout", 3),
            "version": version,
        }

    def update(self, identity: str, request: Values, old: Mapping[str, Any]) -> None:
        self._refer(request)
        image, architectures = request["Code"]["ImageUri"], request["Architectures"]
        if image != old.get("imageUri") or (architectures and architectures != old.get("architectures")):
            code = {"ImageUri": image, "Architectures": architectures}
            self.client.update_function_code(FunctionName=identity, **given(code))
            settle(self.client, identity)
        configuration = {
            "Description": request["Description"] or "",
            "Environment": request["Environment"] or {"Variables": {}},
            "EphemeralStorage": request["EphemeralStorage"],
            "ImageConfig": request["ImageConfig"] or {},
            "LoggingConfig": request["LoggingConfig"],
            "MemorySize": request["MemorySize"],
            "Role": request["Role"],
            "SnapStart": request["SnapStart"],
            "Timeout": request["Timeout"],
            "TracingConfig": request["TracingConfig"],
        }
        self.client.update_function_configuration(FunctionName=identity, **given(configuration))
        settle(self.client, identity)
        self._reserve(identity, request["reserved"], old.get("reservedConcurrentExecutions", -1))
        self._tag(old, request["Tags"] or {})
        if request["Publish"]:
            publish(self.client, identity)

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        if state.get("skipDestroy"):
            return
        try:
            self.client.delete_function(FunctionName=identity)
        except ClientError as error:
            if not is_missing(error):
                raise

    def renewed(self, changed: frozenset[str], inputs: Mapping[str, Any]) -> frozenset[str]:
        outputs: set[str] = set()
        if changed & (_CODE | _CONFIGURATION):
            outputs |= {"lastModified"}
            if inputs.get("publish"):
                outputs |= {"version", "qualifiedArn", "qualifiedInvokeArn"}
        if "publish" in changed:
            outputs |= {"version", "qualifiedArn", "qualifiedInvokeArn"}
        if "imageUri" in changed:
            outputs |= {"codeSha256", "sourceCodeHash", "sourceCodeSize"}
        return frozenset(outputs)

    def _refer(self, request: Values) -> None:
        """Refuse a role that Lambda can't assume and an image that ECR doesn't have."""
        role = role_of(self.aws.client("iam"), request["Role"])
        verdict = evaluate(policy_text(role["AssumeRolePolicyDocument"]), LAMBDA_ASSUMES)
        if not verdict.allowed:
            raise ResourceRefusedError(
                "InvalidParameterValueException",
                f"the role {role['Arn']} can't be assumed by {LAMBDA_ASSUMES.service}: {verdict.reason}",
                "role",
            )
        uri = request["Code"]["ImageUri"]
        image = split_image_uri(uri)
        try:
            images = self.aws.client("ecr").batch_get_image(
                repositoryName=image.repository, imageIds=[image.identifier]
            )["images"]
        except ClientError as error:
            if not is_missing(error):
                raise
            images = []
        if not images:
            raise ResourceRefusedError(
                "InvalidParameterValueException", f"Source image {uri} does not exist in ECR", "imageUri"
            )
        media_type = images[0].get("imageManifestMediaType") or _MANIFESTS[0]
        if media_type not in _MANIFESTS:
            raise ResourceRefusedError(
                "InvalidParameterValueException",
                f"the manifest of {uri} is {media_type}: Lambda takes an image of one platform, without attestations",
                "imageUri",
            )

    def _reserve(self, name: str, wanted: int, before: int) -> None:
        if wanted == before:
            return
        if wanted < 0:
            self.client.delete_function_concurrency(FunctionName=name)
        else:
            self.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=wanted)

    def _tag(self, old: Mapping[str, Any], wanted: Mapping[str, str]) -> None:
        gone = [key for key in old.get("tags") or {} if key not in wanted]
        if gone:
            self.client.untag_resource(Resource=old["arn"], TagKeys=gone)
        if wanted:
            self.client.tag_resource(Resource=old["arn"], Tags=dict(wanted))


def publish(client: Any, name: str) -> str:
    """Publish a version and return its number; where nothing changed since the last one, that one's number."""
    last = latest_version(client, name)
    if last != "$LATEST" and _frozen(client, name, "$LATEST") == _frozen(client, name, last):
        return last
    return str(client.publish_version(FunctionName=name)["Version"])


def settle(client: Any, name: str) -> None:
    """Wait until a function is made, or an update of it.

    Raises:
        ResourceRefusedError: Lambda couldn't make it so.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        config = client.get_function_configuration(FunctionName=name)
        states = (config.get("State", "Active"), config.get("LastUpdateStatus", "Successful"))
        if "Failed" in states:
            reason = config.get("StateReason") or config.get("LastUpdateStatusReason") or "no reason given"
            raise ResourceRefusedError(str(config.get("StateReasonCode") or "Failed"), str(reason))
        if states[0] != "Pending" and states[1] != "InProgress":
            return
        if time.monotonic() > deadline:
            raise ResourceRefusedError(
                "ResourceNotReady", f"the function was still {states[0]} after {_PATIENCE:.0f} s"
            )
        time.sleep(0.05)


def latest_version(client: Any, name: str) -> str:
    """Return the number of the version published last, `$LATEST` where there is none."""
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    numbers = [
        int(version["Version"]) for page in pages for version in page["Versions"] if version["Version"].isdecimal()
    ]
    return str(max(numbers)) if numbers else "$LATEST"


def invoke_arn(region: str, arn: str) -> str:
    """Return the name under which API Gateway calls a function, version or alias."""
    return f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"


def streaming_arn(region: str, arn: str) -> str:
    """Return the name under which API Gateway streams a function's response."""
    return f"arn:aws:apigateway:{region}:lambda:path/2021-11-15/functions/{arn}/response-streaming-invocations"


def _frozen(client: Any, name: str, version: str) -> Values:
    function = client.get_function(FunctionName=name, Qualifier=version)
    config = function["Configuration"]
    return {key: config.get(key) for key in _FROZEN} | {"image": function.get("Code", {}).get("ImageUri")}
