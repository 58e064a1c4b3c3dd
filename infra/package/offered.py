"""What the package offers: each component's inputs and outputs, and how it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pulumi

from infra.capacity import CapacitySettings, ProvisionedConcurrency
from infra.container_function import ContainerFunction, FunctionSettings
from infra.custom_domain import CustomDomain, DomainSettings, variables_of
from infra.grants import Grant
from infra.http_api import ApiSettings, HttpApi
from infra.package.given import Given
from infra.policies import PolicySettings
from infra.releases import ReleaseSettings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

LOG_RETENTION = FunctionSettings().log_retention

Made = tuple[pulumi.ComponentResource, Mapping[str, pulumi.Input[Any]]]
"""A component, and its outputs by their names in Python."""


class Argument(NamedTuple):
    """An input beside the settings; without a description, it has that of the setting with its name."""

    kind: object = str
    description: str = ""
    required: bool = False


class Target(NamedTuple):
    """An alias, as far as an API needs it."""

    function_name: pulumi.Output[str]
    name: pulumi.Output[str]
    invoke_arn: pulumi.Output[str]


class Output(NamedTuple):
    """An output."""

    kind: object
    description: str


@dataclass(frozen=True, eq=False)
class Parts:
    """A type of values that consist of texts, by their names."""

    name: str
    description: str
    texts: Mapping[str, str]


class ListOf(NamedTuple):
    """A list of such values."""

    parts: Parts


@dataclass(frozen=True, kw_only=True)
class Offered:
    """A component, as other languages see it."""

    component: type[pulumi.ComponentResource]
    make: Callable[[str, Given, pulumi.ResourceOptions | None], Made]
    sections: Sequence[type[DataclassInstance]]
    left_out: frozenset[str] = frozenset()
    """Fields of the sections that this component doesn't use."""
    arguments: Mapping[str, Argument]
    outputs: Mapping[str, Output]


LIVE = Parts(
    "LiveAlias",
    "The alias of a function that its clients go through.",
    {
        "function_name": "Name of the function.",
        "name": "Name of the alias.",
        "invoke_arn": "ARN by which API Gateway invokes the alias.",
    },
)
RECORD = Parts(
    "DnsRecord",
    "A record to create at a DNS provider.",
    {"name": "Name of the record.", "type": "Type of the record.", "value": "Value of the record."},
)


def make_function(name: str, given: Given, opts: pulumi.ResourceOptions | None) -> Made:
    """Makes a function, with the permissions and variables that its inputs name."""
    arguments = given.arguments({name: argument.kind for name, argument in FUNCTION.arguments.items()})
    below = Grant(name="domain", variables=variables_of(arguments.pop("base_path", "").strip("/")))
    capacity = given.section(CapacitySettings)
    function = ContainerFunction(
        name,
        given.section(FunctionSettings),
        releases=given.section(ReleaseSettings),
        capacity=capacity,
        grants=[given.section(PolicySettings).grant, capacity.grant, below],
        opts=opts,
        **arguments,
    )
    if capacity.provisioned_concurrency:
        warm = pulumi.ResourceOptions(parent=function)
        ProvisionedConcurrency(f"{name}-provisioned", capacity, alias=function.live, opts=warm)
    live = {part: getattr(function.live, part) for part in LIVE.texts}
    return function, {**{key: getattr(function, key) for key in FUNCTION.outputs if key != "live"}, "live": live}


def make_api(name: str, given: Given, opts: pulumi.ResourceOptions | None) -> Made:
    """Makes an API that leads to the alias of a function."""
    arguments = given.arguments({name: argument.kind for name, argument in API.arguments.items()})
    target = pulumi.Output.from_input(arguments.pop("target"))
    api = HttpApi(name, given.section(ApiSettings), opts=opts, **{"log_retention": LOG_RETENTION, **arguments})
    stage = api.route_to(Target(*(target[key] for key in ("functionName", "name", "invokeArn"))))
    return api, {"api_id": api.api_id, "api_endpoint": api.api_endpoint, "stage_name": stage}


def make_domain(name: str, given: Given, opts: pulumi.ResourceOptions | None) -> Made:
    """Makes a domain that leads to a stage."""
    arguments = given.arguments({name: argument.kind for name, argument in DOMAIN.arguments.items()})
    domain = CustomDomain(name, given.section(DomainSettings), opts=opts)
    url = domain.lead_to(
        api_id=arguments["api_id"], stage_name=arguments["stage_name"], until_then=arguments["api_endpoint"]
    )
    return domain, {"url": url, "serves": domain.serves, "dns_records": domain.dns_records or []}


FUNCTION = Offered(
    component=ContainerFunction,
    make=make_function,
    sections=(FunctionSettings, ReleaseSettings, PolicySettings, CapacitySettings),
    left_out=frozenset({"keep_versions"}),
    arguments={
        "function_name": Argument(str, "Name of the function.", required=True),
        "image_uri": Argument(str, "Image that the function runs: an ECR URI by digest.", required=True),
        "architecture": Argument(),
        "base_path": Argument(str, "Path below which a CustomDomain serves the function."),
    },
    outputs={
        "function_name": Output(str, "Name of the function."),
        "function_arn": Output(str, "ARN of the function."),
        "role_name": Output(str, "Name of the function's role, to attach further policies."),
        "role_arn": Output(str, "ARN of the function's role."),
        "newest_version": Output(str, "Version that was published last."),
        "live": Output(LIVE, "Alias that clients go through: the target of an HttpApi."),
    },
)
API = Offered(
    component=HttpApi,
    make=make_api,
    sections=(ApiSettings,),
    arguments={
        "api_name": Argument(str, "Name of the API and of its log group.", required=True),
        "target": Argument(LIVE, "Alias that gets every request: `live` of a ContainerFunction.", required=True),
        "log_retention": Argument(int),
        "has_domain": Argument(bool, "Whether a domain serves the API: its own address closes then."),
    },
    outputs={
        "api_id": Output(str, "Id of the API."),
        "api_endpoint": Output(str, "API Gateway's own address for the API."),
        "stage_name": Output(str, "Name of the stage, once it can answer."),
    },
)
DOMAIN = Offered(
    component=CustomDomain,
    make=make_domain,
    sections=(DomainSettings,),
    arguments={
        "api_id": Argument(str, "Id of the API that the domain leads to.", required=True),
        "stage_name": Argument(str, "Name of the API's stage.", required=True),
        "api_endpoint": Argument(
            str, "API Gateway's own address, the output `url` until DNS leads here.", required=True
        ),
    },
    outputs={
        "url": Output(str, "Address of the domain, once it serves the API."),
        "serves": Output(bool, "Whether clients need no other address."),
        "dns_records": Output(ListOf(RECORD), "Records to create at a provider elsewhere."),
    },
)
OFFERED = (FUNCTION, API, DOMAIN)
