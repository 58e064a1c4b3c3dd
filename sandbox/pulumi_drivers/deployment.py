"""Deploying the program into the sandbox's account, by the real engine where there is one, else by Pulumi's mocks."""

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sandbox.errors import SandboxError, SettingsError
from sandbox.ministack import MiniStack
from sandbox.provider.provider import Provider
from sandbox.pulumi_drivers import callers, engine_driver, mocks_driver, program
from sandbox.pulumi_drivers.dynamic import DynamicServicer
from sandbox.pulumi_drivers.project_contexts import ProjectContexts
from sandbox.pulumi_drivers.resources import Resource
from sandbox.pulumi_drivers.servicer import Servicer, serving
from sandbox.pulumi_drivers.task import Task

PulumiDriver = Literal["engine", "mocks"]
ENGINE: PulumiDriver = "engine"
MOCKS: PulumiDriver = "mocks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What a deployment made. Secrets are masked."""

    outputs: Mapping[str, Any]
    resources: tuple[Resource, ...]
    pulumi_driver: PulumiDriver
    changes: Mapping[str, int]
    """How many resources were created, updated, replaced, deleted or left the same, by the engine's own names."""


def pulumi_driver() -> PulumiDriver:
    """Return which driver this machine has: the engine where the `pulumi` command is on the PATH."""
    return ENGINE if shutil.which("pulumi") else MOCKS


def check_engine() -> None:
    """Refuse what only the engine can do, if there is no engine.

    Raises:
        SandboxError: there is no pulumi command.
    """
    if pulumi_driver() == MOCKS:
        raise SandboxError("There is no pulumi command on the PATH, and --preview and --destroy need it: install it.")


def prepare(ministack: MiniStack) -> PulumiDriver:
    """Bring account and stack state together before a deployment, and return the driver that it will take.

    The mocks start from an empty account. The engine starts from where it was, unless mocks or another region were
    there in between or its own state is gone (then nothing is kept), or the account forgot something or the last
    deployment didn't end well (then the engine looks at every resource anew). Whatever else must be in the account
    beforehand, such as hosted zones, is made after this.
    """
    chosen, mark = pulumi_driver(), ministack.state / "driver"
    now = f"{chosen} {ministack.region}"
    before = mark.read_text().strip() if mark.exists() else now
    if chosen == MOCKS or before != now or not (ministack.state / "pulumi").exists():
        ministack.reset()
        shutil.rmtree(ministack.state / "pulumi", ignore_errors=True)
    elif ministack.forgetful:
        _forgotten(ministack.state).parent.mkdir(parents=True, exist_ok=True)
        _forgotten(ministack.state).touch()
    mark.write_text(f"{now}\n")
    return chosen


def deploy(task: Task) -> Deployment:
    """Make the account what the program says. Call `prepare` first.

    Interrupted by Ctrl-C it ends the steps that have begun, and can be called again.

    Raises:
        SettingsError: a setting is refused, by the schema or by the program.
        SandboxError: the provider or the program refused something.
    """
    _check_region(task)
    provider = _provider(task)
    if pulumi_driver() == MOCKS:
        task.progress("Deploying from scratch with Pulumi's mocks: there is no pulumi command on the PATH")
        outputs, resources = mocks_driver.deploy(task.project, task.config, provider, task.variables, task.progress)
        made = sum(not resource.type.startswith("pulumi:providers:") for resource in resources)
        return Deployment(outputs=outputs, resources=resources, pulumi_driver=MOCKS, changes={"create": made})
    task.progress("Deploying with the pulumi command's engine")
    engine = _engine(task, provider)
    refresh = _forgotten(task.state).exists()
    if dropped := engine.dropped():
        _say_dropped(dropped, task.progress)
        planned: list[str] = []
        engine.preview(planned.append, refresh=refresh)
        for line in planned:
            if line.startswith("would delete "):
                task.progress(line)
    with _ending_well(task.state):
        changes = engine.up(task.progress, refresh=refresh)
    resources = engine.resources()
    outputs = next((dict(entry.outputs) for entry in resources if entry.type == "pulumi:pulumi:Stack"), {})
    return Deployment(outputs=outputs, resources=resources, pulumi_driver=ENGINE, changes=changes)


def _say_dropped(dropped: Sequence[str], progress: Callable[[str], None]) -> None:
    progress(
        f"Set at the last start, and not now: {', '.join(dropped)}. --set is not remembered: give it at each start, or "
        "write it into the stack's file"
    )


def preview(task: Task) -> Mapping[str, int]:
    """Return how many resources a deployment would create, update, replace, delete or leave the same.

    Raises:
        SandboxError: something would be refused, or there is no engine to ask.
    """
    engine = _engine_alone(task)
    if dropped := engine.dropped():
        _say_dropped(dropped, task.progress)
    return engine.preview(task.progress, refresh=_forgotten(task.state).exists())


def destroy(task: Task) -> Mapping[str, int]:
    """Remove every resource of the stack.

    Raises:
        SandboxError: AWS would refuse to, or there is no engine to do it.
    """
    engine = _engine_alone(task)
    with _ending_well(task.state):
        return engine.destroy(task.progress)


@contextlib.contextmanager
def serving_others(task: Task) -> Iterator[dict[str, str]]:
    """Serve the provider as long as the context lasts, and give the variables with which a `pulumi` command uses it.

    Only commands that were started with these variables are served.
    """
    servicer = Servicer(_provider(task), task.account.region)
    attaching: dict[str, str] = {}
    lock = threading.Lock()

    @contextlib.contextmanager
    def as_the_program() -> Iterator[None]:
        with lock, program.as_its_own(task.project.folder, task.variables):
            yield

    def told() -> Iterable[int]:
        return callers.told(attaching)()

    programs_own = DynamicServicer(servicer.note, as_the_program)
    with serving(servicer, told) as port, serving(programs_own, told) as dynamic_port:
        attaching |= engine_driver.attaching(port, dynamic_port)
        yield {**engine_driver.stack_variables(task.state), **attaching}


def _engine_alone(task: Task) -> engine_driver.Engine:
    check_engine()
    _check_region(task)
    return _engine(task, _provider(task))


def _engine(task: Task, provider: Provider) -> engine_driver.Engine:
    servicer = Servicer(provider, task.account.region)
    return engine_driver.Engine(task.project, task.config, provider, servicer, task.state, task.variables)


def _provider(task: Task) -> Provider:
    folder = task.project.folder
    return Provider(task.account, ProjectContexts(task.images, folder), folder)


def _check_region(task: Task) -> None:
    region = task.config.values.get("aws:region", task.account.region)
    if region != task.account.region:
        raise SettingsError(f"aws:region is {region}, but the sandbox's account is used only in {task.account.region}.")


@contextlib.contextmanager
def _ending_well(state: Path) -> Iterator[None]:
    """What was interrupted or refused may be otherwise in the account than in the state: the next one looks again."""
    forgotten = _forgotten(state)
    before = forgotten.exists()
    forgotten.parent.mkdir(parents=True, exist_ok=True)
    forgotten.touch()
    try:
        yield
    except SettingsError:
        if not before:  # nothing was asked for
            forgotten.unlink()
        raise
    forgotten.unlink()


def _forgotten(state: Path) -> Path:
    return state / "pulumi" / "look-again"
