"""From an API's stage to the function that its integration calls: stage, throttle, route, integration."""

import re
import threading
from dataclasses import dataclass
from typing import Any

from dualmode.gateway.api_gateway.http_api import INTEGRATION_SECONDS
from dualmode.gateway.api_gateway.throttle import Throttle
from walk.account import Account
from walk.domain import StageAddress
from walk.queries import every, read
from walk.route import Match, match_route
from walk.trace import RequestRefusedError, Trace, not_found, server_error

# The two forms: the function's own ARN, and the ARN that invokes it through API Gateway's service integration.
_FUNCTION_ARN = re.compile(
    r"(?P<arn>arn:[^:]+:lambda:(?P<region>[^:]*):(?P<account>\d*):function:(?P<name>[^:/]+))(?::(?P<qualifier>[^:/]+))?(?:/invocations)?$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What the integration calls, and how; `timeout` in seconds, `source_arn` is the request's own."""

    function_arn: str  # without a qualifier
    function_name: str
    qualifier: str
    source_arn: str
    payload_version: str
    timeout: float
    match: Match
    stage_variables: dict[str, str]

    @property
    def invoked_arn(self) -> str:
        """The ARN that is invoked, qualified if the integration's is."""
        return f"{self.function_arn}:{self.qualifier}" if self.qualifier else self.function_arn


class Throttles:
    """The token buckets of stages and routes, kept as long as their limits don't change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, ...], tuple[tuple[float, int], Throttle]] = {}

    def admits(self, bucket: tuple[str, ...], rate: float, burst: int) -> bool:
        """Take a token of that bucket; False when there is none."""
        with self._lock:
            limits, throttle = self._buckets.get(bucket, (None, None))
            if throttle is None or limits != (rate, burst):
                throttle = Throttle(rate, burst)
                self._buckets[bucket] = ((rate, burst), throttle)
        return throttle.admits()


def find_call(account: Account, address: StageAddress, method: str, throttles: Throttles, trace: Trace) -> Call:
    """Follow a request through the API.

    Raises:
        RequestRefusedError: 404 without a stage or route, 429 for too many requests, 500 for an integration that
            doesn't call anything.
    """
    gateway = account.client("apigatewayv2")
    api = read(gateway, "get_api", absent="NotFoundException", ApiId=address.api_id)
    if api is None:
        raise not_found("api", address.api_id, "the API of the mapping does not exist")
    stage = read(gateway, "get_stage", absent="NotFoundException", ApiId=address.api_id, StageName=address.stage)
    if stage is None:
        raise not_found("stage", address.stage, f"API {api['Name']} ({address.api_id}) has no stage with this name")
    if not stage.get("AutoDeploy") and not stage.get("DeploymentId"):
        raise not_found("stage", address.stage, f"nothing was deployed to this stage of API {api['Name']}")
    match = match_route(every(gateway, "get_routes", "Items", ApiId=address.api_id), method, address.path)
    limits = dict(stage.get("DefaultRouteSettings") or {})
    if match is not None:
        limits |= (stage.get("RouteSettings") or {}).get(match.key, {})
    trace.add("stage", address.stage, f"API {api['Name']} ({address.api_id}), {_limits_in_words(limits)}")
    if match is None:
        raise not_found("route", f"{method} {address.path}", f"no route of API {api['Name']} takes it")
    _throttle(address, match, limits, throttles)
    trace.add("route", match.route["RouteId"], match.key)
    if match.route.get("AuthorizationType", "NONE") != "NONE":
        kind = match.route["AuthorizationType"]
        raise RequestRefusedError(
            401,
            "Unauthorized",
            hop="authorizer",
            id=match.route.get("AuthorizerId", kind),
            reason=f"route {match.key} needs {kind} authorization, which the sandbox can't grant",
        )
    return _integration(account, address, match, method, dict(stage.get("StageVariables") or {}), trace)


def _throttle(address: StageAddress, match: Match, limits: dict[str, Any], throttles: Throttles) -> None:
    rate, burst = limits.get("ThrottlingRateLimit"), limits.get("ThrottlingBurstLimit")
    if rate is None and burst is None:
        return
    # If only one is set, the other one counts as 0 (pulumi-aws#2363).
    if not throttles.admits((address.api_id, address.stage, match.key), float(rate or 0), int(burst or 0)):
        raise RequestRefusedError(
            429, "Too Many Requests", hop="throttle", id=address.stage, reason=f"more than {_limits_in_words(limits)}"
        )


def _limits_in_words(limits: dict[str, Any]) -> str:
    rate, burst = limits.get("ThrottlingRateLimit"), limits.get("ThrottlingBurstLimit")
    if rate is None and burst is None:
        return "no throttle"
    return f"{float(rate or 0):g} requests/s, burst {burst or 0}"


def _integration(
    account: Account, address: StageAddress, match: Match, method: str, stage_variables: dict[str, str], trace: Trace
) -> Call:
    target = str(match.route.get("Target") or "")
    integration_id = target.removeprefix("integrations/")
    integration = integration_id and read(
        account.client("apigatewayv2"),
        "get_integration",
        absent="NotFoundException",
        ApiId=address.api_id,
        IntegrationId=integration_id,
    )
    if not integration:
        raise server_error("integration", integration_id or "(none)", f"route {match.key} has no integration")
    if integration["IntegrationType"] != "AWS_PROXY" or integration.get("IntegrationSubtype"):
        kind = integration.get("IntegrationSubtype") or integration["IntegrationType"]
        raise server_error(
            "integration", integration_id, f"it is of type {kind}, but the sandbox runs only AWS_PROXY to Lambda"
        )
    uri = _with_stage_variables(str(integration.get("IntegrationUri") or ""), stage_variables)
    function = _FUNCTION_ARN.search(uri)
    if function is None:
        raise server_error("integration", integration_id, f"its URI {uri!r} is not the ARN of a Lambda function")
    version = integration.get("PayloadFormatVersion") or "1.0"
    milliseconds = int(integration.get("TimeoutInMillis") or INTEGRATION_SECONDS * 1000)
    qualifier = function["qualifier"] or ""
    called = f"{function['name']}:{qualifier}" if qualifier else function["name"]
    trace.add("integration", integration_id, f"AWS_PROXY, payload {version}, {milliseconds / 1000:g} s, to {called}")
    partition = function["arn"].split(":", 2)[1]
    source = f"{address.api_id}/{address.stage}/{match.source(method)}"
    return Call(
        function_arn=function["arn"],
        function_name=function["name"],
        qualifier=qualifier,
        source_arn=f"arn:{partition}:execute-api:{account.region}:{account.account_id}:{source}",
        payload_version=version,
        timeout=milliseconds / 1000,
        match=match,
        stage_variables=stage_variables,
    )


def _with_stage_variables(uri: str, variables: dict[str, str]) -> str:
    return re.sub(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}", lambda found: variables.get(found[1], ""), uri)
