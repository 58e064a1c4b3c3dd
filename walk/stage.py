"""From an API's stage to the function that its integration calls: stage, throttle, route, integration."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dualmode.gateway.api_gateway.http_api import INTEGRATION_SECONDS
from dualmode.gateway.api_gateway.throttle import Throttle
from dualmode.gateway.http.message import Request
from walk import api_notes
from walk.account import Account
from walk.authorization import Credentials, authorize, explain_authorization
from walk.call import Call, function_at, with_stage_variables
from walk.cors import PreflightAnsweredError, is_preflight, preflight_headers
from walk.domain import StageAddress
from walk.queries import every, read
from walk.rest_api import check_rest_api
from walk.route import Match, match_route
from walk.routed import Routed
from walk.trace import RequestRefusedError, Trace, WalkEndsError, not_found, server_error


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


def find_call(
    account: Account,
    address: StageAddress,
    request: Request,
    throttles: Throttles,
    trace: Trace,
    credentials: Credentials,
) -> Call:
    """Follow a request through the API.

    Raises:
        RequestRefusedError: 404 without a stage or route, 401 or 403 for a client that may not use the route, 429 for
            too many requests, 500 for an integration that doesn't call anything.
        PreflightAnsweredError: API Gateway answers the request itself.
        WalkEndsError: the API sends the request to something else than a function.
    """
    method = request.method
    gateway = account.client("apigatewayv2")
    api: dict[str, Any] = {}
    with trace.reading():
        api = _api(account, address.api_id, trace)
    stage: dict[str, Any] = {"AutoDeploy": True}
    with trace.reading():
        stage = _stage(account, api, address)
    api_notes.on_stage(trace, api, stage, address)
    match = match_route(every(gateway, "get_routes", "Items", ApiId=address.api_id), method, address.path)
    limits = dict(stage.get("DefaultRouteSettings") or {})
    if match is not None:
        limits |= (stage.get("RouteSettings") or {}).get(match.key, {})
    named = f"API {api.get('Name', '')} ({address.api_id})"
    if "StageName" in stage:
        trace.add("stage", address.stage, f"{named}, {_limits_in_words(limits)}")
    cors = api.get("CorsConfiguration") or {}
    preflight = bool(cors) and is_preflight(request)
    if match is None and not preflight:
        raise _no_route(account, address, method, named, trace)
    authorizer: Mapping[str, object] | None = None
    stage_variables = dict(stage.get("StageVariables") or {})
    if match is not None:
        _throttle(address, match, limits, throttles)
        trace.add("route", match.route["RouteId"], match.key)
        api_notes.on_route(trace, match, address)
        routed = Routed(address=address, match=match, stage_variables=stage_variables)
        if trace.explains:
            explain_authorization(account, routed, trace)
        else:
            authorizer = authorize(account, routed, request, credentials, trace)
    if match is None or preflight:
        trace.add("cors", address.api_id, "API Gateway answers the preflight itself")
        raise PreflightAnsweredError(preflight_headers(cors, request))
    call = _integration(account, address, match, method, stage_variables, trace)
    return replace(call, cors=cors, authorizer=authorizer)


def _api(account: Account, api_id: str, trace: Trace) -> dict[str, Any]:
    api = read(account.client("apigatewayv2"), "get_api", absent="NotFoundException", ApiId=api_id)
    if api is None:
        check_rest_api(account, api_id, trace)
        raise not_found("api", api_id, "the API of the mapping does not exist", "api-missing")
    if api.get("ProtocolType", "HTTP") != "HTTP" and trace.explains:
        reason = f"{api['Name']} is a {api['ProtocolType']} API: only HTTP APIs are followed further"
        raise WalkEndsError(hop="api", id=api_id, reason=reason, cause="websocket-api")
    return dict(api)


def _stage(account: Account, api: dict[str, Any], address: StageAddress) -> dict[str, Any]:
    gateway = account.client("apigatewayv2")
    named = f"API {api.get('Name', '')} ({address.api_id})"
    stage = read(gateway, "get_stage", absent="NotFoundException", ApiId=address.api_id, StageName=address.stage)
    if stage is None:
        present = [entry["StageName"] for entry in every(gateway, "get_stages", "Items", ApiId=address.api_id)]
        has = f"only {', '.join(sorted(present))}" if present else "none"
        cause = "stage-not-in-path" if present and address.stage == "$default" else "stage-missing"
        raise not_found("stage", address.stage, f"{named} has no stage with this name; it has {has}", cause)
    if not stage.get("AutoDeploy") and not stage.get("DeploymentId"):
        raise not_found("stage", address.stage, f"nothing was deployed to this stage of {named}", "stage-empty")
    return dict(stage)


def _no_route(account: Account, address: StageAddress, method: str, named: str, trace: Trace) -> RequestRefusedError:
    gateway = account.client("apigatewayv2")
    keys = sorted(str(route["RouteKey"]) for route in every(gateway, "get_routes", "Items", ApiId=address.api_id))
    has = f"only {', '.join(keys[:8])}{', …' if len(keys) > 8 else ''}" if keys else "none"
    tried, reason = f"{method} {address.path}", f"no route of {named} takes it; it has {has}"
    first = address.path.removeprefix("/").partition("/")[0]
    stages: set[str] = set()
    with trace.reading():
        if trace.explains and first:
            stages = {entry["StageName"] for entry in every(gateway, "get_stages", "Items", ApiId=address.api_id)}
    if first in stages:
        reason = f"{reason}; {first} is the name of a stage, which is not a part of the path here"
        return not_found("route", tried, reason, "stage-in-path")
    return not_found("route", tried, reason, "route-missing")


def _throttle(address: StageAddress, match: Match, limits: dict[str, Any], throttles: Throttles) -> None:
    rate, burst = limits.get("ThrottlingRateLimit"), limits.get("ThrottlingBurstLimit")
    if rate is None and burst is None:
        return
    # If only one is set, the other one counts as 0 (pulumi-aws#2363).
    if not throttles.admits((address.api_id, address.stage, match.key), float(rate or 0), int(burst or 0)):
        reason = f"more than {_limits_in_words(limits)}"
        cause = "throttled" if rate and burst else "throttle-zero"
        raise RequestRefusedError(
            429, "Too Many Requests", hop="throttle", id=address.stage, reason=reason, cause=cause
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
        reason = f"route {match.key} has no integration"
        raise server_error("integration", integration_id or "(none)", reason, "integration-missing")
    if integration["IntegrationType"] != "AWS_PROXY" or integration.get("IntegrationSubtype"):
        kind = integration.get("IntegrationSubtype") or integration["IntegrationType"]
        if trace.explains:
            reason = f"route {match.key} goes to {kind} {integration.get('IntegrationUri', '')}, not to a function"
            raise WalkEndsError(hop="integration", id=integration_id, reason=reason, cause="not-a-function")
        raise server_error(
            "integration", integration_id, f"it is of type {kind}, but the sandbox runs only AWS_PROXY to Lambda"
        )
    uri = with_stage_variables(str(integration.get("IntegrationUri") or ""), stage_variables)
    function = function_at(uri)
    if function is None:
        reason = f"its URI {uri!r} is not the ARN of a Lambda function"
        raise server_error("integration", integration_id, reason, "integration-uri")
    if trace.explains and (function["region"], function["account"]) != (account.region, account.account_id):
        reason = f"function {function['name']} is in account {function['account']}, region {function['region']}"
        raise WalkEndsError(hop="integration", id=integration_id, reason=reason, cause="function-elsewhere")
    version = integration.get("PayloadFormatVersion") or "1.0"
    milliseconds = int(integration.get("TimeoutInMillis") or INTEGRATION_SECONDS * 1000)
    qualifier = function["qualifier"] or ""
    called = f"{function['name']}:{qualifier}" if qualifier else function["name"]
    trace.add("integration", integration_id, f"AWS_PROXY, payload {version}, {milliseconds / 1000:g} s, to {called}")
    partition = function["arn"].split(":", 2)[1]
    call = Call(
        function_arn=function["arn"],
        function_name=function["name"],
        qualifier=qualifier,
        source_arn=f"{account.api_arn(partition, address.api_id)}/{address.stage}/{match.source(method)}",
        payload_version=version,
        timeout=milliseconds / 1000,
        match=match,
        stage_variables=stage_variables,
    )
    api_notes.on_integration(trace, version, address.stage, integration_id)
    return call
