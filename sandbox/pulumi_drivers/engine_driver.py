"""The driver for machines with the `pulumi` command: the real engine, attached to the provider.

The program runs in this process (Automation API, inline). State, settings and the command's home lie in the sandbox's
own folder; nothing is written beside the program.
"""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml  # type: ignore[import-untyped]
from pulumi import automation
from pulumi.automation import EngineEvent
from pulumi.automation.errors import CommandError
from pulumi.automation.events import StepEventMetadata
from pulumi.runtime import settings as runtime
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS  # no other way to change how a program reaches it

from sandbox import variables
from sandbox.errors import SandboxError
from sandbox.provider.provider import MAY_BE_LEFT, Provider
from sandbox.pulumi_drivers import callers, checkpoint, dynamic, program, properties
from sandbox.pulumi_drivers.dynamic import DynamicServicer
from sandbox.pulumi_drivers.packages import PACKAGES, KnownPackagesOnly
from sandbox.pulumi_drivers.pulumi_command import InterruptibleCommand, SparingStack, SparingWorkspace
from sandbox.pulumi_drivers.resources import Resource, name_of, short_type
from sandbox.pulumi_drivers.servicer import Servicer, serving
from sandbox.settings import Project, StackConfig

Progress = Callable[[str], None]
_Answer = TypeVar("_Answer")
_PASSPHRASE = "sandbox"  # noqa: S105  the state lies beside it, on this machine alone
_CLOSING_SECONDS = 0.5
_ENDING_SECONDS = 15.0
_DONE = {
    "create": "created ",
    "update": "updated ",
    "delete": "deleted ",
    "create-replacement": "replaced",
    "delete-replaced": "deleted ",
    "import": "imported",
}

# gRPC shares what it knows of an address between all channels of a process: a program that was cut off from its engine
# would make a later engine at the same port "refuse" its connection, without that port being asked.
_GRPC_CHANNEL_OPTIONS.append(("grpc.use_local_subchannel_pool", 1))


