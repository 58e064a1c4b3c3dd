"""Lambda authorizers: their functions decide which requests reach the integration.

Source: "Control access to HTTP APIs with AWS Lambda authorizers in API Gateway", API Gateway Developer Guide;
docs/http-api.md, R75, G32 and G34.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dualmode.gateway.http.message import Request
from sandbox.edge.authorizer_answer import AuthorizerAnswer, InvalidAnswerError, read_answer
from sandbox.edge.authorizer_event import identity_values, question
from sandbox.edge.functions import FunctionFailedError, Functions, FunctionTimedOutError
from sandbox.errors import SandboxError
from sandbox.function_log import LogPart
from walk.account import Account
from walk.lambda_authorizer import AuthorizerFunction, LambdaAuthorizer, find_function
from walk.routed import Routed
from walk.trace import RequestRefusedError, Trace, server_error

SECONDS = 10.0
"""How long API Gateway waits for an authorizer. Source: "Quotas for configuring and running an HTTP API"."""

_MOST_ANSWERS = 1_000


class LambdaAuthorizers:
    """Asks the functions of authorizers, and keeps their answers for as long as each authorizer says."""

    def __init__(self, account: Account, functions: Functions, clock: Callable[[], float]) -> None:
        self._account = account
        self._functions = functions
        self._kept = KeptDecisions(clock)

    def ask(
        self,
        authorizer: LambdaAuthorizer,
        routed: Routed,
        request: Request,
        event: dict[str, Any],
        trace: Trace,
        logged: Callable[[LogPart], object],
    ) -> Mapping[str, object] | None:
        """Let an authorizer decide, and return its context; `event` is what the integration would get.

        Raises:
            RequestRefusedError: 401 or 403; 500 if its function can't be invoked, or its answer isn't an authorizer's.
        """
        identity = identity_values(authorizer, event)
        arn = routed.request_arn(authorizer.api_arn(self._account, routed.address.api_id), request.method)
        key = (routed.address.api_id, routed.address.stage, authorizer, *identity)
        answer = self._kept.find(key) if authorizer.keeps_answers else None
        how = "an answer that is kept"
        if answer is None:
            function = find_function(self._account, routed.address.api_id, authorizer, trace)
            how = f"{function.version.name}:{function.qualifier or '$LATEST'}"
            asked = question(authorizer, request, event, route_arn=arn, identity=identity)
            answer = self._answer(authorizer, function, asked, logged)
            if authorizer.keeps_answers:
                self._kept.keep(key, answer, authorizer.seconds)
        answer.check(authorizer, arn)
        trace.add("authorizer", authorizer.id, f"{authorizer.name}, allowed by {how}")
        return answer.context

    def _answer(
        self,
        authorizer: LambdaAuthorizer,
        function: AuthorizerFunction,
        asked: Mapping[str, object],
        logged: Callable[[LogPart], object],
    ) -> AuthorizerAnswer:
        payload = json.dumps(asked, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        try:
            result = self._functions.invoke(
                function.version, payload, qualifier=function.qualifier, timeout=SECONDS, logged=logged
            )
            return read_answer(authorizer, result)
        except FunctionFailedError as error:
            raise _failed(authorizer, f"failed: {error}") from error
        except InvalidAnswerError as error:
            raise _failed(authorizer, f"gave an answer that is not an authorizer's: {error}") from error
        except FunctionTimedOutError as error:
            raise _failed(authorizer, f"did not answer within {SECONDS:g} s") from error
        except SandboxError as error:
            raise _failed(authorizer, f"can't run here: {error}") from error


@dataclass(slots=True)
class KeptDecisions:
    """The answers of authorizers that are used again; `clock` gives seconds."""

    clock: Callable[[], float] = time.monotonic
    _answers: dict[tuple[object, ...], tuple[float, AuthorizerAnswer]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, key: tuple[object, ...]) -> AuthorizerAnswer | None:
        """Return the answer under a key, as long as it is kept."""
        with self._lock:
            until, answer = self._answers.get(key, (0.0, None))
        return answer if answer is not None and self.clock() < until else None

    def keep(self, key: tuple[object, ...], answer: AuthorizerAnswer, seconds: int) -> None:
        """Keep an answer."""
        with self._lock:
            if len(self._answers) >= _MOST_ANSWERS:
                self._answers.clear()
            self._answers[key] = (self.clock() + seconds, answer)


def _failed(authorizer: LambdaAuthorizer, reason: str) -> RequestRefusedError:
    return server_error("authorizer", authorizer.id, f"the function of {authorizer.name} {reason}")
