"""Which route of an HTTP API takes a request."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

DEFAULT = "$default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A route as the API describes it, the parts of its key, and the values of its variables in this request."""

    route: dict[str, Any]
    key: str
    parameters: dict[str, str]

    def source(self, method: str) -> str:
        """The part of the request's source ARN behind the stage.

        Source: terraform-aws-apigateway-v2#41: of `$default` it is the key alone, two parts with the stage.
        """
        return DEFAULT if self.key == DEFAULT else f"{method}{self.key.partition(' ')[2]}"


def match_route(routes: Sequence[dict[str, Any]], method: str, path: str) -> Match | None:
    """The route for a decoded path: a full match first, then the longest greedy one, then `$default`.

    Source: "Routing API requests", HTTP APIs, API Gateway Developer Guide.
    """
    candidates: list[tuple[tuple[Any, ...], Match]] = []
    fallback = None
    for route in routes:
        key = str(route["RouteKey"])
        if key == DEFAULT:
            fallback = Match(route=route, key=key, parameters={})
            continue
        wanted_method, _, template = key.partition(" ")
        if wanted_method not in ("ANY", method.upper()):
            continue
        parameters = _parameters(template, path)
        if parameters is not None:
            rank = (*_rank(template), wanted_method == "ANY")
            candidates.append((rank, Match(route=route, key=key, parameters=parameters)))
    if candidates:
        return min(candidates, key=lambda candidate: candidate[0])[1]
    return fallback


def _rank(template: str) -> tuple[bool, list[int]]:
    """Lower values come first: no greedy variable, then literal segments before variables, from the left."""
    segments = template.strip("/").split("/")
    kinds = [2 if segment.endswith("+}") else 1 if segment.startswith("{") else 0 for segment in segments]
    return 2 in kinds, kinds


def _parameters(template: str, path: str) -> dict[str, str] | None:
    """The variables' values if the path matches, or None."""
    wanted = template.removeprefix("/").split("/")
    ours = path.removeprefix("/").split("/")
    values: dict[str, str] = {}
    for position, segment in enumerate(wanted):
        if segment.startswith("{") and segment.endswith("+}"):
            # An AWS-written emulator lets `/{proxy+}` match `/` too; the guide doesn't say.
            if position >= len(ours):
                return None
            return {**values, segment[1:-2]: "/".join(ours[position:])}
        if position >= len(ours):
            return None
        if segment.startswith("{") and segment.endswith("}"):
            if not ours[position]:
                return None
            values[segment[1:-1]] = ours[position]
        elif segment != ours[position]:
            return None
    return values if len(wanted) == len(ours) else None
