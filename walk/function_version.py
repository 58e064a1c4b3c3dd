"""From a function's alias to what runs: permission, alias, version, role, image."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from walk import image_uri
from walk.account import Account
from walk.policy import LAMBDA_ASSUMES, Act, evaluate
from walk.queries import read
from walk.stage import Call
from walk.trace import FunctionAbsentError, RequestRefusedError, Trace, server_error


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionVersion:
    """A version of a function as Lambda describes it: `timeout` in seconds, `memory_size` in MB."""

    name: str
    version: str
    image: str  # the image's digest in ECR, sha256:…
    repository: str
    timeout: int
    memory_size: int
    architecture: str
    variables: Mapping[str, str]
    log_format: str
    log_level: str
    system_log_level: str
    log_group: str
    revision: str


def find_version(account: Account, call: Call, trace: Trace) -> FunctionVersion:
    """Follow an invocation through Lambda to the image.

    Raises:
        RequestRefusedError: 500 if Lambda would not run it, 503 if it is throttled.
    """
    version = _version_of_alias(account, call.function_name, call.qualifier)
    statement = _permission(account, call)
    if call.qualifier and version != call.qualifier:
        trace.add("alias", call.qualifier, f"{call.function_name} to version {version}, allowed by {statement}")
    return _described(account, call.function_name, version, trace)


def invoked_version(account: Account, function_name: str, qualifier: str) -> FunctionVersion:
    """Follow a direct invocation, by a caller that may invoke the function, without an API in between.

    Raises:
        FunctionAbsentError: there is no such function, version or alias.
        RequestRefusedError: Lambda would not run it for another reason.
    """
    version = _version_of_alias(account, function_name, qualifier)
    return _described(account, function_name, version, Trace())


def _described(account: Account, function_name: str, version: str, trace: Trace) -> FunctionVersion:
    """Lambda's description of a version, if the role and the image let it run."""
    function = read(
        account.client("lambda"),
        "get_function",
        absent="ResourceNotFoundException",
        FunctionName=function_name,
        **({"Qualifier": version} if version else {}),
    )
    name = f"{function_name}:{version or '$LATEST'}"
    if function is None:
        raise FunctionAbsentError(hop="version", id=name, reason="the function or its version does not exist")
    configuration = function["Configuration"]
    role = _role(account, configuration, name)
    _check_runnable(function, name)
    described = (
        f"{configuration['MemorySize']} MB, {configuration['Timeout']} s, "
        f"{(configuration.get('Architectures') or ['x86_64'])[0]}, role {role}"
    )
    trace.add("version", configuration["Version"], described)
    # without its qualifier, as it is in the repository's policy
    arn = ":".join(configuration["FunctionArn"].split(":")[:7])
    digest, repository = _image(account, function["Code"], arn, name)
    logging = configuration.get("LoggingConfig") or {}
    return FunctionVersion(
        name=function_name,
        version=configuration["Version"],
        image=digest,
        repository=repository,
        timeout=int(configuration["Timeout"]),
        memory_size=int(configuration["MemorySize"]),
        architecture=(configuration.get("Architectures") or ["x86_64"])[0],
        variables=(configuration.get("Environment") or {}).get("Variables") or {},
        log_format=logging.get("LogFormat") or "Text",
        log_level=logging.get("ApplicationLogLevel") or "",
        system_log_level=logging.get("SystemLogLevel") or "",
        log_group=logging.get("LogGroup") or f"/aws/lambda/{function_name}",
        revision=configuration.get("RevisionId") or "",
    )


def _permission(account: Account, call: Call) -> str:
    """The statement of the resource policy that lets API Gateway invoke the function."""
    policy = read(
        account.client("lambda"),
        "get_policy",
        absent="ResourceNotFoundException",
        FunctionName=call.function_name,
        **({"Qualifier": call.qualifier} if call.qualifier else {}),
    )
    act = Act(
        service="apigateway.amazonaws.com",
        action="lambda:InvokeFunction",
        resource=call.invoked_arn,
        context={"aws:SourceArn": call.source_arn, "aws:SourceAccount": account.account_id},
    )
    verdict = evaluate(policy["Policy"] if policy else None, act)
    if verdict.allowed:
        return verdict.statement
    raise server_error(
        "permission",
        call.invoked_arn,
        f"its resource policy does not let {act.service} invoke it from {call.source_arn}: {verdict.reason}",
    )


