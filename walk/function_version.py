"""From a function's alias to what runs: permission, alias, version, role, image."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from walk import image_uri, misfit
from walk.account import Account
from walk.call import Call
from walk.policy import LAMBDA_ASSUMES, Act, Verdict, evaluate
from walk.queries import read
from walk.trace import FunctionAbsentError, RequestRefusedError, Trace, server_error


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionVersion:
    """A version of a function as Lambda describes it: `timeout` in seconds, `memory_size` and `storage` in MB."""

    name: str
    version: str
    image: str  # the image's digest in ECR, sha256:…
    repository: str
    timeout: int
    memory_size: int
    storage: int  # of /tmp
    architecture: str
    variables: Mapping[str, str]
    log_format: str
    log_level: str
    system_log_level: str
    log_group: str
    revision: str
    role: str = ""  # its name


def find_version(account: Account, call: Call, trace: Trace) -> FunctionVersion:
    """Follow an invocation through Lambda to the image.

    Raises:
        RequestRefusedError: 500 if Lambda would not run it, 503 if it is throttled.
    """
    shares = find_shares(account, call, trace)
    return describe(account, call.function_name, one_of(shares), trace)


def find_shares(account: Account, call: Call, trace: Trace) -> dict[str, float]:
    """Follow an invocation to the versions that may run, each with its share of the requests.

    Raises:
        RequestRefusedError: 500 if Lambda would not run it.
    """
    shares = shares_of(account, call.function_name, call.qualifier)
    statement = "(a policy that could not be read)"
    with trace.reading():
        statement = _permission(account, call, trace)
    if call.qualifier and call.qualifier not in shares:
        trace.add("alias", call.qualifier, f"{call.function_name} to {_in_words(shares)}, allowed by {statement}")
    elif trace.explains:
        trace.add("function", call.function_name, f"version {call.qualifier or '$LATEST'}, allowed by {statement}")
    return shares


def invoked_version(account: Account, function_name: str, qualifier: str) -> FunctionVersion:
    """Follow a direct invocation, by a caller that may invoke the function, without an API in between.

    Raises:
        FunctionAbsentError: there is no such function, version or alias.
        RequestRefusedError: Lambda would not run it for another reason.
    """
    version = one_of(shares_of(account, function_name, qualifier))
    return describe(account, function_name, version, Trace())


def describe(account: Account, function_name: str, version: str, trace: Trace) -> FunctionVersion:
    """Lambda's description of a version, if its role and image let it run.

    Raises:
        RequestRefusedError: 500 if Lambda would not run it, 503 if it is throttled.
    """
    function = read(
        account.client("lambda"),
        "get_function",
        absent="ResourceNotFoundException",
        FunctionName=function_name,
        **({"Qualifier": version} if version else {}),
    )
    name = f"{function_name}:{version or '$LATEST'}"
    if function is None:
        reason = "the function or its version does not exist"
        raise FunctionAbsentError(hop="version", id=name, reason=reason, cause="version-missing")
    configuration = function["Configuration"]
    role = str(configuration["Role"]).rpartition("/")[2]
    with trace.reading():
        _check_role(account, configuration, name, trace)
    _check_runnable(function, name, trace)
    described = (
        f"{configuration['MemorySize']} MB, {configuration['Timeout']} s, "
        f"{(configuration.get('Architectures') or ['x86_64'])[0]}, role {role}"
    )
    trace.add("version", configuration["Version"], described)
    # without its qualifier, as it is in the repository's policy
    arn = ":".join(configuration["FunctionArn"].split(":")[:7])
    digest, repository = "", ""
    if configuration.get("PackageType") == "Image":
        with trace.reading():
            digest, repository = _image(account, function["Code"], name)
        with trace.reading():
            _check_repository(account, function["Code"], arn, trace)
    logging = configuration.get("LoggingConfig") or {}
    return FunctionVersion(
        name=function_name,
        version=configuration["Version"],
        image=digest,
        repository=repository,
        timeout=int(configuration["Timeout"]),
        memory_size=int(configuration["MemorySize"]),
        storage=int(configuration["EphemeralStorage"]["Size"]),
        architecture=(configuration.get("Architectures") or ["x86_64"])[0],
        variables=(configuration.get("Environment") or {}).get("Variables") or {},
        log_format=logging.get("LogFormat") or "Text",
        log_level=logging.get("ApplicationLogLevel") or "",
        system_log_level=logging.get("SystemLogLevel") or "",
        log_group=logging.get("LogGroup") or f"/aws/lambda/{function_name}",
        revision=configuration.get("RevisionId") or "",
        role=role,
    )


def _permission(account: Account, call: Call, trace: Trace) -> str:
    """The statement of the resource policy that lets API Gateway invoke the function."""
    policy = resource_policy(account, call.function_name, call.qualifier)
    act = Act(
        service="apigateway.amazonaws.com",
        action="lambda:InvokeFunction",
        resource=call.invoked_arn,
        context={"aws:SourceArn": call.source_arn, "aws:SourceAccount": account.account_id},
    )
    verdict = evaluate(policy["Policy"] if policy else None, act)
    if not refuses(verdict, trace, "permission", call.invoked_arn):
        return verdict.statement or "a statement with a condition"
    if policy is None:
        _check_present(account, call)
    reason = f"its resource policy does not let {act.service} invoke it from {call.source_arn}: {verdict.reason}"
    raise server_error("permission", call.invoked_arn, reason, misfit.cause_of(account, call, policy, act))


def resource_policy(account: Account, function_name: str, qualifier: str) -> Any:
    """The answer that has the resource policy of a function, version or alias; None without one."""
    return read(
        account.client("lambda"),
        "get_policy",
        absent="ResourceNotFoundException",
        FunctionName=function_name,
        **({"Qualifier": qualifier} if qualifier else {}),
    )


def invoke_verdict(account: Account, invoked_arn: str, service: str, source_arn: str) -> Verdict:
    """Whether the resource policy of a function, version or alias lets a service invoke it for one of its resources."""
    name, _, qualifier = invoked_arn.split(":", 6)[6].partition(":")
    policy = resource_policy(account, name, qualifier)
    context = {"aws:SourceArn": source_arn, "aws:SourceAccount": account.account_id}
    act = Act(service=service, action="lambda:InvokeFunction", resource=invoked_arn, context=context)
    return evaluate(policy["Policy"] if policy else None, act)


def _check_present(account: Account, call: Call) -> None:
    """A function without a policy may not be there at all."""
    function = read(
        account.client("lambda"),
        "get_function_configuration",
        absent="ResourceNotFoundException",
        FunctionName=call.function_name,
        **({"Qualifier": call.qualifier} if call.qualifier else {}),
    )
    if function is None:
        reason = "the function or its version does not exist"
        raise FunctionAbsentError(hop="version", id=call.invoked_arn, reason=reason, cause="version-missing")


def refuses(verdict: Verdict, trace: Trace, hop: str, id: str) -> bool:  # noqa: A002  AWS's word
    """Whether a policy refuses: a trace that explains goes on behind a condition that is not evaluated here."""
    if not verdict.allowed and verdict.unsure and trace.explains:
        trace.note("condition-unknown", hop, id, verdict.reason)
        return False
    return not verdict.allowed


def shares_of(account: Account, function_name: str, qualifier: str) -> dict[str, float]:
    """The versions that run for this qualifier: an alias's versions by their weights, or the qualifier itself."""
    if not qualifier or qualifier == "$LATEST" or qualifier.isdecimal():
        return {qualifier: 1.0}
    alias = read(
        account.client("lambda"),
        "get_alias",
        absent="ResourceNotFoundException",
        FunctionName=function_name,
        Name=qualifier,
    )
    if alias is None:
        reason = f"function {function_name} or its alias does not exist"
        raise FunctionAbsentError(hop="alias", id=qualifier, reason=reason, cause="alias-missing")
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    shares = {str(version): float(weight) for version, weight in weights.items()}
    return {str(alias["FunctionVersion"]): 1 - sum(shares.values()), **shares}


