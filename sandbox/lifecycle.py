"""A running sandbox: its AWS, the deployment in it, the functions, and the edge in front of them."""

import contextlib
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sandbox import variables
from sandbox.breaking import Broken
from sandbox.edge.edge import Edge
from sandbox.edge.signer import signer
from sandbox.errors import SandboxError
from sandbox.event_sources.sources import EventSources
from sandbox.faults import Faults
from sandbox.invocations import Invocations
from sandbox.log_delivery import LogDelivery
from sandbox.ministack import MiniStack
from sandbox.presets import ZONE
from sandbox.provider.aws import Builder
from sandbox.provider.refusals import ResourceRefusedError
from sandbox.pulumi_drivers import deployment, engine_driver
from sandbox.pulumi_drivers.deployment import ENGINE, MOCKS, Deployment, PulumiDriver
from sandbox.pulumi_drivers.program_packages import ProgramPackages
from sandbox.pulumi_drivers.task import Task
from sandbox.roles.sessions import RoleSessions
from sandbox.runner import leftovers
from sandbox.runner.container_engine import why_none
from sandbox.runner.images import ImageStore
from sandbox.runner.renewals import Renewals
from sandbox.runner.version_runner import VersionRunner
from sandbox.settings import Project, StackConfig
from walk.account import Account
from walk.authorization import Credentials
from walk.dns_names import closest_zones
from walk.function_version import FunctionVersion
from walk.queries import every
from walk.trace import RequestRefusedError

REGION = "us-east-1"

