"""Lambda's Invoke for the functions of the sandbox's account: MiniStack can't run them, but the sandbox can."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, unquote

from dualmode.gateway.http.message import Request, Response, json_response
from sandbox.edge.functions import FunctionFailedError, FunctionTimedOutError
from sandbox.errors import SandboxError
from sandbox.function_log import LogPart
from sandbox.runner.version_runner import VersionRunner
from walk.account import Account
from walk.errors import UnreadableAccountError
from walk.function_version import FunctionVersion, invoked_version
from walk.trace import FunctionAbsentError, RequestRefusedError

# Source: Lambda quotas, the longest timeout of a function.
_LONGEST_SECONDS = 900.0

_PATH = re.compile(r"/2015-03-31/functions/([^/?]+)/invocations(?:\?(.*))?\Z")
# A name, a partial ARN or an ARN, each with or without a qualifier.
# Source: Lambda's API reference, Invoke, FunctionName.
_FUNCTION = re.compile(
    r"(?:(?:arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+:)?\d{12}:function:|function:)?([a-zA-Z0-9-_]+)(?::(\$LATEST|[a-zA-Z0-9-_]+))?\Z"
)
_TAKEN = ("x-amz-invocation-type", "x-amz-log-type", "x-amz-client-context", "x-amzn-trace-id")


class Invocations:
    """Runs functions by name: the version that a qualifier selects, in the same gateway that serves the API."""

    def __init__(self, account: Account, runner: VersionRunner) -> None:
        self._account = account
        self._runner = runner

    def takes(self, request: Request) -> bool:
        """Whether a call to AWS is an invocation."""
        return request.method == "POST" and _PATH.match(request.target) is not None

    def respond(self, request: Request) -> Response:
        """Return the answer to an invocation whose signature was checked."""
        path = _PATH.match(request.target)
        function = _FUNCTION.match(unquote(path[1])) if path else None
        if path is None or function is None:
            return _error(400, "InvalidParameterValueException", "The path has no function name.")
        asked = parse_qs(path[2] or "").get("Qualifier", [""])[0]
        if asked and function[2] and asked != function[2]:
            sentence = "The derived qualifier from the function name does not match the specified qualifier."
            return _error(400, "InvalidParameterValueException", sentence)
        qualifier = asked or function[2] or ""
        headers = {name: value for name in _TAKEN if (value := request.header(name))}
        try:
            version = self.version(function[1], qualifier)
            answer = self._runner.send(
                version, request.body, qualifier=qualifier, timeout=_LONGEST_SECONDS, headers=headers
            )
        except RequestRefusedError as refused:
            return _refusal(refused)
        except (SandboxError, FunctionFailedError, FunctionTimedOutError, UnreadableAccountError) as error:
            return _error(500, "ServiceException", str(error))
        passed = tuple(
            (name, value) for name, value in answer.headers if name.lower().startswith(("x-amz", "content-type"))
        )
        return Response(status=answer.status, headers=passed, body=answer.body)

    def version(self, function_name: str, qualifier: str) -> FunctionVersion:
        """Return the version that an invocation by this name and qualifier runs.

        Raises:
            RequestRefusedError: Lambda would not run it.
        """
        return invoked_version(self._account, function_name, qualifier)

    def invoke(self, version: FunctionVersion, event: bytes, logged: Callable[[LogPart], object]) -> Response:
        """Give an event to a version, and wait for its result, or its error object with `X-Amz-Function-Error`.

        Raises:
            SandboxError: the version can't run here.
        """
        try:
            return self._runner.send(version, event, qualifier=version.version, timeout=_LONGEST_SECONDS, logged=logged)
        except (FunctionFailedError, FunctionTimedOutError) as error:
            raise SandboxError(f"{version.name}:{version.version} gave no result: {error}.") from error


def _refusal(refused: RequestRefusedError) -> Response:
    hop = refused.hop
    if isinstance(refused, FunctionAbsentError):
        return _error(404, "ResourceNotFoundException", f"Function not found: {hop.id}: {hop.detail}.")
    if refused.status == 503:
        return _error(429, "TooManyRequestsException", f"Rate Exceeded: {hop.detail}.")
    return _error(500, "ServiceException", f"{hop.hop} {hop.id}: {hop.detail}.")


def _error(status: int, kind: str, message: str) -> Response:
    return json_response(status, {"Type": "User", "Message": message}, (("x-amzn-errortype", kind),))
