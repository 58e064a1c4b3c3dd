"""What an API does to requests that is seldom wanted, for a person who asks for an explanation."""

from typing import Any

from walk.domain import StageAddress
from walk.route import Match
from walk.trace import Trace


def on_stage(trace: Trace, api: dict[str, Any], stage: dict[str, Any], address: StageAddress) -> None:
    """Note what a stage and its API do to requests."""
    if api.get("CorsConfiguration"):
        detail = "its CORS configuration replaces the CORS headers that the application sends"
        trace.note("gateway-cors", "api", address.api_id, detail)
    if not stage.get("AutoDeploy"):
        detail = "it shows its last deployment: later changes of routes and integrations are not live"
        trace.note("no-auto-deploy", "stage", address.stage, detail)
    said = str(stage.get("LastDeploymentStatusMessage") or "")
    if "fail" in said.lower():
        trace.note("deployment-failed", "stage", address.stage, f"its last deployment says: {said}")


def on_route(trace: Trace, match: Match, address: StageAddress) -> None:
    """Note what a route leaves open."""
    if address.path == "/" and match.key.endswith("/{proxy+}"):
        detail = f"that {match.key} takes the path / is not documented, and REST APIs do not do it"
        trace.note("greedy-root", "route", str(match.route["RouteId"]), detail)


def on_integration(trace: Trace, payload_version: str, stage: str, integration_id: str) -> None:
    """Note how the event differs from what an application may expect."""
    if payload_version != "2.0":
        detail = f"it sends payload {payload_version}: an application that reads 2.0 fails or sees no path"
        trace.note("payload-1", "integration", integration_id, detail)
    elif stage != "$default":
        detail = f"the application sees /{stage} in front of the path, unless its adapter removes it"
        trace.note("stage-prefix", "integration", integration_id, detail)
