"""The driver for machines without the `pulumi` command: Pulumi's own mocks, with the provider behind them.

It only creates, from scratch: existing resources would make it fail, so its caller empties the account first.
"""

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi
from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime import mocks, settings, stack
from pulumi.runtime.config import set_all_config
from pulumi.runtime.proto import engine_pb2, provider_pb2, resource_pb2

from sandbox.errors import SandboxError
from sandbox.provider.provider import Provider
from sandbox.provider.refusals import InvalidInputsError
from sandbox.provider.services import image
from sandbox.provider.tags import default_tags
from sandbox.pulumi_drivers import dynamic, program, properties
from sandbox.pulumi_drivers.packages import KnownPackagesOnly
from sandbox.pulumi_drivers.resources import ROOT_TYPE, Resource, make_urn, short_type
from sandbox.settings import Project, StackConfig

Progress = Callable[[str], None]
_NO_MOCKS: Any = None  # the monitor below does what mocks would do
_NO_STACK: Any = object()


class Told:
    """Takes what the program logs, and tells the user its warnings and what they should know."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def Log(self, request: Any) -> None:  # noqa: N802  the protocol's name
        """Tell a message."""
        if request.severity in (engine_pb2.INFO, engine_pb2.WARNING):
            self._progress(request.message)


class Monitor(mocks.MockMonitor):
    """Takes the program's registrations, makes each resource at once and remembers the tree."""

    def __init__(self, provider: Provider, config: StackConfig, progress: Progress) -> None:
        super().__init__(_NO_MOCKS)
        self.tree: dict[str, Resource] = {}
        self.stack_outputs: dict[str, Any] = {}
        self.failure: SandboxError | None = None
        self.unanswered: SandboxError | None = None
        """The first function that was refused: the program may have an answer to that."""
        self._provider = provider
        self._config = config
        self._progress = progress
        self._lock = threading.RLock()

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  the protocol's name
        """Make a resource and answer with its outputs."""
        urn = make_urn(self._config.stack, self._config.project, request.parent, request.type, request.name)
        inputs = properties.decode(request.object)
        if request.type == ROOT_TYPE:
            return self._remember(request, urn, "", inputs, {})
        started = time.monotonic()
        try:
            identity, outputs = self._realise(request, urn, inputs)
        except SandboxError as error:
            error.args = (properties.censor(str(error), inputs),)
            self.note(error)
            self._say(f"failed   {short_type(request.type)} {request.name}")
            raise
        if request.custom:
            self._say(f"created  {short_type(request.type)} {request.name} ({time.monotonic() - started:.1f} s)")
        return self._remember(request, urn, identity, inputs, outputs)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        """Remember the outputs of a component or of the stack."""
        outputs = properties.decode(request.outputs)
        with self._lock:
            known = self.tree.get(request.urn)
            if known is not None:
                if known.type == ROOT_TYPE:
                    self.stack_outputs = outputs
                self.tree[request.urn] = Resource(
                    type=known.type,
                    name=known.name,
                    urn=known.urn,
                    parent_urn=known.parent_urn,
                    id=known.id,
                    inputs=known.inputs,
                    outputs=properties.mask(outputs),
                    dependencies=known.dependencies,
                )
        return empty_pb2.Empty()

    def Invoke(self, request: Any) -> Any:  # noqa: N802
        """Answer a function."""
        try:
            answer = self._provider.invoke(request.tok, properties.reveal(properties.decode(request.args)))
        except SandboxError as error:
            with self._lock:
                self.unanswered = self.unanswered or error
            # What is raised here would end the run, even if the program has an answer to it.
            failure = provider_pb2.CheckFailure(reason=str(error))
            return resource_pb2.ResourceInvokeResponse(failures=[failure])
        return resource_pb2.ResourceInvokeResponse(**{"return": properties.encode(answer)})

    def ReadResource(self, request: Any) -> Any:  # noqa: N802
        """Answer `Resource.get` for what this program has made: nothing else is in an account that was just emptied."""
        found = self._provider.read(request.type, request.name, request.id, {}, {})
        if found is not None:
            urn = make_urn(self._config.stack, self._config.project, request.parent, request.type, request.name)
            return resource_pb2.ReadResourceResponse(urn=urn, properties=properties.encode(found.outputs))
        error = SandboxError(
            f"{short_type(request.type)} '{request.name}' is read as {request.id}, but the account was empty: "
            "reading existing resources needs the pulumi command"
        )
        self.note(error)
        raise error

    def note(self, error: SandboxError) -> None:
        """Keep a refusal, if it is the first."""
        with self._lock:
            self.failure = self.failure or error

    def _realise(self, request: Any, urn: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        if request.type == image.COMPONENT and request.remote:
            return self._construct_image(request, urn, inputs)
        if request.remote:
            raise SandboxError(f"{request.type} '{request.name}': the sandbox's provider doesn't know this component.")
        if request.type.startswith(f"{dynamic.PACKAGE}:"):
            return dynamic.create(f"{request.type} '{request.name}'", properties.reveal(inputs))
        if not request.custom or request.type.startswith("pulumi:"):
            return request.name if request.custom else "", dict(inputs)
        return self._create(request.type, request.name, inputs, frozenset(request.additionalSecretOutputs))

    def _create(
        self, pulumi_type: str, name: str, inputs: Mapping[str, Any], secret_outputs: frozenset[str] = frozenset()
    ) -> tuple[str, dict[str, Any]]:
        plain = self._provider.named(pulumi_type, name, properties.reveal(inputs))
        try:
            found = self._provider.create(pulumi_type, name, plain)
        except InvalidInputsError as error:
            raise error.of(pulumi_type, name) from error
        return found.identity, properties.conceal(found.outputs, properties.secret_keys(inputs) | secret_outputs)

    def _construct_image(self, request: Any, urn: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Register the one image that the component consists of, as the real one does."""
        plain = properties.reveal(inputs)
        try:
            name, child = image.child_of_component(plain, self._config.stack)
        except InvalidInputsError as error:
            raise error.of(request.type, request.name) from error
        if "args" in properties.secret_keys(inputs):
            child = properties.conceal(child, frozenset({"buildArgs"}))
        child_type = image.DockerImage.pulumi_type
        child_urn = make_urn(self._config.stack, self._config.project, urn, child_type, name)
        identity, outputs = self._create(child_type, name, child)
        with self._lock:
            self.tree[child_urn] = Resource(
                type=child_type,
                name=name,
                urn=child_urn,
                parent_urn=urn,
                id=identity,
                inputs=properties.mask(child),
                outputs=properties.mask(outputs),
                dependencies=tuple(request.dependencies),
            )
        self._say(f"created  {short_type(child_type)} {name}")
        return "", {"imageUri": image.component_output(plain, properties.reveal(outputs["digest"]))}

    def _say(self, line: str) -> None:
        with self._lock:
            self._progress(line)

    def _remember(
        self, request: Any, urn: str, identity: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]
    ) -> Any:
        with self._lock:
            self.tree[urn] = Resource(
                type=request.type,
                name=request.name,
                urn=urn,
                parent_urn=request.parent,
                id=identity,
                inputs=properties.mask(dict(inputs)),
                outputs=properties.mask(dict(outputs)),
                dependencies=tuple(request.dependencies),
            )
            children = [child.urn for child in self.tree.values() if child.parent_urn == urn] if request.remote else []
        # What uses an output of a remote component waits for the resources that it consists of.
        waits = resource_pb2.RegisterResourceResponse.PropertyDependencies(urns=children)
        return resource_pb2.RegisterResourceResponse(
            urn=urn,
            id=identity,
            object=properties.encode(outputs),
            propertyDependencies=dict.fromkeys(outputs, waits) if children else {},
        )


def deploy(
    project: Project, config: StackConfig, provider: Provider, account: Mapping[str, str], progress: Progress
) -> tuple[dict[str, Any], tuple[Resource, ...]]:
    """Run the program and make everything that it registers; return the stack's outputs and the resource tree.

    `account` has the variables with which the program itself reaches the provider's account.

    Raises:
        SandboxError: the program or the provider refused something; what was made until then stays in the account.
    """
    provider.default_tags = default_tags(config.values.get("aws:defaultTags"))
    monitor = Monitor(provider, config, progress)
    folder = project.folder.resolve()
    with program.as_its_own(folder, account):
        contextvars.Context().run(_run, project.main, config, monitor, folder, progress)
    return properties.mask(monitor.stack_outputs), tuple(monitor.tree.values())


def _run(main: Path, config: StackConfig, monitor: Monitor, folder: Path, progress: Progress) -> None:
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _loop, _context: None)  # the monitor has the failure, reported once
    asyncio.set_event_loop(loop)
    try:
        settings.SETTINGS.outputs = set()
        set_all_config(dict(config.values), sorted(config.secrets))
        _set_mocks(monitor, config, progress)
        loop.run_until_complete(stack.run_in_stack(lambda: program.run(main)))
    except Exception as error:
        made = any(resource.type != ROOT_TYPE for resource in monitor.tree.values())
        unanswered = None if isinstance(error, pulumi.RunError) else monitor.unanswered
        refused = program.refusal(error, folder, anything_made=made)
        raise monitor.failure or unanswered or refused from error
    finally:
        program.close(loop)
        asyncio.set_event_loop(None)
        _forget()
    if monitor.failure is not None:
        raise monitor.failure


def _set_mocks(monitor: Monitor, config: StackConfig, progress: Progress) -> None:
    # set_mocks registers a stack of its own where there is no root; run_in_stack wants to register it itself.
    settings.ROOT.set(_NO_STACK)
    known: Any = KnownPackagesOnly(monitor, monitor.note)
    mocks.set_mocks(_NO_MOCKS, project=config.project, stack=config.stack, preview=False, monitor=known)
    settings.ROOT.set(None)
    settings.SETTINGS.engine = Told(progress)
    settings.SETTINGS.lock = threading.Lock()
    settings.SETTINGS.organization = "organization"
    settings.SETTINGS.package_refs = {}
    settings.SETTINGS.base_providers_by_ref = {}


def _forget() -> None:
    """Remove the mocks from the SDK's settings: it keeps the first values it was given for every context."""
    for name in ("monitor", "engine", "project", "stack", "dry_run", "organization"):
        setattr(settings.SETTINGS, name, None)
    settings.SETTINGS.outputs = set()
