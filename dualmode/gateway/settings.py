"""The gateway's settings: environment variables, read once and checked."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, get_args

from dualmode.gateway.api_gateway.http_api import HttpApiOptions
from dualmode.gateway.api_gateway.request_event import Endpoint, EventOptions, XForwardedFor
from dualmode.gateway.api_gateway.result_response import InvalidBase64, ResultOptions, StatusCodeString
from dualmode.gateway.lambda_.execution_environment import DEFAULT_TIMEOUT, Function
from dualmode.gateway.lambda_.log_filter import DEFAULT, Filter, at_least, keep_all
from dualmode.gateway.lambda_.platform_log import Level, LogFormat

T = TypeVar("T")

# Lambda lets a function write only here, so it is the image's home folder.
WRITABLE = "/tmp"  # noqa: S108

_HOST_NAME = re.compile(r"[a-z0-9_.-]+\Z")


class SettingsError(Exception):
    """One sentence: the variable, its value, and the values that it may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The gateway's settings from its environment; `throttle` is rate (requests a second) and burst (requests)."""

    host: str
    port: int
    events_port: int
    events_hosts: frozenset[str]  # names, in lower case, by which programs reach the events port
    workers: int
    function: Function
    log_format: LogFormat
    system_log_level: Level
    log_filter: Filter  # of the function's own lines
    throttle: tuple[float, int] | None
    api_id: str  # in the events of requests
    mapping_key: str  # of the custom domain that the application is told it lives below
    http_api: HttpApiOptions


def settings_from(environ: Mapping[str, str], bootstrap: Sequence[str]) -> Settings:
    """The settings from the environment variables; `bootstrap` is the command that starts a function's process.

    Raises:
        SettingsError: a variable has a value that it can't have.
    """
    read = _Reader(environ)
    name = read.text("AWS_LAMBDA_FUNCTION_NAME", "function")
    region = read.text("AWS_REGION", environ.get("AWS_DEFAULT_REGION") or "us-east-1")
    memory_size = read.integer("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", 512, 1, 1_000_000)
    version = read.text("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
    log_format = read.choice("AWS_LAMBDA_LOG_FORMAT", get_args(LogFormat))
    function = Function(
        bootstrap=tuple(bootstrap),
        variables=function_variables(environ, name=name, region=region, memory_size=memory_size, version=version),
        name=name,
        version=version,
        memory_size=memory_size,
        timeout=float(read.integer("AWS_LAMBDA_FUNCTION_TIMEOUT", DEFAULT_TIMEOUT, 1, 900)),
        region=region,
        account_id=read.account("GATEWAY_ACCOUNT_ID", "123456789012"),
    )
    return Settings(
        host=read.text("GATEWAY_HOST", "0.0.0.0"),  # noqa: S104 - a container's port is published from outside it
        port=read.integer("PORT", 3000, 0, 65535),
        events_port=read.integer("EVENTS_PORT", 8080, 0, 65535),
        events_hosts=read.hosts("GATEWAY_EVENTS_HOSTS"),
        workers=read.integer("GATEWAY_WORKERS", 4, 1, 1000),
        function=function,
        log_format=log_format,
        system_log_level=read.choice("GATEWAY_SYSTEM_LOG_LEVEL", get_args(Level)),
        log_filter=at_least(read.text("AWS_LAMBDA_LOG_LEVEL", DEFAULT)) if log_format == "JSON" else keep_all,
        throttle=_throttle(read),
        api_id=_first_id(environ.get("DUALMODE_API_ID", "")) or Endpoint().api_id,
        mapping_key=environ.get("DUALMODE_BASE_PATH", "").strip("/"),
        http_api=HttpApiOptions(
            event=EventOptions(x_forwarded_for=read.choice("GATEWAY_X_FORWARDED_FOR", get_args(XForwardedFor))),
            result=ResultOptions(
                status_code_string=read.choice("GATEWAY_STATUS_CODE_STRING", get_args(StatusCodeString)),
                invalid_base64=read.choice("GATEWAY_INVALID_BASE64", get_args(InvalidBase64)),
            ),
            header_limit_status=read.integer("GATEWAY_HEADER_LIMIT_STATUS", 431, 400, 499),
        ),
    )


def function_variables(
    environ: Mapping[str, str], *, name: str, region: str, memory_size: int, version: str
) -> dict[str, str]:
    """The variables that Lambda gives to an image's process, on top of the image's own and the user's.

    `memory_size` is in MB.

    Source: docs/http-api.md, L01 and L06.
    """
    kept = {key: value for key, value in environ.items() if not key.startswith("GATEWAY_")}
    # a container engine and a shell set HOME, Lambda doesn't; only an image's own, writable one exists there too
    if not f"{kept.get('HOME', '')}/".startswith(f"{WRITABLE}/"):
        kept.pop("HOME", None)
    return kept | {
        "RUN_MODE": "lambda",
        "AWS_EXECUTION_ENV": "AWS_Lambda_Image",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_size),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": environ.get("AWS_LAMBDA_LOG_GROUP_NAME", f"/aws/lambda/{name}"),
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "LAMBDA_TASK_ROOT": environ.get("LAMBDA_TASK_ROOT") or os.getcwd(),  # noqa: PTH109
        "TZ": environ.get("TZ", ":UTC"),
    }