_WHEELS = {"x86_64", "amd64", "aarch64", "arm64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """A running sandbox; with `variables` other programs reach its AWS."""

    account: Account
    deployment: Deployment
    runner: VersionRunner
    invocations: Invocations
    edge: Edge
    roles: RoleSessions
    faults: Faults
    event_sources: EventSources
    renewals: Renewals
    variables: Mapping[str, str]
    container_engine: str | None
    logs: Path
    stack: str
    stack_file: Path | None
    """The stack's settings as they were deployed, for a `pulumi` command, or None."""

    @property
    def url(self) -> str:
        """The address at which the deployment says it is served."""
        return str(self.deployment.outputs.get("url", ""))

    @property
    def path(self) -> str:
        """The path of that address, which ends with a slash."""
        return f"{urlsplit(self.url).path.rstrip('/')}/"

    @property
    def deployed_version(self) -> FunctionVersion:
        """The version of the function that the deployment serves.

        Raises:
            SandboxError: no version can run.
        """
        outputs = self.deployment.outputs
        name, version = str(outputs.get("function_name", "")), str(outputs.get("live_version", ""))
        try:
            return self.invocations.version(name, version)
        except RequestRefusedError as refused:
            raise SandboxError(f"The function {name}:{version} can't run: {refused.hop.detail}.") from refused

    @property
    def parts(self) -> dict[str, str]:
        """Which of the optional parts of the machine are used."""
        drivers: Mapping[PulumiDriver, str] = {
            ENGINE: "the pulumi command's engine",
            MOCKS: "Pulumi's mocks, from scratch at each start (no pulumi command on the PATH)",
        }
        changes = ", ".join(f"{count} {change}" for change, count in self.deployment.changes.items())
        function = f"in a process ({why_none()})"
        return {
            "driver": f"{drivers[self.deployment.pulumi_driver]}: {changes}",
            "function": f"in a container of {self.container_engine}" if self.container_engine else function,
            "AWS": f"MiniStack on {self.account.endpoint_url}",
            "logs": str(self.logs),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a sandbox is started with. `progress` gets a line for each step; `venvs` are kept in `state` by default."""

    project: Project
    config: StackConfig
    state: Path
    container_engine: str | None
    progress: Callable[[str], None]
    venvs: Path | None = None
    zones: Sequence[str] = (ZONE,)
    """Names of the public hosted zones that the account has."""

    @property
    def region(self) -> str:
        """The region of the whole account: the stack's own, where it has one."""
        return self.config.values.get("aws:region") or REGION


@contextlib.contextmanager
def running(order: Order) -> Iterator[Sandbox]:
    """Start the AWS with public hosted zones, deploy the project's program to it, and stop everything at the end.

    Raises:
        SandboxError: a part doesn't start, or the deployment is refused.
    """
    check_platform(order.container_engine)
    logs = order.state / "logs"
    with contextlib.ExitStack() as parts:
        packages = ProgramPackages(order.state)
        packages.start()
        ministack, account = parts.enter_context(_aws(order))
        images = _images(order)
        renewals = Renewals(images, order.state)
        task = _task(order, ministack, account, renewals)
        packages.wait()
        with _naming_zones(order.zones):
            made = deployment.deploy(task)
        packages.remember()
        _tidy(account, order)
        reaching = {**variables.DETACHED, **ministack.variables}
        reader = ministack.reader
        delivery = parts.enter_context(LogDelivery(reader))
        roles = RoleSessions(reader)
        ministack.enforce(roles)
        runner = VersionRunner(
            images,
            logs=logs,
            reaching=reaching,
            account_id=account.account_id,
            role=roles.variables,
            starting=delivery.follow,
            now=renewals.now,
        )
        parts.enter_context(runner)
        invocations = Invocations(reader, runner)
        ministack.answer_instead(invocations)
        event_sources = parts.enter_context(EventSources(reader, invocations, order.progress))
        ministack.tell(event_sources.event_bus.hear)
        by_engine = made.pulumi_driver == ENGINE
        if by_engine:
            reaching |= parts.enter_context(deployment.serving_others(task))
        name = urlsplit(str(made.outputs.get("url", ""))).hostname
        credentials = Credentials(signer=signer(reader, ministack.credentials, roles))
        stack = order.config.stack
        yield Sandbox(
            account=account,
            deployment=made,
            runner=runner,
            invocations=invocations,
            edge=Edge(reader, runner, default_name=name, note_request=delivery.note_request, credentials=credentials),
            roles=roles,
            faults=parts.enter_context(Faults(_broken(ministack, runner, made))),
            event_sources=event_sources,
            renewals=renewals,
            variables={**reaching, **ministack.program_variables},
            container_engine=order.container_engine,
            logs=logs,
            stack=stack,
            stack_file=engine_driver.stack_file(order.state, stack) if by_engine else None,
        )


def _broken(ministack: MiniStack, runner: VersionRunner, made: Deployment) -> Broken:
    return Broken(ministack=ministack, runner=runner, function_name=str(made.outputs.get("function_name", "")))


def _tidy(account: Account, order: Order) -> None:
    """Remove what the deployments of this folder no longer refer to."""
    kept = leftovers.referred(account, order.state)
    images = leftovers.remove_images(order.state, kept) if kept is not None else 0
    venvs = leftovers.remove_venvs(order.state / "venvs")
    if images or venvs:
        order.progress(leftovers.in_words(images, venvs))


def operate(operation: Callable[[Task], Mapping[str, int]], order: Order) -> Mapping[str, int]:
    """Start the AWS, run `deployment.preview` or `deployment.destroy` in it, and return the counts.

    Raises:
        SandboxError: there is no pulumi command, a part doesn't start, or something is refused.
    """
    deployment.check_engine()  # first, since without an engine the account is emptied
    with _aws(order) as (ministack, account), _naming_zones(order.zones):
        return operation(_task(order, ministack, account, _images(order)))


def _images(order: Order) -> ImageStore:
    return ImageStore(order.state, order.container_engine, venvs=order.venvs, progress=order.progress)


def _task(order: Order, ministack: MiniStack, account: Account, images: Builder) -> Task:
    return Task(
        project=order.project,
        config=order.config,
        account=account,
        variables=ministack.program_variables,
        images=images,
        state=order.state,
        progress=order.progress,
    )


@contextlib.contextmanager
def _naming_zones(zones: Sequence[str]) -> Iterator[None]:
    """Add to a refusal for a missing zone which zones there are, and how to add more."""
    try:
        yield
    except ResourceRefusedError as error:
        if error.code != "NoSuchHostedZone":
            raise
        raise SandboxError(
            f"{error}: the sandbox has only {' and '.join(zones)}, so add a zone that your account has "
            "with --zone NAME."
        ) from error


@contextlib.contextmanager
def _aws(order: Order) -> Iterator[tuple[MiniStack, Account]]:
    with MiniStack(order.state, region=order.region) as ministack:
        deployment.prepare(ministack)
        for zone in sorted(order.zones, key=len):
            make_zone(ministack.account, zone)
        yield ministack, ministack.account


def make_zone(account: Account, name: str) -> None:
    """Make the public hosted zone if the account doesn't have it, and delegate it if another one is above it."""
    route53 = account.client("route53")
    zones = every(route53, "list_hosted_zones", "HostedZones")
    if any(zone["Name"] == f"{name}." for zone in zones):
        return
    made = route53.create_hosted_zone(Name=name, CallerReference=f"sandbox {time.time_ns()}")
    servers = [{"Value": server} for server in made["DelegationSet"]["NameServers"]]
    record = {"Name": name, "Type": "NS", "TTL": 60, "ResourceRecords": servers}
    for above in closest_zones(zones, name)[:1]:
        changes = [{"Action": "UPSERT", "ResourceRecordSet": record}]
        route53.change_resource_record_sets(HostedZoneId=above["Id"], ChangeBatch={"Changes": changes})


def check_platform(container_engine: str | None) -> None:
    """Refuse a machine on which a function could run neither in a container nor in a process.

    Raises:
        SandboxError: there is no container engine, and awslambdaric has no wheel for this machine.
    """
    if container_engine is not None:
        return
    system, machine, libc = platform.system(), platform.machine(), platform.libc_ver()[0]
    if system != "Linux" or machine.lower() not in _WHEELS or libc != "glibc":
        found = f"{system} on {machine}" + (f" with {libc or 'another C library'}" if system == "Linux" else "")
        raise SandboxError(
            "Without a container engine a function runs as a process, and awslambdaric needs Linux with glibc, "
            f"x86-64 or arm64, but this is {found} ({why_none()}): start docker or podman."
        )
