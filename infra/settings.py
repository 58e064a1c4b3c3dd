"""The stack's settings: read once, checked before the first resource, passed down as one frozen value."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin

import pulumi
from pulumi.runtime import config as given_config

from infra.alarms import AlarmSettings
from infra.authorizer import AccessSettings
from infra.capacity import CapacitySettings
from infra.cdn import VARIABLE as CDN_VARIABLE
from infra.cdn import CdnSettings, check_domain
from infra.container_function import FunctionSettings
from infra.container_image import ImageSettings
from infra.cors import CorsSettings
from infra.custom_domain import BASE_PATH_VARIABLE, DomainSettings
from infra.dashboard import DashboardSettings
from infra.event_rules import EventSettings
from infra.function_url import UrlSettings, check_alone
from infra.http_api import API_ID_VARIABLE, ApiSettings
from infra.job_entries import VARIABLE as JOBS_VARIABLE
from infra.keep_warm import KeepWarmSettings
from infra.naming import NameSettings
from infra.policies import PolicySettings
from infra.queues import QueueSettings
from infra.releases import ReleaseSettings
from infra.rules import ConfigError, key_of, refuse
from infra.schedules import ScheduleSettings
from infra.secrets import PLACE_OF, SecretSettings
from infra.session_key import VARIABLE as SESSION_KEY_VARIABLE
from infra.session_key import SessionKeySettings
from infra.table import VARIABLE as TABLE_VARIABLE
from infra.table import TableSettings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Section = TypeVar("Section", bound=DataclassInstance)

RECORDS = Sequence[Mapping[str, object]]
"""The type of a list of objects, such as the jobs."""

READERS: Mapping[object, Callable[[pulumi.Config, str], object]] = {
    str: pulumi.Config.require,
    int: pulumi.Config.require_int,
    float: pulumi.Config.require_float,
    bool: pulumi.Config.require_bool,
    RECORDS: lambda config, key: records_of(key, config.require_object(key)),
    Sequence: lambda config, key: list_of(key, config.require_object(key)),
    Mapping: lambda config, key: map_of(key, config.require_object(key)),
}
"""How a value of each type is read; those of sequences and mappings are text."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One section for each component. The keys are described in `Pulumi.yaml`."""

    naming: NameSettings
    image: ImageSettings
    function: FunctionSettings
    releases: ReleaseSettings
    api: ApiSettings
    domain: DomainSettings
    cdn: CdnSettings
    secrets: SecretSettings
    session_key: SessionKeySettings
    table: TableSettings
    policies: PolicySettings
    capacity: CapacitySettings
    alarms: AlarmSettings
    dashboard: DashboardSettings
    schedules: ScheduleSettings
    queues: QueueSettings
    events: EventSettings
    keep_warm: KeepWarmSettings
    cors: CorsSettings
    access: AccessSettings
    url: UrlSettings

    def __post_init__(self) -> None:
        """Checks rules for more than one section; each section has checked itself.

        Raises:
            ConfigError: two settings contradict each other.
        """
        if self.url.function_url:
            check_alone(self.api, self.domain, self.cors, self.access, self.alarms, self.dashboard)
        if API_ID_VARIABLE in self.function.environment:
            refuse(f"environment.{API_ID_VARIABLE}", "...", "the deployment sets it to its own API", "remove it")
        if JOBS_VARIABLE in self.function.environment:
            refuse(f"environment.{JOBS_VARIABLE}", "...", "the deployment sets it to its own jobs", "remove it")
        for key, variable, wanted in (
            ("sessionKey", SESSION_KEY_VARIABLE, self.session_key.session_key),
            ("table", TABLE_VARIABLE, self.table.table),
            ("basePath", BASE_PATH_VARIABLE, self.domain.base_path),
            ("cdn", CDN_VARIABLE, self.cdn.cdn),
        ):
            for map_key, variables in (("environment", self.function.environment), ("secrets", self.secrets.secrets)):
                if wanted and variable in variables:
                    refuse(f"{map_key}.{variable}", "...", f"{key} sets it as well", f"remove it, or unset {key}")
        if self.cdn.cdn:
            check_domain(self.domain.domain_name, self.domain.base_path, self.domain.dns_provider)
            if self.api.keep_default_endpoint:
                rule = "cdn is set, and the function refuses what comes around the CDN"
                refuse("keepDefaultEndpoint", True, rule, "remove one of the two")
            if self.access.iam_auth:
                rule = "cdn is set, and a client's signature names another host than the one that CloudFront sends"
                refuse("iamAuth", True, rule, "remove one of the two")
        for variable in self.function.environment:
            if variable.startswith(PLACE_OF):
                name = variable.removeprefix(PLACE_OF)
                refuse(
                    f"environment.{variable}",
                    "...",
                    "the function may only read what secrets names",
                    f"set secrets.{name} instead",
                )
        for variable in self.secrets.secrets:
            if variable in self.function.environment:
                refuse(f"environment.{variable}", "...", "secrets sets it as well", "remove one of the two")
        if self.capacity.provisioned_concurrency and self.releases.canary_percent:
            refuse(
                "canaryPercent",
                self.releases.canary_percent,
                "an alias with provisioned concurrency leads to one version",
                "remove canaryPercent or provisionedConcurrency",
            )