class Engine:
    """One stack of a project, deployed by the real engine into the account that the variables in `account` reach.

    Every operation raises SandboxError with the first thing that was refused; what was made before is in the state.
    """

    def __init__(
        self,
        project: Project,
        config: StackConfig,
        provider: Provider,
        servicer: Servicer,
        state: Path,
        account: Mapping[str, str],
    ) -> None:
        self._project = project
        self._config = config
        self._provider = provider
        self._servicer = servicer
        self._state = state
        self._folder = state / "pulumi"
        self._account = dict(account)
        self._checkpoint = self._folder / f"backend/.pulumi/stacks/{project.name}/{config.stack}.json"
        self._deployed = self._folder / f"settings-of-{config.stack}.json"
        self._command = InterruptibleCommand(variables.reaching(account))
        self._selected: automation.Stack | None = None
        self._program_error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._errors: list[str] = []
        self._changes: dict[str, int] = {}
        self._progress: Progress = lambda _line: None

    def dropped(self) -> list[str]:
        """Return the names of the settings that the last `up` had, and that are not given now."""
        before = json.loads(self._deployed.read_text()) if self._deployed.exists() else []
        return sorted(set(before) - set(self._given()))

    def preview(self, progress: Progress | None = None, *, refresh: bool = False) -> dict[str, int]:
        """Return how many resources an `up` would create, update, replace, delete or leave the same."""
        return self._operate(lambda stack: stack.preview(on_event=self._take, color="never", refresh=refresh), progress)

    def up(self, progress: Progress | None = None, *, refresh: bool = False) -> dict[str, int]:
        """Make the account what the program says; return what was done to how many resources."""
        done = self._operate(lambda stack: stack.up(on_event=self._take, color="never", refresh=refresh), progress)
        self._deployed.write_text(json.dumps(self._given()))
        return done

    def destroy(self, progress: Progress | None = None) -> dict[str, int]:
        """Remove every resource of the stack."""
        done = self._operate(lambda stack: stack.destroy(on_event=self._take, color="never"), progress)
        self._deployed.unlink(missing_ok=True)
        return done

    def resources(self) -> tuple[Resource, ...]:
        """Return the resources in the state, parents before their children. Secrets are masked."""
        # From the command's own file: `pulumi stack export` takes half a second to say the same.
        recorded = json.loads(self._checkpoint.read_text())["checkpoint"] if self._checkpoint.exists() else {}
        return tuple(
            Resource(
                type=entry["type"],
                name=name_of(entry["urn"]),
                urn=entry["urn"],
                parent_urn=entry.get("parent", ""),
                id=entry.get("id", ""),
                inputs=properties.mask(properties.decode_json(entry.get("inputs", {}))),
                outputs=properties.mask(properties.decode_json(entry.get("outputs", {}))),
                dependencies=tuple(entry.get("dependencies") or ()),
            )
            for entry in (recorded.get("latest") or {}).get("resources") or ()
            if not entry["type"].startswith("pulumi:providers:")
        )

    def _given(self) -> list[str]:
        own = f"{self._project.name}:"
        return [key.removeprefix(own) for key in self._config.given if key.startswith(own)]

    def _operate(self, operation: Callable[[automation.Stack], object], progress: Progress | None) -> dict[str, int]:
        self._progress = progress or (lambda _line: None)
        self._program_error, self._errors, self._changes = None, [], {}
        self._servicer.failure, self._servicer.asked = None, False

        def run() -> dict[str, int]:
            checkpoint.drop_attributes(self._folder / "backend")
            if checkpoint.restore(self._checkpoint):
                self._progress("The stack's state was cut off while it was written: going on from the one before it")
            stack = self._stack()
            self._unlock(stack)
            self._settle(stack)
            command = callers.started_by(lambda: self._command.pid)
            programs_own = DynamicServicer(self._servicer.note)
            with serving(self._servicer, command) as port, serving(programs_own, command) as dynamic_port:
                stack.workspace.env_vars = {**stack_variables(self._state), **attaching(port, dynamic_port)}
                operation(stack)
            return dict(self._changes)

        with program.as_its_own(self._project.folder, self._account):
            try:
                return self._guarded(run)
            finally:
                self._close_loop()

    def _stack(self) -> automation.Stack:
        if self._selected is not None:
            return self._selected
        work = self._folder / "work"
        for folder in (work, self._folder / "backend", self._folder / "home"):
            folder.mkdir(parents=True, exist_ok=True)
        self._write_settings(work)
        workspace = SparingWorkspace(
            work_dir=str(work),
            pulumi_home=str(self._folder / "home"),
            program=self._program,
            env_vars=stack_variables(self._state),
            pulumi_command=self._command,
        )
        workspace.checkpoint = self._checkpoint
        stack = SparingStack(self._config.stack, workspace)
        secrets = {key: self._config.values[key] for key in sorted(self._config.secrets)}
        if secrets:
            stack.set_all_config({key: automation.ConfigValue(value, secret=True) for key, value in secrets.items()})
        self._selected = stack
        return stack

    def _write_settings(self, work: Path) -> None:
        """Write the project file and the stack's settings, so that the command applies its own rules to them."""
        source = yaml.safe_load((self._project.folder / "Pulumi.yaml").read_text())
        known = ("name", "description", "requiredPulumiVersion", "config")
        kept = {key: source[key] for key in known if key in source}
        (work / "Pulumi.yaml").write_text(yaml.safe_dump({**kept, "runtime": "python"}, sort_keys=False))
        file = stack_file(self._state, self._config.stack)
        before = yaml.safe_load(file.read_text()) if file.exists() else None
        content = {key: value for key, value in (before or {}).items() if key != "config"}  # the encryption's salt
        config = {key: value for key, value in self._config.given.items() if key not in self._config.secrets}
        file.write_text(yaml.safe_dump({**content, "config": config}, sort_keys=False))

    def _program(self) -> None:
        self._loop = asyncio.get_running_loop()
        monitor: Any = KnownPackagesOnly(runtime.get_monitor(), self._servicer.note)
        runtime.SETTINGS.monitor = monitor
        try:
            program.run(self._project.main)
        except BaseException as error:
            self._program_error = error
            raise

    def _guarded(self, action: Callable[[], _Answer]) -> _Answer:
        """Run something in a thread, so that Ctrl-C can be passed on to the command and its end can be waited for."""
        answers: list[_Answer] = []
        errors: list[BaseException] = []

        def work() -> None:
            try:
                answers.append(action())
            except BaseException as error:  # noqa: BLE001  raised again in the caller's thread
                errors.append(error)

        thread = threading.Thread(target=work, name="pulumi")
        thread.start()
        interrupted: KeyboardInterrupt | None = None
        while thread.is_alive():
            try:
                thread.join(0.05)
            except KeyboardInterrupt as error:
                interrupted = error
                self._command.interrupt()
        if interrupted is not None:
            raise interrupted
        if errors:
            raise self._refusal(errors[0]) from errors[0]
        return answers[0]

    def _close_loop(self) -> None:
        """Close the program's event loop where the SDK's language server gave up on it, as after some errors."""
        loop, self._loop = self._loop, None
        deadline = time.monotonic() + _CLOSING_SECONDS
        while loop is not None and not loop.is_closed() and time.monotonic() < deadline:
            time.sleep(0.01)
        if loop is not None and not loop.is_closed() and not loop.is_running():
            program.close(loop)

    def _refusal(self, error: BaseException) -> BaseException:
        if self._command.killed_by is not None:
            return SandboxError(
                f"The pulumi command was ended by {self._command.killed_by.name} while it worked: start again, "
                "and what it had begun is looked for first."
            )
        if self._program_error is not None:
            folder = self._project.folder.resolve()
            return program.refusal(self._program_error, folder, anything_made=self._servicer.asked)
        if self._servicer.failure is not None:
            return self._servicer.failure
        if isinstance(error, CommandError):
            lines = [line for line in str(error).splitlines() if line.strip().startswith("error:")]
            said = self._errors or lines or [str(error)]
            return SandboxError(" ".join(said[0].split()).removeprefix("error: "))
        return error

    def _unlock(self, stack: automation.Stack) -> None:
        """Remove locks that a killed command left; refuse to work beside a running one."""
        locks = list((self._folder / "backend").glob(".pulumi/locks/**/*.json"))
        for lock in locks:
            owner = json.loads(lock.read_text()).get("pid", 0)
            _wait_for_orphan(owner)
            if Path(f"/proc/{owner}").exists():
                raise SandboxError(
                    f"Another pulumi command (process {owner}) is working on stack {stack.name}: wait until it ends."
                )
        if any(lock.exists() for lock in locks):
            stack.cancel()

    def _settle(self, stack: automation.Stack) -> None:
        """Decide what the engine can't: whether an interrupted creation has left something in the account."""
        if not self._checkpoint.exists() or '"pending_operations"' not in self._checkpoint.read_text():
            return
        exported = stack.export_stack()
        state = dict(exported.deployment or {})
        for pending in state.pop("pending_operations", None) or []:
            resource = pending["resource"]
            if pending["type"] == "creating" and resource["type"] in self._provider.types:
                inputs = properties.reveal(properties.decode_json(resource.get("inputs", {})))
                name = name_of(resource["urn"])
                if not self._provider.clear(resource["type"], name, inputs):
                    self._progress(f"{resource['type']} '{name}' was interrupted while it was made. {MAY_BE_LEFT}")
        stack.import_stack(automation.Deployment(version=exported.version, deployment=state))

    def _take(self, event: EngineEvent) -> None:
        if event.summary_event is not None:
            self._changes = {_op(op): count for op, count in event.summary_event.resource_changes.items()}
        elif event.diagnostic_event is not None and event.diagnostic_event.severity == "error":
            self._errors.append(event.diagnostic_event.message)
        elif event.diagnostic_event is not None and event.diagnostic_event.severity in ("info", "warning"):
            self._progress(event.diagnostic_event.message.strip())
        elif event.resource_pre_event is not None and event.resource_pre_event.planning:
            metadata = event.resource_pre_event.metadata
            if _is_told(metadata):
                self._progress(f"would {_op(metadata.op)} {short_type(metadata.type)} {name_of(metadata.urn)}")
        elif event.res_outputs_event is not None and not event.res_outputs_event.planning:
            metadata = event.res_outputs_event.metadata
            if _is_told(metadata):
                self._progress(f"{_DONE[_op(metadata.op)]} {short_type(metadata.type)} {name_of(metadata.urn)}")
        elif event.res_op_failed_event is not None:
            metadata = event.res_op_failed_event.metadata
            self._progress(f"failed   {short_type(metadata.type)} {name_of(metadata.urn)}")