def _first_id(ids: str) -> str:
    """The first of the APIs whose requests the function accepts: it would refuse those of another one."""
    return next((name for part in ids.split(",") if (name := part.strip())), "")


def _throttle(read: "_Reader") -> tuple[float, int] | None:
    rate = read.number("GATEWAY_THROTTLE_RATE", 0.0)
    burst = read.integer("GATEWAY_THROTTLE_BURST", 0, 0, 1_000_000)
    if not rate and not burst:
        return None
    if not rate or not burst:
        missing = "GATEWAY_THROTTLE_BURST" if rate else "GATEWAY_THROTTLE_RATE"
        raise SettingsError(f"{missing} is not set: throttling needs both a rate (requests a second) and a burst.")
    return rate, burst


class _Reader:
    """Reads variables; one that is empty counts as not set."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str) -> str:
        return self._environ.get(name) or default

    def account(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if len(value) != 12 or not value.isdecimal() or not value.isascii():
            raise self._error(name, "twelve digits")
        return value

    def hosts(self, name: str) -> frozenset[str]:
        names = frozenset(host for part in self.text(name, "").split(",") if (host := part.strip().lower()))
        if not all(_HOST_NAME.match(host) for host in names):
            raise self._error(name, "names of hosts without a port, separated by commas")
        return names

    def integer(self, name: str, default: int, lowest: int, highest: int) -> int:
        rule = f"a whole number from {lowest} to {highest}"
        value = self._parsed(name, int, default, rule)
        if not lowest <= value <= highest:
            raise self._error(name, rule)
        return value

    def number(self, name: str, default: float) -> float:
        rule = "a number above 0"
        value = self._parsed(name, float, default, rule)
        if not 0 <= value < float("inf"):
            raise self._error(name, rule)
        return value

    def choice(self, name: str, values: tuple[T, ...]) -> T:
        known = {str(value).lower(): value for value in values}
        text = self._environ.get(name)
        if not text:
            return values[0]
        if text.lower() not in known:
            raise self._error(name, f"one of {', '.join(str(value) for value in values)}")
        return known[text.lower()]

    def _parsed(self, name: str, parse: Callable[[str], T], default: T, rule: str) -> T:
        text = self._environ.get(name)
        if not text:
            return default
        try:
            return parse(text)
        except ValueError as error:
            raise self._error(name, rule) from error

    def _error(self, name: str, rule: str) -> SettingsError:
        return SettingsError(f"{name} is {self._environ.get(name)!r}: it must be {rule}.")
