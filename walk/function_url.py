"""From the host of a Function URL to the function: which one has it, and who may call it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dualmode.gateway.http.message import Request
from walk.account import Account
from walk.authorization import Credentials
from walk.caller import UnsignedError
from walk.function_version import resource_policy, shares_of
from walk.policy import Act, evaluate
from walk.queries import every, read
from walk.trace import RequestRefusedError, Trace, forbidden, not_found

_SIGNED = "AWS_IAM"

# Source: docs/http-api.md, S43 and S44.
_SIGNATURE_ERRORS = {
    "SignatureDoesNotMatch": (
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details.",
    ),
    "InvalidClientTokenId": ("UnrecognizedClientException", "The security token included in the request is invalid."),
}

LONGEST_SECONDS = 900.0
"""Seconds that Lambda lets a function run. Source: "Lambda quotas", Lambda Developer Guide."""


def is_function_url(name: str) -> bool:
    """Whether a host is a Function URL's."""
    labels = name.split(".")
    return len(labels) > 2 and labels[1] == "lambda-url"


def find_shares(
    account: Account, name: str, request: Request, credentials: Credentials, trace: Trace
) -> tuple[str, dict[str, float], Mapping[str, object] | None]:
    """Return the ARN behind the host of a Function URL, the versions that may run with their shares, and who signed.

    The last is what the function is told as `authorizer`, None where requests need no signature.

    Raises:
        RequestRefusedError: no function has the URL, or it doesn't let the request in.
    """
    found = find_url(account, name)
    if found is None:
        reason = f"no function of this account in {account.region} has this URL"
        raise not_found("domain", name, reason, "function-url-missing")
    arn, auth_type = found
    parts = arn.split(":")
    function_name, qualifier = parts[6], parts[7] if len(parts) > 7 else ""
    trace.add("domain", name, f"Function URL of {':'.join(parts[6:])}, {auth_type}")
    authorizer: Mapping[str, object] | None = None
    if auth_type == _SIGNED and trace.explains:
        detail = f"a request that is not signed by who may call {_in_words(_acts(arn, auth_type))} is answered with 403"
        trace.note("function-url-signature", "domain", name, detail)
    else:
        with trace.reading():
            found_policy = resource_policy(account, function_name, qualifier)
            policy = found_policy["Policy"] if found_policy else None
            if auth_type == _SIGNED:
                authorizer = {"iam": _by_signature(account, arn, policy, request, credentials, trace)}
            else:
                _check_open(arn, auth_type, policy)
    return arn, shares_of(account, function_name, qualifier), authorizer


def _acts(arn: str, auth_type: str) -> tuple[Act, Act]:
    """What a client does: both since October 2025.

    Source: "Control access to Lambda function URLs", Lambda Developer Guide.
    """
    by_url = {"lambda:FunctionUrlAuthType": auth_type, "lambda:FunctionArn": arn}
    return (
        Act(action="lambda:InvokeFunctionUrl", resource=arn, context=by_url),
        Act(action="lambda:InvokeFunction", resource=arn, context={"lambda:InvokedViaFunctionUrl": "true"}),
    )


def _in_words(acts: tuple[Act, Act]) -> str:
    return " and ".join(act.action for act in acts)


def find_url(account: Account, name: str) -> tuple[str, str] | None:
    """Return the ARN of the function or alias whose URL has this host, and who may call it.

    There is no shorter way to look it up.
    """
    functions = account.client("lambda")
    for function in every(functions, "list_functions", "Functions"):
        known = {"FunctionName": function["FunctionName"]}
        urls = every(functions, "list_function_url_configs", "FunctionUrlConfigs", **known)
        if not any(_is_at(url, name) for url in urls):
            continue
        arn = function["FunctionArn"]
        for alias in every(functions, "list_aliases", "Aliases", **known):
            of_alias = read(
                functions,
                "get_function_url_config",
                absent="ResourceNotFoundException",
                Qualifier=alias["Name"],
                **known,
            )
            if of_alias is not None and _is_at(of_alias, name):
                return f"{arn}:{alias['Name']}", str(of_alias["AuthType"])
        return arn, next(str(url["AuthType"]) for url in urls if _is_at(url, name))
    return None


def _is_at(url: Mapping[str, Any], name: str) -> bool:
    return bool(url["FunctionUrl"].removeprefix("https://").rstrip("/").lower() == name)


def _check_open(arn: str, auth_type: str, policy: str | None) -> None:
    for act in _acts(arn, auth_type):
        verdict = evaluate(policy, replace(act, service="everyone"))
        if not verdict.allowed:
            reason = f"its resource policy does not let everyone call {act.action}: {verdict.reason}"
            raise forbidden("permission", arn, reason, "function-url-permission")


def _by_signature(
    account: Account, arn: str, policy: str | None, request: Request, credentials: Credentials, trace: Trace
) -> Mapping[str, object]:
    """What the function is told of who signed the request."""
    try:
        caller = credentials.signer(request, account.region, "lambda")
    except UnsignedError as error:
        raise _unsigned(error) from error
    for act in _acts(arn, _SIGNED):
        verdict = caller.verdict(policy, act)
        if not verdict.allowed:
            reason = f"{caller.arn} may not call {act.action}: {verdict.reason}"
            raise forbidden("permission", arn, reason, "function-url-permission")
    trace.add("authorizer", _SIGNED, f"signed by {caller.arn}")
    return caller.iam


def _unsigned(error: UnsignedError) -> RequestRefusedError:
    if error.code not in _SIGNATURE_ERRORS:
        return forbidden("authorizer", _SIGNED, str(error))
    kind, message = _SIGNATURE_ERRORS[error.code]
    named = {"x-amzn-errortype": kind}
    return RequestRefusedError(403, message, hop="authorizer", id=_SIGNED, reason=str(error), headers=named)
