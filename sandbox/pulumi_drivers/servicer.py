"""The provider as the real engine calls it: Pulumi's ResourceProvider protocol over gRPC, on loopback."""

import threading
from collections.abc import Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from importlib import metadata
from types import MappingProxyType
from typing import Any

import grpc  # type: ignore[import-untyped]
from google.protobuf import any_pb2, empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import (
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
    status_pb2,
)

from sandbox import long_command
from sandbox.errors import SandboxError
from sandbox.provider.inputs import UNKNOWN
from sandbox.provider.provider import Provider
from sandbox.provider.refusals import InvalidInputsError, ResourceRefusedError
from sandbox.provider.services import image
from sandbox.provider.tags import default_tags
from sandbox.pulumi_drivers import properties
from sandbox.pulumi_drivers.callers import Candidates, OnlyFrom
from sandbox.pulumi_drivers.resources import name_of, qualified_type

# The engine warns of a plugin older than the SDK that the program uses, and all packages share one port.
_VERSION = metadata.version("pulumi-aws")
_LARGE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), ("grpc.enable_http_proxy", 0)]
_AFRESH = ("grpc.use_local_subchannel_pool", 1)  # an earlier engine's failure at the same port is no answer of this one


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Translates the engine's calls for all packages into the provider's; keeps the first refusal."""

    def __init__(self, provider: Provider, region: str) -> None:
        self.failure: SandboxError | None = None
        self.asked = False
        """Whether any resource was asked for."""
        self._provider = provider
        self._region = region
        self._lock = threading.Lock()

    # The protocol's names are in CamelCase.
    # ruff: noqa: N802, D102

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True)

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        long_command.end_all()  # builds and installations; what only waits for the account has its own deadline
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=_VERSION)

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema="{}")

    def CheckConfig(self, request: Any, context: Any) -> Any:
        region = properties.reveal(properties.decode(request.news)).get("region")
        if region not in (None, UNKNOWN, "", self._region):
            reason = f"is {region}, but the sandbox's account is used only in {self._region}"
            return provider_pb2.CheckResponse(
                inputs=request.news, failures=[provider_pb2.CheckFailure(property="region", reason=reason)]
            )
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        # The real builder's images are replaced after any change of its configuration; AWS's resources stay.
        # Source: pulumi/pulumi-docker-build#404, #581 and #606.
        old, new = properties.decode(request.old_inputs), properties.decode(request.news)
        changed = {key for key in old.keys() | new.keys() if key != "version" and old.get(key) != new.get(key)}
        if not changed:
            return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
        replaces = sorted(changed) if qualified_type(request.urn).endswith(":docker-build") else []
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME, diffs=sorted(changed), replaces=replaces
        )

    def Configure(self, request: Any, context: Any) -> Any:
        if request.type == "pulumi:providers:aws":
            configured = properties.reveal(properties.decode(request.args)).get("defaultTags")
            self._provider.default_tags = default_tags(configured)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptResources=True)

    def Invoke(self, request: Any, context: Any) -> Any:
        arguments = properties.reveal(properties.decode(request.args))
        with self._refusing(context):
            return provider_pb2.InvokeResponse(
                **{"return": properties.encode(self._provider.invoke(request.tok, arguments))}
            )

    def Check(self, request: Any, context: Any) -> Any:
        pulumi_type, name = _type_of(request), _name_of(request)
        given = properties.decode(request.news)
        self.asked = True
        with self._refusing(context):
            named = self._provider.named(
                pulumi_type,
                name,
                given,
                seed=request.randomSeed,
                old=properties.reveal(properties.decode(request.olds)),
            )
            failures = []
            try:
                self._provider.check(pulumi_type, name, properties.reveal(named))
            except InvalidInputsError as error:
                refusal = error.of(pulumi_type, name)
                refusal.args = (properties.censor(str(refusal), given),)
                self.note(refusal)
                failures = [
                    provider_pb2.CheckFailure(property=path, reason=properties.censor(text, given))
                    for path, text in error.failures
                ]
            return provider_pb2.CheckResponse(inputs=properties.encode(named), failures=failures)

    def Diff(self, request: Any, context: Any) -> Any:
        old, new = (
            properties.reveal(properties.decode(request.old_inputs)),
            properties.reveal(properties.decode(request.news)),
        )
        state = properties.reveal(properties.decode(request.olds))
        with self._refusing(context):
            diff = self._provider.diff(_type_of(request), old, new, state)
            return provider_pb2.DiffResponse(
                changes=provider_pb2.DiffResponse.DIFF_SOME if diff.changes else provider_pb2.DiffResponse.DIFF_NONE,
                diffs=sorted(diff.changes),
                replaces=sorted(diff.replaces),
                deleteBeforeReplace=diff.deletes_first,
            )

    def Create(self, request: Any, context: Any) -> Any:
        inputs = properties.decode(request.properties)
        if request.preview:
            outputs = self._provider.foreseen(_type_of(request), inputs)
            return provider_pb2.CreateResponse(properties=properties.encode(outputs))
        with self._refusing(context, inputs):
            found = self._provider.create(_type_of(request), _name_of(request), properties.reveal(inputs))
            outputs = properties.conceal(found.outputs, properties.secret_keys(inputs))
            return provider_pb2.CreateResponse(id=found.identity, properties=properties.encode(outputs))

    def Read(self, request: Any, context: Any) -> Any:
        state, inputs = properties.decode(request.properties), properties.decode(request.inputs)
        secrets = properties.secret_keys(state) | properties.secret_keys(inputs)
        with self._refusing(context):
            found = self._provider.read(
                _type_of(request), _name_of(request), request.id, properties.reveal(state), properties.reveal(inputs)
            )
            if found is None:
                return provider_pb2.ReadResponse()
            return provider_pb2.ReadResponse(
                id=found.identity,
                properties=properties.encode(properties.conceal(found.outputs, secrets)),
                inputs=properties.encode(properties.conceal(found.inputs, secrets)),
            )

    def Update(self, request: Any, context: Any) -> Any:
        pulumi_type, name = _type_of(request), _name_of(request)
        old, inputs = properties.decode(request.olds), properties.decode(request.news)
        plain_old, plain = properties.reveal(old), properties.reveal(inputs)
        with self._refusing(context, inputs):
            if request.preview:
                before = properties.reveal(properties.decode(request.old_inputs))
                known = self._provider.foreseen(pulumi_type, plain, before, plain_old)
                outputs = properties.conceal(known, properties.secret_keys(old) | properties.secret_keys(inputs))
                return provider_pb2.UpdateResponse(properties=properties.encode(outputs))
            try:
                found = self._provider.update(pulumi_type, name, request.id, plain_old, plain)
            except ResourceRefusedError as error:
                secrets = properties.secret_keys(old) | properties.secret_keys(inputs)
                if error.left is not None:
                    self._leave(context, error, request, properties.conceal(error.left, secrets))
                raise
            return provider_pb2.UpdateResponse(
                properties=properties.encode(properties.conceal(found.outputs, properties.secret_keys(inputs)))
            )

    def Delete(self, request: Any, context: Any) -> Any:
        state = properties.reveal(properties.decode(request.properties))
        with self._refusing(context):
            self._provider.delete(_type_of(request), _name_of(request), request.id, state)
            return empty_pb2.Empty()

    def Construct(self, request: Any, context: Any) -> Any:
        with self._refusing(context):
            if request.type != image.COMPONENT:
                raise SandboxError(
                    f"{request.type} '{request.name}': the sandbox's provider doesn't know this component."
                )
            with grpc.insecure_channel(request.monitorEndpoint, options=[*_LARGE, _AFRESH]) as channel:
                return _construct_image(request, resource_pb2_grpc.ResourceMonitorStub(channel))

    @contextmanager
    def _refusing(self, context: Any, inputs: Mapping[str, Any] = MappingProxyType({})) -> Iterator[None]:
        try:
            yield
        except SandboxError as error:
            error.args = (properties.censor(str(error), inputs),)
            self.note(error)
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        except grpc.RpcError as error:  # the engine's own monitor, while a component is constructed
            context.abort(error.code(), error.details())

    def _leave(self, context: Any, error: SandboxError, request: Any, outputs: Mapping[str, Any]) -> None:
        """Refuse an update, and have the engine keep these outputs and the new inputs all the same."""
        error.args = (properties.censor(str(error), outputs),)
        self.note(error)
        left = provider_pb2.ErrorResourceInitFailed(
            id=request.id, properties=properties.encode(outputs), reasons=[str(error)], inputs=request.news
        )
        detail = any_pb2.Any()
        detail.Pack(left)
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error), details=[detail])
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(grpc.StatusCode.UNKNOWN, str(error))

    def note(self, error: SandboxError) -> None:
        """Keep a refusal, if it is the first."""
        with self._lock:
            self.failure = self.failure or error


@contextmanager
def serving(servicer: provider_pb2_grpc.ResourceProviderServicer, callers: Candidates) -> Iterator[int]:
    """Serve the provider to these callers, on a free port of the loopback, and give the port."""
    door = OnlyFrom(callers)
    threads = futures.ThreadPoolExecutor(max_workers=32, thread_name_prefix="provider")
    server = grpc.server(threads, interceptors=[door], options=_LARGE)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port: int = server.add_insecure_port("127.0.0.1:0")
    door.listening_on(port)
    server.start()
    try:
        yield port
    finally:
        server.stop(grace=5).wait()


def _construct_image(request: Any, monitor: Any) -> Any:
    """Register an image component and the one image it consists of, as the real provider does."""
    inputs = properties.decode(request.inputs)
    plain = properties.reveal(inputs)
    try:
        name, child = image.child_of_component(plain, request.stack)
    except InvalidInputsError as error:
        raise error.of(request.type, request.name) from error
    if "args" in properties.secret_keys(inputs):
        child = properties.conceal(child, frozenset({"buildArgs"}))
    inherited = {urn for entry in request.inputDependencies.values() for urn in entry.urns} | set(request.dependencies)
    component = monitor.RegisterResource(
        resource_pb2.RegisterResourceRequest(
            type=request.type,
            name=request.name,
            parent=request.parent,
            object=request.inputs,
            dependencies=sorted(inherited),
            acceptSecrets=True,
            acceptResources=True,
            aliases=request.aliases,
            aliasSpecs=True,
            protect=request.protect,
            retainOnDelete=request.retainOnDelete,
            providers=request.providers,
        )
    )
    made = monitor.RegisterResource(
        resource_pb2.RegisterResourceRequest(
            type=image.DockerImage.pulumi_type,
            name=name,
            parent=component.urn,
            custom=True,
            object=properties.encode(child),
            dependencies=sorted(inherited),
            propertyDependencies={
                "tags": resource_pb2.RegisterResourceRequest.PropertyDependencies(urns=sorted(inherited))
            },
            acceptSecrets=True,
            acceptResources=True,
            provider=request.providers.get("docker-build", ""),
        )
    )
    digest = properties.reveal(properties.decode(made.object)).get("digest", UNKNOWN)
    outputs = properties.encode({"imageUri": image.component_output(plain, digest)})
    monitor.RegisterResourceOutputs(resource_pb2.RegisterResourceOutputsRequest(urn=component.urn, outputs=outputs))
    depends_on_child = provider_pb2.ConstructResponse.PropertyDependencies(urns=[made.urn])
    return provider_pb2.ConstructResponse(
        urn=component.urn, state=outputs, stateDependencies={"imageUri": depends_on_child}
    )


def _type_of(request: Any) -> str:
    return str(request.type or qualified_type(request.urn).rpartition("$")[2])


def _name_of(request: Any) -> str:
    return str(request.name or name_of(request.urn))
