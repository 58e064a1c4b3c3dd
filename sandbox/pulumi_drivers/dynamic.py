"""Dynamic resources: those whose provider is a part of the program, which the SDK sends along with the inputs.

The real engine starts a plugin for them, in the program's folder and environment; here they run in this process, as
the program itself does. Source: pulumi/pulumi, sdk/python/lib/pulumi/dynamic/__main__.py.
"""

import base64
import importlib.util
import io
import pickle
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.dynamic import ResourceProvider
from pulumi.runtime import rpc
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.errors import SandboxError
from sandbox.provider.inputs import UNKNOWN
from sandbox.pulumi_drivers import properties
from sandbox.pulumi_drivers.resources import name_of, qualified_type

PACKAGE = "pulumi-python"
_KEY = "__provider"


class _OwnClasses(pickle.Unpickler):
    """Reads a provider that is a class in a module of the program: nothing else in a message is imported or called."""

    def find_class(self, module: str, name: str) -> Any:
        spec = importlib.util.find_spec(module) if module != "__main__" else None
        if spec is not None and spec.origin and Path(spec.origin).is_relative_to(Path.cwd()):
            found = getattr(importlib.import_module(module), name, None)
            if isinstance(found, type) and issubclass(found, ResourceProvider):
                return found
        raise SandboxError(
            f"its provider needs {module}.{name}, and the sandbox runs one only if it is a class at the top of a "
            "module of the program, other than __main__.py, with plain values: write it so"
        )


def provider_of(inputs: Mapping[str, Any]) -> ResourceProvider:
    """Return the provider that came with a resource's inputs or outputs.

    Raises:
        SandboxError: it is more than a class of the program's and plain values.
    """
    found = _OwnClasses(io.BytesIO(base64.b64decode(inputs[_KEY]))).load()
    if not isinstance(found, ResourceProvider):
        raise SandboxError("its provider is no provider")
    return found


def create(name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Make a resource and return its id and outputs.

    Raises:
        SandboxError: its provider refused it, or failed.
    """
    try:
        provider = provider_of(inputs)
        checked = _checked(provider, {}, inputs)
        made = provider.create(checked)
    except Exception as error:
        raise SandboxError(f"{name}: {error}") from error
    return made.id, {**(made.outs or {}), _KEY: inputs[_KEY]}


class DynamicServicer(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the engine for dynamic resources; `around` gives each call the program's folder and environment."""

    # The protocol's names are in CamelCase.
    # ruff: noqa: N802, D102

    def __init__(
        self,
        refused: Callable[[SandboxError], None],
        around: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._refused = refused
        self._around = around

    def Handshake(self, request: Any, context: Any) -> Any:
        # A provider that answers is taken for one that can make a preview without making anything.
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "as the SDK's own plugin")

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="0.1.0")

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema="{}")

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:
        return provider_pb2.ConfigureResponse(acceptSecrets=False)

    def Check(self, request: Any, context: Any) -> Any:
        def check() -> Any:
            old, new = _values(request.olds), _values(request.news)
            return provider_pb2.CheckResponse(inputs=properties.encode(_checked(provider_of(new), old, new)))

        return self._answer(request, context, check)

    def Diff(self, request: Any, context: Any) -> Any:
        def diff() -> Any:
            new = _values(request.news)
            found = provider_of(new).diff(request.id, _values(request.olds), new)
            kinds = provider_pb2.DiffResponse
            changes = kinds.DIFF_UNKNOWN if found.changes is None else kinds.DIFF_SOME
            return kinds(
                changes=kinds.DIFF_NONE if found.changes is False else changes,
                replaces=found.replaces or [],
                deleteBeforeReplace=bool(found.delete_before_replace),
            )

        return self._answer(request, context, diff)

    def Create(self, request: Any, context: Any) -> Any:
        def make() -> Any:
            inputs = _values(request.properties)
            made = provider_of(inputs).create(inputs)
            outputs = {**(made.outs or {}), _KEY: inputs[_KEY]}
            return provider_pb2.CreateResponse(id=made.id, properties=properties.encode(outputs))

        return self._answer(request, context, make)

    def Read(self, request: Any, context: Any) -> Any:
        def read() -> Any:
            state = _values(request.properties)
            found = provider_of(state).read(request.id, state)
            outputs = {**(found.outs or {}), _KEY: state[_KEY]}
            return provider_pb2.ReadResponse(
                id=found.id or "", properties=properties.encode(outputs), inputs=request.inputs
            )

        return self._answer(request, context, read)

    def Update(self, request: Any, context: Any) -> Any:
        def change() -> Any:
            inputs = _values(request.news)
            outputs = provider_of(inputs).update(request.id, _values(request.olds), inputs).outs or {}
            return provider_pb2.UpdateResponse(properties=properties.encode({**outputs, _KEY: inputs[_KEY]}))

        return self._answer(request, context, change)

    def Delete(self, request: Any, context: Any) -> Any:
        def remove() -> Any:
            state = _values(request.properties)
            provider_of(state).delete(request.id, state)
            return empty_pb2.Empty()

        return self._answer(request, context, remove)

    def _answer(self, request: Any, context: Any, action: Callable[[], Any]) -> Any:
        try:
            with self._around():
                return action()
        except Exception as error:  # noqa: BLE001  whatever the program's own code raises
            pulumi_type = qualified_type(request.urn).rpartition("$")[2]
            refusal = SandboxError(f"{pulumi_type} '{name_of(request.urn)}': {error}")
            self._refused(refusal)
            context.abort(grpc.StatusCode.UNKNOWN, str(refusal))


def _checked(provider: ResourceProvider, old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    result = provider.check(dict(old), dict(new))
    if result.failures:
        raise SandboxError("; ".join(f"{failure.property}: {failure.reason}" for failure in result.failures))
    return {**result.inputs, _KEY: new[_KEY]}


def _values(struct: Any) -> dict[str, Any]:
    """Return a message's values as the SDK gives them to a provider: unknown ones are a text of its own."""
    values: dict[str, Any] = _told(properties.reveal(properties.decode(struct)))
    return values


def _told(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _told(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_told(item) for item in value]
    return rpc.UNKNOWN if value is UNKNOWN else value