SECTIONS: Mapping[str, type[DataclassInstance]] = inspect.get_annotations(Settings, eval_str=True)
"""The sections of the settings by their names; each field of a section is a key."""


def load_settings() -> Settings:
    """Reads and checks the stack's settings.

    Raises:
        ConfigError: a key is not a setting, a setting has a value that can't work, or two contradict each other.
    """
    config = own_config(*SECTIONS.values())
    sections: dict[str, Any] = {name: load(section, config) for name, section in SECTIONS.items()}
    return Settings(**sections)


def load_alone(section: type[Section]) -> Section:
    """Reads and checks the settings of a program that has one section.

    Raises:
        ConfigError: a key is not a setting, or a setting has a value that can't work.
    """
    return load(section, own_config(section))


def own_config(*sections: type[DataclassInstance]) -> pulumi.Config:
    """Returns the project's configuration, whose keys are all fields of these sections."""
    config = pulumi.Config()
    known = [key_of(field.name) for section in sections for field in fields(section)]
    check_keys(config.name, known, {*given_config.get_config_env(), *given_config.CONFIG.get()})
    return config


def check_keys(namespace: str, known: Sequence[str], given: Iterable[str]) -> None:
    """Refuses a key in the project's namespace that isn't a setting: a misspelt setting would have no effect.

    The value is not shown, since it may be a secret.

    Raises:
        ConfigError: a key is not a setting; the message names the most similar one.
    """
    own = sorted(key.removeprefix(f"{namespace}:") for key in given if key.startswith(f"{namespace}:"))
    for key in own:
        if key in known:
            continue
        root = key.partition(".")[0].partition("[")[0]
        if root in known:
            remedy = f"add --path to the command that sets it, or nest it below {namespace}:{root}"
        else:
            folded = {name.lower(): name for name in known}
            close = difflib.get_close_matches(key.lower(), folded, 1)
            remedy = f"rename it to {folded[close[0]]}" if close else f"its settings are {', '.join(known)}: choose one"
        raise ConfigError(
            f"{namespace}:{key} is not a setting of this project: {remedy}, or remove it (`pulumi config rm {key}`)."
        )


def load(section: type[Section], config: pulumi.Config) -> Section:
    """Makes a section from its fields: each is the setting with its name, read by its annotation."""
    return section(
        **{field.name: READERS[kind_of(section, field.name)](config, key_of(field.name)) for field in fields(section)}
    )


def kind_of(section: type[DataclassInstance], field_name: str) -> object:
    """Returns the type of a field in a configuration: `int` for `pulumi.Input[int]`, `Mapping` for any mapping."""
    # Not get_type_hints: inside an Input, Pulumi refers to one of its own types by a name that is unknown here.
    annotation: Any = inspect.get_annotations(section, eval_str=True)[field_name]
    plain = get_args(annotation)[0] if get_origin(annotation) is Union else annotation
    return plain if plain == RECORDS else get_origin(plain) or plain


def records_of(key: str, value: object) -> Sequence[Mapping[str, object]]:
    """Returns a list of objects.

    Raises:
        ConfigError: it isn't one.
    """
    if not isinstance(value, list):
        refuse(key, type(value).__name__, "it lists objects", f"set {key}[0].name with --path")
    for place, record in enumerate(value):
        if not isinstance(record, dict):
            refuse(
                f"{key}[{place}]", type(record).__name__, "it takes an object", f"set {key}[{place}].name with --path"
            )
    return tuple(value)


def list_of(key: str, value: object) -> Sequence[str]:
    """Returns a list of strings.

    Raises:
        ConfigError: it isn't a list, or a value in it isn't a scalar.
    """
    if not isinstance(value, list):
        refuse(key, type(value).__name__, "it lists values", f"set {key}[0] with --path")
    return tuple(text_of(f"{key}[{place}]", scalar) for place, scalar in enumerate(value))


def map_of(key: str, value: object) -> Mapping[str, str]:
    """Returns a map of names to strings.

    Raises:
        ConfigError: it isn't a map, or a value in it isn't a scalar.
    """
    if not isinstance(value, dict):
        refuse(key, type(value).__name__, "it maps names to values", f"set {key}.NAME with --path")
    return {str(name): text_of(f"{key}.{name}", scalar) for name, scalar in value.items()}


def text_of(key: str, scalar: object) -> str:
    """Returns a scalar as a string, a boolean as `true` or `false`.

    Raises:
        ConfigError: it isn't a scalar.
    """
    if not isinstance(scalar, str | int | float | bool):
        refuse(key, type(scalar).__name__, "it takes a string", "set a string, such as JSON")
    return str(scalar).lower() if isinstance(scalar, bool) else str(scalar)
