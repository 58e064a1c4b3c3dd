"""Which operation of which service a call to AWS is, with its parameters: read from the call as AWS reads it."""

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from botocore.exceptions import DataNotFoundError
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from dualmode.gateway.http.message import Request
from sandbox import signature

_CBOR_PATH = re.compile(r"/service/[^/]+/operation/(\w+)\Z")
# Signing names of services that botocore knows by another name.
_NAMES = {"monitoring": "cloudwatch", "states": "stepfunctions", "email": "ses"}
_PLACEHOLDER = re.compile(r"\{(\w+)(\+?)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A call: the service by its signing name, the operation by the API's, and the parameters that could be read."""

    service: str
    name: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Route:
    name: str
    method: str
    path: re.Pattern[str]
    query: Mapping[str, str]
    """What the query must have, with "" for any value."""
    headers: tuple[str, ...]


def operation_of(request: Request) -> Operation | None:
    """Return the operation that a call is, None if its form says none that is known."""
    service = signature.service(request)
    path, _, text = request.target.partition("?")
    query = dict(parse_qsl(text, keep_blank_values=True))
    target = request.header("x-amz-target")
    if target:
        return Operation(service=service, name=target.rpartition(".")[2], parameters=_json(request.body))
    if signature.is_form(request):
        query |= dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    if "Action" in query:
        return Operation(service=service, name=query["Action"], parameters=query)
    cbor = _CBOR_PATH.match(path)
    if cbor:
        return Operation(service=service, name=cbor[1], parameters={})
    return _by_path(service, request, path, query)


def _by_path(service: str, request: Request, path: str, query: Mapping[str, str]) -> Operation | None:
    """The operation whose path it is; of several, the one that asks for most of what the call has."""
    found: list[tuple[int, str, dict[str, str]]] = []
    for route in _routes(service):
        match = route.path.fullmatch(path)
        if match is None or route.method != request.method:
            continue
        if all(name in query and value in ("", query[name]) for name, value in route.query.items()) and all(
            request.header(name) is not None for name in route.headers
        ):
            found.append((len(route.query) + len(route.headers), route.name, match.groupdict()))
    if not found:
        return None
    _, name, named = max(found, key=lambda each: each[0])
    body = _json(request.body) if "json" in (request.header("content-type") or "") else {}
    parameters = {**body, **query, **{key: unquote(value) for key, value in named.items() if value is not None}}
    return Operation(service=service, name=name, parameters=parameters)


@functools.cache
def _routes(service: str) -> tuple[_Route, ...]:
    """The operations of a service whose calls are paths, from botocore's model of it."""
    name = _NAMES.get(service, service)
    try:
        model = ServiceModel(Loader().load_service_model(name, "service-2"), name)
    except DataNotFoundError:
        return ()
    return tuple(_route(model.operation_model(operation)) for operation in model.operation_names)


def _route(operation: OperationModel) -> _Route:
    path, _, literal = str(operation.http["requestUri"]).partition("?")
    shape = operation.input_shape
    required = [(shape.members[name].serialization) for name in shape.required_members] if shape else []
    query = dict(parse_qsl(literal, keep_blank_values=True))
    query |= {each["name"]: "" for each in required if each.get("location") == "querystring"}
    headers = tuple(each["name"] for each in required if each.get("location") == "header")
    return _Route(operation.name, str(operation.http["method"]), re.compile("".join(_pattern(path))), query, headers)


def _pattern(path: str) -> Iterator[str]:
    at = 0
    for placeholder in _PLACEHOLDER.finditer(path):
        yield re.escape(path[at : placeholder.start()])
        yield f"(?P<{placeholder[1]}>{'.+' if placeholder[2] else '[^/]+'})"
        at = placeholder.end()
    yield re.escape(path[at:])
    if path != "/":
        yield "/?"


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
