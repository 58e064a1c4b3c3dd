"""What a rule's target sends: the event, a part of it, or a template that is filled in.

Source: "Amazon EventBridge input transformation", EventBridge User Guide.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

# Whole texts in quotes are found too, so that a placeholder inside one is told from one that stands for a value.
_PIECE = re.compile(r'"(?:\\.|[^"\\])*"|<[^<>]*>')
_PLACEHOLDER = re.compile(r"<([^<>]*)>")


def sent(target: Mapping[str, Any], rule: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    """Return what a target of a rule sends for an event, as text."""
    if target.get("Input"):
        return str(target["Input"])
    if target.get("InputPath"):
        return json.dumps(_at(event, str(target["InputPath"])))
    transformer = target.get("InputTransformer")
    if not transformer:
        return json.dumps(event)
    given = {name: _at(event, path) for name, path in (transformer.get("InputPathsMap") or {}).items()}
    values = given | {
        "aws.events.event.json": event,
        "aws.events.event": {key: value for key, value in event.items() if key != "detail"},
        "aws.events.event.ingestion-time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws.events.rule-name": rule.get("Name", ""),
        "aws.events.rule-arn": rule.get("Arn", ""),
    }
    return _PIECE.sub(lambda piece: _filled(piece[0], values), str(transformer["InputTemplate"]))


def _filled(piece: str, values: Mapping[str, Any]) -> str:
    if piece.startswith("<"):
        return json.dumps(values[piece[1:-1]]) if piece[1:-1] in values else piece
    return _PLACEHOLDER.sub(lambda found: _inside_text(found, values), piece)


def _inside_text(found: re.Match[str], values: Mapping[str, Any]) -> str:
    if found[1] not in values:
        return found[0]
    value = values[found[1]]
    return json.dumps(value)[1:-1] if isinstance(value, str) else json.dumps(value).replace('"', "")


def _at(event: Mapping[str, Any], path: str) -> Any:
    """Return what a path such as `$.detail.id` leads to, None where there is nothing."""
    found: Any = event
    for part in filter(None, path.removeprefix("$").split(".")):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