def one_of(shares: Mapping[str, float]) -> str:
    """A version, by chance."""
    return random.choices(list(shares), list(shares.values()))[0]  # noqa: S311  a share of traffic is no secret


def _in_words(shares: Mapping[str, float]) -> str:
    if len(shares) == 1:
        return f"version {next(iter(shares))}"
    return f"versions {', '.join(f'{version} ({100 * share:g} %)' for version, share in shares.items())}"


def _check_role(account: Account, configuration: Mapping[str, Any], name: str, trace: Trace) -> None:
    """Check that the role which the version runs as is there, and that Lambda may assume it."""
    arn = str(configuration["Role"])
    role = read(account.client("iam"), "get_role", absent="NoSuchEntity", RoleName=arn.rpartition("/")[2])
    if role is None:
        raise server_error("role", arn, f"the role of {name} does not exist", "role-missing")
    verdict = evaluate(role["Role"]["AssumeRolePolicyDocument"], LAMBDA_ASSUMES)
    if refuses(verdict, trace, "role", arn):
        reason = f"its trust policy does not let {LAMBDA_ASSUMES.service} assume it: {verdict.reason}"
        raise server_error("role", arn, reason, "role-trust")


def _check_runnable(function: Mapping[str, Any], name: str, trace: Trace) -> None:
    configuration = function["Configuration"]
    if configuration.get("PackageType") != "Image" and not trace.explains:
        raise server_error("version", name, "it is not an image function, and the sandbox runs images only")
    state = configuration.get("State") or "Active"
    if state == "Failed" or (trace.explains and state != "Active"):
        reason = configuration.get("StateReason") or configuration.get("StateReasonCode") or "no reason is given"
        raise server_error("version", name, f"its state is {state}: {reason}", f"state-{state.lower()}")
    if (function.get("Concurrency") or {}).get("ReservedConcurrentExecutions") == 0:
        raise RequestRefusedError(
            503,
            "Service Unavailable",
            hop="version",
            id=name,
            reason="its reserved concurrency is 0",
            cause="concurrency-zero",
        )