def _version_of_alias(account: Account, function_name: str, qualifier: str) -> str:
    """The version that runs for this qualifier: an alias's version, by its weights, or the qualifier itself."""
    if not qualifier or qualifier == "$LATEST" or qualifier.isdecimal():
        return qualifier
    alias = read(
        account.client("lambda"),
        "get_alias",
        absent="ResourceNotFoundException",
        FunctionName=function_name,
        Name=qualifier,
    )
    if alias is None:
        raise FunctionAbsentError(
            hop="alias", id=qualifier, reason=f"function {function_name} or its alias does not exist"
        )
    share = random.random()  # noqa: S311  a share of traffic is no secret
    for version, weight in ((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}).items():
        share -= float(weight)
        if share < 0:
            return str(version)
    return str(alias["FunctionVersion"])


def _role(account: Account, configuration: Mapping[str, Any], name: str) -> str:
    """The name of the role that the version runs as, if Lambda may assume it."""
    arn = str(configuration["Role"])
    role_name = arn.rpartition("/")[2]
    role = read(account.client("iam"), "get_role", absent="NoSuchEntity", RoleName=role_name)
    if role is None:
        raise server_error("role", arn, f"the role of {name} does not exist")
    verdict = evaluate(role["Role"]["AssumeRolePolicyDocument"], LAMBDA_ASSUMES)
    if not verdict.allowed:
        reason = f"its trust policy does not let {LAMBDA_ASSUMES.service} assume it: {verdict.reason}"
        raise server_error("role", arn, reason)
    return role_name


def _check_runnable(function: Mapping[str, Any], name: str) -> None:
    configuration = function["Configuration"]
    if configuration.get("PackageType") != "Image":
        raise server_error("version", name, "it is not an image function, and the sandbox runs images only")
    if configuration.get("State") == "Failed":
        reason = configuration.get("StateReason") or configuration.get("StateReasonCode") or "no reason is given"
        raise server_error("version", name, f"its state is Failed: {reason}")
    if (function.get("Concurrency") or {}).get("ReservedConcurrentExecutions") == 0:
        raise RequestRefusedError(
            503, "Service Unavailable", hop="version", id=name, reason="its reserved concurrency is 0"
        )


def _image(account: Account, code: Mapping[str, Any], function_arn: str, name: str) -> tuple[str, str]:
    """The image's digest and repository, if ECR has it and lets Lambda pull it."""
    uri = str(code.get("ResolvedImageUri") or code.get("ImageUri") or "")
    parts = image_uri.split(uri)
    if parts is None:
        raise server_error("image", uri or "(none)", f"{name} has no image URI of ECR")
    ecr, repository = account.client("ecr"), parts.repository
    answer = read(
        ecr,
        "batch_get_image",
        absent="RepositoryNotFoundException",
        registryId=parts.account,
        repositoryName=repository,
        imageIds=[parts.identifier],
    )
    if answer is None:
        raise server_error("image", uri, f"the repository {repository} does not exist")
    if not answer["images"]:
        raise server_error("image", uri, f"the repository {repository} no longer has it")
    policy = read(ecr, "get_repository_policy", absent="RepositoryPolicyNotFoundException", repositoryName=repository)
    for action in ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"):
        act = Act(
            service="lambda.amazonaws.com",
            action=action,
            context={"aws:SourceArn": function_arn, "aws:SourceAccount": account.account_id},
        )
        verdict = evaluate(policy["policyText"] if policy else None, act)
        if not verdict.allowed:
            reason = f"its policy does not let {act.service} call {action}: {verdict.reason}"
            raise server_error("repository", repository, reason)
    return str(answer["images"][0]["imageId"]["imageDigest"]), repository
