"""Lambda: functions made from container images, and their published versions.

Source: hashicorp/terraform-provider-aws, internal/service/lambda/function.go.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.provider import vpc
from sandbox.provider.aws import Values
from sandbox.provider.blocks import Block
from sandbox.provider.call import Call, given, parameters
from sandbox.provider.fields import Field, Output, unsupported
from sandbox.provider.forms import ANYTHING, BOOLEAN, INTEGER, TEXT, TEXTS, document
from sandbox.provider.function_versions import latest_version, publish, settle
from sandbox.provider.inputs import UNKNOWN, Inputs
from sandbox.provider.refusals import ResourceRefusedError, or_none
from sandbox.provider.resource_type import ResourceType
from sandbox.provider.services.ecr import split_image_uri
from sandbox.provider.services.iam import role_allows, role_of
from sandbox.provider.tags import Tags
from walk.policy import LAMBDA_ASSUMES, evaluate

INVOKE_ARN = "arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"
"""The name under which API Gateway calls a function, version or alias."""
# Source: "Lambda quotas" and "Using environment variables", Lambda Developer Guide.
_MEMORY = (128, 10240)  # MB
_TIMEOUT = (1, 900)  # seconds
_STORAGE = (512, 10240)  # MB
_ENVIRONMENT_BYTES = 4096
_MOST_RESERVED = 900  # of the account's 1000 environments, 100 stay for functions that have none of their own
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
_CONFIGURATION = frozenset(
    {
        *("description", "environment", "ephemeralStorage", "imageConfig", "loggingConfig", "memorySize", "role"),
        *("snapStart", "timeout", "tracingConfig", "vpcConfig"),
    }
)
_CODE = frozenset({"imageUri", "architectures", "sourceCodeHash"})


class Function(ResourceType):
    """`aws.lambda_.Function`, of package type Image."""

    pulumi_type = "aws:lambda/function:Function"
    service = "lambda"
    fields = (
        Field("name", "FunctionName", required=True),
        Field(
            "packageType",
            default="Zip",
            allowed=("Image",),
            not_allowed="must be Image: the sandbox's provider makes functions from images only",
        ),
        Field("imageUri", "Code.ImageUri", required=True),
        Field("role", required=True),
        Field("architectures", filled=["x86_64"]),
        "description",
        Field("environment", form=Block("variables")),
        Field("ephemeralStorage", form=Block("size"), filled={"Size": 512}),
        Field(
            "imageConfig",
            form=Block(Field("commands", "Command"), Field("entryPoints", "EntryPoint"), "workingDirectory"),
            answer="ImageConfigResponse.ImageConfig",
        ),
        Field(
            "loggingConfig",
            form=Block(
                Field("logFormat", required=True),
                Field("logGroup", computed=True),
                Field("applicationLogLevel", computed=True),
                Field("systemLogLevel", computed=True),
            ),
        ),
        Field("memorySize", default=128),
        Field("publish", default=False, echoed=True),
        Field(
            "snapStart",
            form=Block(
                Field("applyOn", required=True), Output("optimizationStatus", "OptimizationStatus", filled="Off")
            ),
        ),
        Field("timeout", default=3),
        Field("tracingConfig", form=Block(Field("mode", required=True)), filled={"Mode": "PassThrough"}),
        Field(
            "vpcConfig",
            form=Block(
                Field("subnetIds", required=True),
                Field("securityGroupIds", required=True),
                "ipv6AllowedForDualStack",
                Output("vpcId", "VpcId"),
            ),
        ),
        Field("reservedConcurrentExecutions", "", INTEGER, answer="ReservedConcurrentExecutions", default=-1),
        Field("skipDestroy", "", BOOLEAN),
        *unsupported(
            *("capacityProviderConfig", "code", "codeSigningConfigArn", "deadLetterConfig", "durableConfig"),
            *("fileSystemConfig", "handler", "kmsKeyArn", "publishTo", "replaceSecurityGroupsOnDestroy", "runtime"),
            *("s3Bucket", "s3Key", "s3ObjectVersion", "sourceKmsKeyArn", "tenancyConfig"),
            "useResourceTimeoutForPropagation",
            form=ANYTHING,
        ),
        *unsupported("layers", "replacementSecurityGroupIds", form=TEXTS),
        *unsupported("codeSha256"),
        Field("sourceCodeHash", "", TEXT, computed=True),
        Output("arn", "FunctionArn"),
        Output("invokeArn", INVOKE_ARN),
        Output("lastModified", "LastModified"),
        Output("version", "PublishedVersion"),
        Output("qualifiedArn", "{arn}:{version}"),
        Output("qualifiedInvokeArn", INVOKE_ARN.replace("{arn}", "{qualifiedArn}")),
        Output(
            "responseStreamingInvokeArn",
            "arn:aws:apigateway:{region}:lambda:path/2021-11-15/functions/{arn}/response-streaming-invocations",
        ),
        Output("signingJobArn", "SigningJobArn"),
        Output("signingProfileVersionArn", "SigningProfileVersionArn"),
        Output("sourceCodeSize", "CodeSize", filled=0),
    )
    tags = Tags("{arn}", "Tags", listed="ListTags")
    autonamed = "name"
    replace_on_changes = frozenset({"name", "packageType", "tenancyConfig"})
    kept_when_removed = frozenset({"sourceCodeHash"})
    create_call = Call("CreateFunction")
    identity = "{name}"
    identified_by = parameters(FunctionName="{id}")
    read_calls = (Call("GetFunction"),)
    update_calls = (Call("UpdateFunctionConfiguration"),)
    delete_call = Call("DeleteFunction")

    def limits(self, wanted: Values) -> list[tuple[str, str]]:
        """Refuse values outside Lambda's limits."""
        storage = (wanted["ephemeralStorage"] or {}).get("Size")
        broken = [
            *_outside("memorySize", wanted["memorySize"], _MEMORY, "MB"),
            *_outside("timeout", wanted["timeout"], _TIMEOUT, "s"),
            *_outside("ephemeralStorage.size", storage, _STORAGE, "MB"),
        ]
        if (wanted["snapStart"] or {}).get("ApplyOn") == "PublishedVersions" and storage not in (None, _STORAGE[0]):
            broken.append(("snapStart", f"SnapStart takes no function with more than {_STORAGE[0]} MB at /tmp"))
        reserved = wanted["reservedConcurrentExecutions"]
        if reserved is not UNKNOWN and reserved > _MOST_RESERVED:
            sentence = f"{reserved} leaves fewer than 100 of the account's 1000 for other functions"
            broken.append(("reservedConcurrentExecutions", sentence))
        variables = (wanted["environment"] or {}).get("Variables")
        if isinstance(variables, Mapping):
            taken = sorted(_RESERVED & variables.keys())
            if taken:
                broken.append(("environment", f"{', '.join(taken)} can't be set: Lambda reserves it"))
            size = sum(len(str(name)) + len(str(value)) for name, value in variables.items() if value is not UNKNOWN)
            if size > _ENVIRONMENT_BYTES:
                broken.append(("environment", f"{size} bytes are above the limit of {_ENVIRONMENT_BYTES}"))
        return broken

    def finish(self, identity: str, wanted: Values) -> None:
        """Wait until the function is ready, and reserve its concurrency."""
        super().finish(identity, wanted)
        settle(self.client, identity)
        self._reserve(identity, wanted["reservedConcurrentExecutions"], -1)

    def read(self, identity: str, state: Mapping[str, Any]) -> Any:
        """Return the configuration, with the rest of GetFunction's answer and the last published version."""
        function = super().read(identity, state)
        config = dict(function["Configuration"])
        if config.get("SnapStart", {}).get("ApplyOn", "None") == "None":
            config["SnapStart"] = None
        variables = config.get("Environment", {}).get("Variables")
        return {
            **config,
            "Environment": {"Variables": variables} if variables else None,
            "VpcConfig": config["VpcConfig"] if config.get("VpcConfig", {}).get("SubnetIds") else None,
            "LoggingConfig": {
                "LogFormat": "Text",
                "LogGroup": f"/aws/lambda/{config['FunctionName']}",
                **config.get("LoggingConfig", {}),
            },
            "Code": function.get("Code", {}),
            "Tags": function.get("Tags"),
            "ReservedConcurrentExecutions": function.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
            "PublishedVersion": latest_version(self.client, identity),
        }

    def computed_outputs(self, answer: Any, state: Mapping[str, Any]) -> Values:
        """Return the digest; the hash is the program's own, whatever it gave."""
        digest = answer.get("CodeSha256", "")
        return {"codeSha256": digest, "sourceCodeHash": state.get("sourceCodeHash") or digest}

    def update(self, identity: str, wanted: Values, old: Mapping[str, Any]) -> None:
        """Change configuration, code and concurrency one after the other, then publish all of it.

        What AWS has is never asked: only what differs from the outputs so far is sent.
        """
        changed = self._changed(wanted, old)
        if changed & _CONFIGURATION or changed & {"tags"}:
            removed = {
                "environment": wanted["environment"] or {"Variables": {}},
                "imageConfig": wanted["imageConfig"] or {},
                "snapStart": wanted["snapStart"] or {"ApplyOn": "None"},
                "vpcConfig": wanted["vpcConfig"] or {"SubnetIds": [], "SecurityGroupIds": []},
            }
            super().update(identity, {**wanted, **removed}, old)
            settle(self.client, identity)
        if changed & _CODE:
            self._check_image(wanted["imageUri"])
            code = {"ImageUri": wanted["imageUri"], "Architectures": wanted["architectures"]}
            self.client.update_function_code(FunctionName=identity, **given(code))
            settle(self.client, identity)
        self._reserve(identity, wanted["reservedConcurrentExecutions"], old.get("reservedConcurrentExecutions", -1))
        if wanted["publish"]:
            publish(self.client, identity)

    def left_by_refused_update(self, identity: str, inputs: Values, old: Mapping[str, Any]) -> Values:
        """Return the outputs that were wanted, but for the hash unless the code was changed: it is set back.

        So the next update sees no change in what AWS refused, unless the program gives a hash of the code.
        Source: function.go, `resetNonRefreshableAttributes`; hashicorp/terraform-provider-aws#49310.
        """
        has = self.client.get_function(FunctionName=identity)["Code"].get("ImageUri")
        kept = {} if has == inputs.get("imageUri") else {"sourceCodeHash": old.get("sourceCodeHash", "")}
        return {**old, **{key: value for key, value in inputs.items() if not key.startswith("__")}, **kept}

    def drifted(self, inputs: Mapping[str, Any], state: Mapping[str, Any]) -> frozenset[str]:
        """Find what an update that AWS refused left different from the inputs."""
        return self._changed(self.read_inputs(Inputs(inputs)), state)

    def delete(self, identity: str, state: Mapping[str, Any]) -> None:
        """Remove the function unless the program wants it kept."""
        if not state.get("skipDestroy"):
            super().delete(identity, state)

    def unknown_after_update(self, changed: frozenset[str], inputs: Mapping[str, Any]) -> frozenset[str]:
        """Return what follows from the code, and from a new version."""
        outputs: set[str] = set()
        if changed & (_CODE | _CONFIGURATION):
            outputs |= {"lastModified"}
            if inputs.get("publish"):
                outputs |= {"version", "qualifiedArn", "qualifiedInvokeArn"}
        if "publish" in changed:
            outputs |= {"version", "qualifiedArn", "qualifiedInvokeArn"}
        if "imageUri" in changed:
            outputs |= {"codeSha256", "sourceCodeSize"}
            if not inputs.get("sourceCodeHash"):
                outputs |= {"sourceCodeHash"}
        return frozenset(outputs)

    def check_references(self, wanted: Values, identity: str) -> None:
        """Refuse a role that Lambda can't assume, a VPC that it can't use and an image that ECR doesn't have."""
        role = role_of(self.aws.client("iam"), wanted["role"])
        verdict = evaluate(document(role["AssumeRolePolicyDocument"]), LAMBDA_ASSUMES)
        if not verdict.allowed:
            raise ResourceRefusedError(
                "InvalidParameterValueException",
                f"the role {role['Arn']} can't be assumed by {LAMBDA_ASSUMES.service}: {verdict.reason}",
                "role",
            )
        vpc.check(self.aws, wanted["vpcConfig"], role["RoleName"])
        traced = (wanted["tracingConfig"] or {}).get("Mode") == "Active"
        if traced and not role_allows(self.aws.client("iam"), role["RoleName"], "xray:PutTraceSegments", "*"):
            raise ResourceRefusedError(
                "InvalidParameterValueException",
                "The provided execution role does not have permissions to call PutTraceSegments on XRAY",
                "role",
            )
        if not identity:
            self._check_image(wanted["imageUri"])

    def _changed(self, wanted: Values, state: Mapping[str, Any]) -> frozenset[str]:
        """Return the inputs for which the outputs so far say something else."""
        changed = set()
        for field in self.table:
            if not isinstance(field, Field) or not field.supported or wanted.get(field.name) is UNKNOWN:
                continue
            if not field.holds(state.get(field.name), wanted.get(field.name)):
                changed.add(field.name)
        if (wanted.get("tags") or {}) != (state.get("tags") or {}):
            changed.add("tags")
        return frozenset(changed)

    def _check_image(self, uri: str) -> None:
        """Refuse an image that ECR doesn't have, or that Lambda doesn't take."""
        image = split_image_uri(uri)
        identifier = {"repositoryName": image.repository, "imageIds": [image.identifier]}
        found = or_none(lambda: self.aws.client("ecr").batch_get_image(**identifier))
        images = found["images"] if found else []
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


def _outside(path: str, value: Any, bounds: tuple[int, int], unit: str) -> Iterator[tuple[str, str]]:
    """Yield a sentence if a number is outside Lambda's limits."""
    if value is not None and value is not UNKNOWN and not bounds[0] <= value <= bounds[1]:
        yield path, f"{value} {unit} is out of range: Lambda takes {bounds[0]} to {bounds[1]} {unit}"
