"""Deploying the program into the sandbox's account, by the real engine where there is one, else by Pulumi's mocks."""

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import settings
from sandbox.errors import SandboxError, SettingsError
from sandbox.ministack import MiniStack
from sandbox.provider.aws import Builder
from sandbox.provider.provider import Provider
from sandbox.pulumi_drivers import callers, engine_driver, mocks_driver
from sandbox.pulumi_drivers.project_contexts import ProjectContexts
from sandbox.pulumi_drivers.resources import Resource
from sandbox.pulumi_drivers.servicer import Servicer, serving
from walk.account import Account

ENGINE, MOCKS = "engine", "mocks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What a deployment made. Secrets are masked."""

    outputs: Mapping[str, Any]
    resources: tuple[Resource, ...]
    driver: str
    """`engine` or `mocks`."""
    changes: Mapping[str, int]
    """How many resources were created, updated, replaced, deleted or left the same, by the engine's words for it."""


def driver() -> str:
    """Return which driver this machine has: the engine where the `pulumi` command is on the PATH."""
    return ENGINE if shutil.which("pulumi") else MOCKS


def check_engine() -> None:
    """Refuse what only the engine can do where there is none.

    Raises:
        SandboxError: there is no pulumi command.
    """
    if driver() == MOCKS:
        raise SandboxError("There is no pulumi command on the PATH: only it can compare a program with what it made.")


def prepare(ministack: MiniStack) -> str:
    """Bring account and stack state together before a deployment, and return the driver that it will take.

    The mocks start from an empty account. The engine starts from where it was, unless mocks or another region were
    there in between or its own state is gone (then nothing is kept), or the account forgot something (then the engine
    looks at every resource anew). Whatever else must be in the account beforehand, such as hosted zones, is made after
    this.
    """
    chosen, mark = driver(), ministack.state / "driver"
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


def deploy(
    *,
    project: Path,
    stack: str,
    settings: Mapping[str, object],
    account: Account,
    environment: Mapping[str, str],
    images: Builder,
    state: Path,
    progress: Callable[[str], None],
) -> Deployment:
    """Make the account what the program says; `settings` go over the stack's own. Call `prepare` first.

    `environment` has the variables that reach the account from other programs.

    Interrupted by Ctrl-C it ends the steps that have begun, and can be called again.

    Raises:
        SettingsError: a setting is refused, by the schema or by the program.
        SandboxError: the provider or the program refused something.
    """
    loaded = _load(project, stack, settings, account)
    provider = _provider(account, images, loaded[0].folder)
    if driver() == MOCKS:
        progress("Deploying with Pulumi's mocks, from scratch: there is no pulumi command on the PATH")
        outputs, resources = mocks_driver.deploy(*loaded, provider, environment, progress)
        made = sum(not resource.type.startswith("pulumi:providers:") for resource in resources)
        return Deployment(outputs=outputs, resources=resources, driver=MOCKS, changes={"create": made})
    progress("Deploying with the pulumi command's engine")
    servicer = Servicer(provider, account.region)
    engine = engine_driver.Engine(*loaded, provider, servicer, state, environment)
    forgotten = _forgotten(state)
    changes = engine.up(progress, refresh=forgotten.exists())
    forgotten.unlink(missing_ok=True)
    resources = engine.resources()
    outputs = next((dict(entry.outputs) for entry in resources if entry.type == "pulumi:pulumi:Stack"), {})
    return Deployment(outputs=outputs, resources=resources, driver=ENGINE, changes=changes)


def preview(
    *,
    project: Path,
    stack: str,
    settings: Mapping[str, object],
    account: Account,
    environment: Mapping[str, str],
    images: Builder,
    state: Path,
    progress: Callable[[str], None],
) -> Mapping[str, int]:
    """Return how many resources a deployment would create, update, replace, delete or leave the same.

    Raises:
        SandboxError: something would be refused, or there is no engine to ask.
    """
    engine = _engine_alone(project, stack, settings, account, environment, images, state)
    return engine.preview(progress, refresh=_forgotten(state).exists())


def destroy(
    *,
    project: Path,
    stack: str,
    settings: Mapping[str, object],
    account: Account,
    environment: Mapping[str, str],
    images: Builder,
    state: Path,
    progress: Callable[[str], None],
) -> Mapping[str, int]:
    """Remove every resource of the stack.

    Raises:
        SandboxError: AWS would refuse to, or there is no engine to do it.
    """
    return _engine_alone(project, stack, settings, account, environment, images, state).destroy(progress)


@contextlib.contextmanager
def serving_others(*, project: Path, account: Account, images: Builder, state: Path) -> Iterator[dict[str, str]]:
    """Serve the provider as long as the context lasts, and give the variables that lead a `pulumi` command to it.

    Only commands that were started with these variables are served.
    """
    servicer = Servicer(_provider(account, images, project.resolve()), account.region)
    attaching: dict[str, str] = {}
    with serving(servicer, lambda: callers.told(attaching)()) as port:
        attaching |= engine_driver.attaching(port)
        yield {**engine_driver.environment(state), **attaching}


def _engine_alone(
    project: Path,
    stack: str,
    overrides: Mapping[str, object],
    account: Account,
    environment: Mapping[str, str],
    images: Builder,
    state: Path,
) -> engine_driver.Engine:
    check_engine()
    loaded = _load(project, stack, overrides, account)
    provider = _provider(account, images, loaded[0].folder)
    return engine_driver.Engine(*loaded, provider, Servicer(provider, account.region), state, environment)


def _provider(account: Account, images: Builder, project: Path) -> Provider:
    return Provider(account, ProjectContexts(images, project), project)


def _load(
    project: Path, stack: str, overrides: Mapping[str, object], account: Account
) -> tuple[settings.Project, settings.StackConfig]:
    loaded = settings.load_project(project.resolve())
    config = settings.load(loaded, stack, overrides)
    region = config.values.get("aws:region", account.region)
    if region != account.region:
        raise SettingsError(f"aws:region is {region}, and the sandbox's account is used in {account.region} alone.")
    return loaded, config


def _forgotten(state: Path) -> Path:
    return state / "pulumi" / "look-again"
