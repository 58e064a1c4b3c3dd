"""What the package offers: each component's inputs and outputs, and how it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pulumi

from infra.api_route import ApiRoute
from infra.capacity import CapacitySettings, ProvisionedConcurrency
from infra.container_function import ContainerFunction, FunctionSettings
from infra.custom_domain import CustomDomain, DomainSettings, variables_of
from infra.grants import Grant
from infra.http_api import API_ID_VARIABLE, ApiSettings, HttpApi
from infra.package.given import Given
from infra.policies import PolicySettings
from infra.releases import ReleaseSettings
from infra.rules import key_of

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
    """An alias, as far as a route needs it."""

    function_name: pulumi.Output[str]
    name: pulumi.Output[str]
    invoke_arn: pulumi.Output[str]


class Api(NamedTuple):
    """An API, as far as a route needs it."""

    api_id: pulumi.Output[str]
    api_name: pulumi.Output[str]
    execution_arn: pulumi.Output[str]


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
ROUTED = Parts(
    "RoutedApi",
    "An API, as what leads its requests to a function needs it.",
    {
        "api_id": "Id of the API.",
        "api_name": "Name of the API.",
        "execution_arn": "How a function's permissions name the API.",
    },
)
RECORD = Parts(
    "DnsRecord",
    "A record to create at a DNS provider.",
    {"name": "Name of the record.", "type": "Type of the record.", "value": "Value of the record."},
)


def outputs_of(resource: pulumi.Resource, parts: Parts) -> dict[str, pulumi.Output[str]]:
    """Returns the texts of a resource that another component takes together."""
    return {part: getattr(resource, part) for part in parts.texts}


def make_function(name: str, given: Given, opts: pulumi.ResourceOptions | None) -> Made:
    """Makes a function, with the permissions and variables that its inputs name."""
    arguments = given.arguments({name: argument.kind for name, argument in FUNCTION.arguments.items()})
    below = Grant(name="domain", variables=variables_of(arguments.pop("base_path", "").strip("/")))
    api_id = arguments.pop("api_id", None)
    told = Grant(name="api", variables={API_ID_VARIABLE: api_id} if api_id else {})
    capacity = given.section(CapacitySettings)
    function = ContainerFunction(
        name,
        given.section(FunctionSettings),
        releases=given.section(ReleaseSettings),
        capacity=capacity,
        grants=[given.section(PolicySettings).grant, capacity.grant, below, told],
        opts=opts,
        **arguments,
    )
    if capacity.provisioned_concurrency:
        warm = pulumi.ResourceOptions(parent=function)
        ProvisionedConcurrency(f"{name}-provisioned", capacity, alias=function.live, opts=warm)
    own = {key: getattr(function, key) for key in FUNCTION.outputs if key != "live"}
    return function, {**own, "live": outputs_of(function.live, LIVE)}


def make_api(name: str, given: Given, opts: pulumi.ResourceOptions | None) -> Made:
    """Makes an API."""
    arguments = given.arguments({name: argument.kind for name, argument in API.arguments.items()})
    api = HttpApi(name, given.section(ApiSettings), opts=opts, **arguments)
    return api, {"api_endpoint": api.api_endpoint, "api_id": api.api_id, "api": outputs_of(api, ROUTED)}


def make_route(name: str, given: Given, opts: pulumi.ResourceOptions | None) -> Made:
    """Leads the requests of an API to the alias of a function."""
    arguments = given.arguments({name: argument.kind for name, argument in ROUTE.arguments.items()})
    api, target = (pulumi.Output.from_input(arguments.pop(key)) for key in ("api", "target"))
    route = ApiRoute(
        name,
        given.section(ApiSettings),
        api=Api(*(api[key_of(part)] for part in Api._fields)),
        alias=Target(*(target[key_of(part)] for part in Target._fields)),
        opts=opts,
        **{"log_retention": LOG_RETENTION, **arguments},
    )
    return route, {"stage_name": route.stage_name}


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
        "api_id": Argument(str, "Id of the HttpApi that may send requests. Without it, those of every API are taken."),
        "base_path": Argument(str, "Path below which a CustomDomain serves the function."),
    },
    outputs={
        "function_name": Output(str, "Name of the function."),
        "function_arn": Output(str, "ARN of the function."),
        "role_name": Output(str, "Name of the function's role, to attach further policies."),
        "role_arn": Output(str, "ARN of the function's role."),
        "newest_version": Output(str, "Version that was published last."),
        "live": Output(LIVE, "Alias that clients go through: the target of an ApiRoute."),
    },
)
API = Offered(
    component=HttpApi,
    make=make_api,
    sections=(ApiSettings,),
    left_out=frozenset({"throttle_rate", "throttle_burst"}),
    arguments={
        "api_name": Argument(str, "Name of the API and of its log group.", required=True),
        "has_domain": Argument(bool, "Whether a domain serves the API: its own address closes then."),
    },
    outputs={
        "api_id": Output(str, "Id of the API."),
        "api_endpoint": Output(str, "API Gateway's own address for the API."),
        "api": Output(ROUTED, "The API, for an ApiRoute."),
    },
)
ROUTE = Offered(
    component=ApiRoute,
    make=make_route,
    sections=(ApiSettings,),
    left_out=frozenset({"keep_default_endpoint"}),
    arguments={
        "api": Argument(ROUTED, "API whose requests are led: `api` of an HttpApi.", required=True),
        "target": Argument(LIVE, "Alias that gets every request: `live` of a ContainerFunction.", required=True),
        "log_retention": Argument(int),
    },
    outputs={"stage_name": Output(str, "Name of the stage, once it can answer.")},
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
OFFERED = (FUNCTION, API, ROUTE, DOMAIN)