def _wait_for_orphan(pid: int) -> None:
    """Wait until a pulumi command has ended, which it soon does after its sandbox was killed."""
    deadline = time.monotonic() + _ENDING_SECONDS
    while time.monotonic() < deadline:
        try:
            name = Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:
            return
        if name != "pulumi":
            return
        time.sleep(0.05)


def stack_file(state: Path, stack: str) -> Path:
    """Return the path of a stack's settings as they were deployed."""
    return state.resolve() / "pulumi" / "work" / f"Pulumi.{stack}.yaml"


def stack_variables(state: Path) -> dict[str, str]:
    """Return the variables with which a `pulumi` command works on the sandbox's stacks, and finds no plugin."""
    folder = state.resolve() / "pulumi"
    return {
        "PULUMI_HOME": str(folder / "home"),
        # Without the file beside each one that holds its attributes, which a kill could cut off.
        "PULUMI_BACKEND_URL": f"{(folder / 'backend').as_uri()}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE": _PASSPHRASE,
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
    }


def attaching(port: int, dynamic_port: int) -> dict[str, str]:
    """Return the variable with which a `pulumi` command uses the providers at these ports."""
    ports = {**dict.fromkeys(PACKAGES, port), dynamic.PACKAGE: dynamic_port}
    return {"PULUMI_DEBUG_PROVIDERS": ",".join(f"{package}:{number}" for package, number in ports.items())}


def _is_told(metadata: StepEventMetadata) -> bool:
    """Whether a step is worth a line: it changes something that is neither a component nor a provider."""
    state = metadata.new or metadata.old
    custom = state is not None and bool(state.custom) and not metadata.type.startswith("pulumi:")
    return custom and _op(metadata.op) in _DONE


def _op(op: Any) -> str:
    return str(getattr(op, "value", op))