def _image(account: Account, code: Mapping[str, Any], name: str) -> tuple[str, str]:
    """The image's digest and repository, if ECR has it."""
    uri = str(code.get("ResolvedImageUri") or code.get("ImageUri") or "")
    parts = image_uri.split(uri)
    if parts is None:
        raise server_error("image", uri or "(none)", f"{name} has no image URI of ECR", "image-uri")
    ecr, place = account.client("ecr"), {"registryId": parts.account, "repositoryName": parts.repository}
    absent = ("RepositoryNotFoundException", "ImageNotFoundException")
    answer = read(ecr, "describe_images", absent=absent, **place, imageIds=[parts.identifier])
    if answer is not None and answer["imageDetails"]:
        return str(answer["imageDetails"][0]["imageDigest"]), parts.repository
    repositories = read(
        ecr,
        "describe_repositories",
        absent="RepositoryNotFoundException",
        registryId=parts.account,
        repositoryNames=[parts.repository],
    )
    if repositories is None:
        raise server_error("image", uri, f"the repository {parts.repository} does not exist", "repository-missing")
    raise server_error("image", uri, f"the repository {parts.repository} no longer has it", "image-missing")


def _check_repository(account: Account, code: Mapping[str, Any], function_arn: str, trace: Trace) -> None:
    """Check that the repository of an image lets Lambda pull it."""
    parts = image_uri.split(str(code.get("ResolvedImageUri") or code.get("ImageUri") or ""))
    if parts is None:
        return
    policy = read(
        account.client("ecr"),
        "get_repository_policy",
        absent="RepositoryPolicyNotFoundException",
        registryId=parts.account,
        repositoryName=parts.repository,
    )
    for action in ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"):
        act = Act(
            service="lambda.amazonaws.com",
            action=action,
            context={"aws:SourceArn": function_arn, "aws:SourceAccount": account.account_id},
        )
        verdict = evaluate(policy["policyText"] if policy else None, act)
        if refuses(verdict, trace, "repository", parts.repository):
            reason = f"its policy does not let {act.service} call {action}: {verdict.reason}"
            raise server_error("repository", parts.repository, reason, "repository-policy")
