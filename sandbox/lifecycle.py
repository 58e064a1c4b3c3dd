"""A running sandbox: its AWS, the deployment in it, the functions, and the edge in front of them."""

import contextlib
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from sandbox import variables
from sandbox.edge.edge import Edge
from sandbox.errors import SandboxError
from sandbox.ministack import MiniStack
from sandbox.pulumi_drivers import deployment, engine_driver
from sandbox.pulumi_drivers.deployment import Deployment
from sandbox.runner.images import ImageStore
from sandbox.runner.version_runner import VersionRunner
from walk.account import Account
from walk.queries import every

REGION = "us-east-1"
ZONE = "sandbox.test"
DOMAIN = f"app.{ZONE}"
# Over the stack's own: a domain in the zone that is there, and an image that is built here.
PRESETS = (f"domainName={DOMAIN}", "hostedZone=", "imageUri=")

_WHEELS = {"x86_64", "amd64", "aarch64", "arm64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """What is there while a sandbox runs; `environment` reaches its AWS from other programs."""

    account: Account
    deployment: Deployment
    runner: VersionRunner
    edge: Edge
    environment: Mapping[str, str]
    engine: str | None
    logs: Path
    stack: str
    stack_file: Path | None
    """The stack's settings as they were deployed, for a `pulumi` command; None where there is none."""

    @property
    def url(self) -> str:
        """Where the deployment says that it is served."""
        return str(self.deployment.outputs.get("url", ""))

    @property
    def parts(self) -> dict[str, str]:
        """Which of the parts that a machine may lack are used."""
        drivers = {
            deployment.ENGINE: "the pulumi command's engine",
            deployment.MOCKS: "Pulumi's mocks, anew at each start (no pulumi command on the PATH)",
        }
        changes = ", ".join(f"{count} {change}" for change, count in self.deployment.changes.items())
        function = "in a process (no container engine answers)"
        return {
            "driver": f"{drivers[self.deployment.driver]}: {changes}",
            "function": f"in a container of {self.engine}" if self.engine else function,
            "AWS": f"MiniStack on {self.account.endpoint_url}",
            "logs": str(self.logs),
        }


@contextlib.contextmanager
def running(
    *,
    project: Path,
    state: Path,
    stack: str,
    settings: Mapping[str, object],
    engine: str | None,
    progress: Callable[[str], None],
    venvs: Path | None = None,
    region: str = REGION,
) -> Iterator[Sandbox]:
    """Start the AWS, deploy the project's program to it, and stop everything at the end.

    Raises:
        SandboxError: a part doesn't start, or the deployment is refused.
    """
    check_platform(engine)
    with contextlib.ExitStack() as parts:
        ministack, account = parts.enter_context(_aws(state, region))
        images = ImageStore(state, engine, venvs=venvs, progress=progress)
        made = deployment.deploy(
            project=project,
            stack=stack,
            settings=settings,
            account=account,
            environment=ministack.environment,
            images=images,
            state=state,
            progress=progress,
        )
        environment = {**variables.DETACHED, **ministack.environment}
        runner = VersionRunner(images, logs=state / "logs", environment=environment, account_id=account.account_id)
        parts.enter_context(runner)
        if made.driver == deployment.ENGINE:
            others = deployment.serving_others(project=project, account=account, images=images, state=state)
            environment |= parts.enter_context(others)
        name = urlsplit(str(made.outputs.get("url", ""))).hostname
        yield Sandbox(
            account=account,
            deployment=made,
            runner=runner,
            edge=Edge(account, runner, default_name=name),
            environment=environment,
            engine=engine,
            logs=state / "logs",
            stack=stack,
            stack_file=engine_driver.stack_file(state, stack) if made.driver == deployment.ENGINE else None,
        )


class _Operation(Protocol):
    def __call__(
        self,
        *,
        project: Path,
        stack: str,
        settings: Mapping[str, object],
        account: Account,
        environment: Mapping[str, str],
        images: ImageStore,
        state: Path,
        progress: Callable[[str], None],
    ) -> Mapping[str, int]: ...


def operate(
    operation: _Operation,
    *,
    project: Path,
    state: Path,
    stack: str,
    settings: Mapping[str, object],
    engine: str | None,
    progress: Callable[[str], None],
    region: str = REGION,
) -> Mapping[str, int]:
    """Start the AWS, have `deployment.preview` or `deployment.destroy` done in it, and return what it counted.

    Raises:
        SandboxError: there is no pulumi command, a part doesn't start, or something is refused.
    """
    deployment.check_engine()  # before the account is emptied, as it is where there is none
    with _aws(state, region) as (ministack, account):
        return operation(
            project=project,
            stack=stack,
            settings=settings,
            account=account,
            environment=ministack.environment,
            images=ImageStore(state, engine, progress=progress),
            state=state,
            progress=progress,
        )


@contextlib.contextmanager
def _aws(state: Path, region: str) -> Iterator[tuple[MiniStack, Account]]:
    with MiniStack(state, region=region) as ministack:
        account = Account(ministack.endpoint_url, region, ministack.credentials)
        deployment.prepare(ministack)
        make_zone(account, ZONE)
        yield ministack, account


def make_zone(account: Account, name: str) -> None:
    """Make the public hosted zone where the account doesn't have it."""
    route53 = account.client("route53")
    if not any(zone["Name"] == f"{name}." for zone in every(route53, "list_hosted_zones", "HostedZones")):
        route53.create_hosted_zone(Name=name, CallerReference=f"sandbox {time.time_ns()}")


def check_platform(engine: str | None) -> None:
    """Refuse a machine on which a function could run neither in a container nor in a process.

    Raises:
        SandboxError: there is no container engine, and awslambdaric has no wheel for this machine.
    """
    if engine is not None:
        return
    system, machine, libc = platform.system(), platform.machine(), platform.libc_ver()[0]
    if system != "Linux" or machine.lower() not in _WHEELS or libc != "glibc":
        found = f"{system} on {machine}" + (f" with {libc or 'another C library'}" if system == "Linux" else "")
        raise SandboxError(
            "Without a container engine a function runs as a process, which awslambdaric supports on Linux with glibc, "
            f"x86-64 or arm64, and this is {found}: start docker or podman."
        )
