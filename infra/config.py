"""Settings of a stack: read once, checked before the first resource, passed down as one frozen value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NoReturn, cast

import pulumi

PLATFORMS: Mapping[str, str] = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
"""Container platform of each Lambda architecture."""

LONGEST_REQUEST = 29
"""Seconds a function may take before an HTTP API has given up on it (30 s, not adjustable).

Source: "Quotas for configuring and running an HTTP API", API Gateway Developer Guide.
"""

SAMPLE_DIR, SAMPLE = "scripts", "scripts.server:app"
"""Where the sample application is: the defaults of `appDir` and `flaskApp`."""

LEFT_OUT = frozenset({"benchmarks", "docs", "infra", "sandbox", "tests"})
"""Folders of this repository that `.dockerignore` keeps out of every image."""

ENVIRONMENT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]+")
"""Names that Lambda takes for a variable. Source: `Environment`, Lambda API Reference."""

_HOST = r"[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]+)?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
IMAGE_REFERENCE = re.compile(
    rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::[a-zA-Z0-9_][a-zA-Z0-9_.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?"
)
"""Names of images: `host/name:tag@sha256:digest`, where host, tag and digest may be missing.

Source: the grammar in the package `reference` of distribution/reference.
"""


class ConfigError(pulumi.RunError):
    """A setting is refused: the message names key, value, rule and remedy, and Pulumi shows it without a traceback."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The stack's settings, described key by key in `Pulumi.yaml`."""

    app_dir: str
    flask_app: str
    architecture: str
    memory_size: int
    timeout: int
    environment: Mapping[str, str]
    image_uri: str
    base_image: str
    check_import: bool
    domain_name: str
    hosted_zone: str
    keep_default_endpoint: bool
    throttle_rate: int
    throttle_burst: int
    log_retention: int

    @property
    def platform(self) -> str:
        """Container platform of the architecture, such as `linux/amd64`."""
        return PLATFORMS[self.architecture]


def load_settings() -> Settings:
    """Reads and checks the stack's settings.

    Raises:
        ConfigError: a setting has a value that can't work, or two contradict each other.
    """
    config = pulumi.Config()
    domain_name = config.require("domainName").rstrip(".").lower()
    settings = Settings(
        app_dir=str(PurePosixPath(config.require("appDir"))),
        flask_app=config.require("flaskApp"),
        architecture=config.require("architecture"),
        memory_size=config.require_int("memorySize"),
        timeout=config.require_int("timeout"),
        environment=environment_of(config.require_object("environment")),
        image_uri=config.require("imageUri"),
        base_image=config.require("baseImage"),
        check_import=config.require_bool("checkImport"),
        domain_name=domain_name,
        hosted_zone=config.require("hostedZone").rstrip(".").lower() or parent_zone(domain_name),
        keep_default_endpoint=config.require_bool("keepDefaultEndpoint"),
        throttle_rate=config.require_int("throttleRate"),
        throttle_burst=config.require_int("throttleBurst"),
        log_retention=config.require_int("logRetention"),
    )
    check(settings)
    return settings


def check(settings: Settings) -> None:
    """Refuses what can't work, before any resource exists.

    Raises:
        ConfigError: naming the key, its value, the rule and the way out.
    """
    if settings.architecture not in PLATFORMS:
        refuse("architecture", settings.architecture, "Lambda runs x86_64 and arm64", "set one of the two")
    if settings.timeout > LONGEST_REQUEST:
        refuse("timeout", settings.timeout, "API Gateway gives up after 30 s", f"set {LONGEST_REQUEST} or less")
    for key, value in (("throttleRate", settings.throttle_rate), ("throttleBurst", settings.throttle_burst)):
        if value < 1:
            refuse(key, value, "below 1 API Gateway answers every request with 429", "set 1 or more")
    check_image(settings)
    check_domain(settings)


def check_image(settings: Settings) -> None:
    """Refuses an image that can't be deployed, or an application that can't be built into one."""
    if settings.image_uri:
        if not re.fullmatch(r"[^@\s]+@sha256:[0-9a-f]{64}", settings.image_uri):
            refuse(
                "imageUri",
                settings.image_uri,
                "a tag can move, so the image is named by digest",
                "append @sha256:... to the repository's URI",
            )
        return
    if settings.base_image and not IMAGE_REFERENCE.fullmatch(settings.base_image):
        refuse(
            "baseImage",
            settings.base_image,
            "that is not the name of an image",
            "set name:tag, or name@sha256:... with the digest's 64 digits to pin it",
        )
    path = PurePosixPath(settings.app_dir)
    if path.is_absolute() or ".." in path.parts:
        refuse(
            "appDir",
            settings.app_dir,
            "a container build sees only this repository",
            "move the application into a folder of it and name that",
        )
    if not path.parts or path.parts[0] in LEFT_OUT or "." in path.parts[0]:
        refuse(
            "appDir",
            settings.app_dir,
            "a container build leaves that folder out (.dockerignore)",
            "move the application into a folder of its own, without a dot in its name",
        )
    if not Path(path).is_dir():
        refuse("appDir", settings.app_dir, "this repository has no such folder", "set the folder of your application")
    if settings.app_dir != SAMPLE_DIR and settings.flask_app == SAMPLE:
        refuse(
            "flaskApp",
            settings.flask_app,
            f"that is the sample, and appDir is {settings.app_dir!r}",
            "set the application in that folder, such as shop:app",
        )


def check_domain(settings: Settings) -> None:
    """Refuses a zone that can't hold the domain."""
    if settings.hosted_zone and not settings.domain_name:
        refuse("hostedZone", settings.hosted_zone, "it holds domainName, which is not set", "set domainName as well")
    within = settings.domain_name == settings.hosted_zone or settings.domain_name.endswith(f".{settings.hosted_zone}")
    if settings.domain_name and not within:
        refuse(
            "hostedZone",
            settings.hosted_zone,
            f"domainName {settings.domain_name} does not end in it",
            "set the zone that the domain belongs to",
        )


def environment_of(value: object) -> Mapping[str, str]:
    """Returns the function's variables, each value as text.

    Raises:
        ConfigError: a name that Lambda can't take or that the deployment owns, or a value that isn't a scalar.
    """
    if not isinstance(value, dict):
        refuse("environment", type(value).__name__, "it maps names to values", "set environment.NAME with --path")
    variables = {}
    for name, scalar in cast("dict[str, object]", value).items():
        if not ENVIRONMENT_NAME.fullmatch(name):
            refuse(f"environment.{name}", "...", "a name is a letter, then letters, digits or _", "rename it")
        if name == "RUN_MODE":
            refuse("environment.RUN_MODE", scalar, "a deployed image always runs in lambda mode", "remove it")
        if name == "DUALMODE_API_ID":
            refuse(f"environment.{name}", scalar, "the deployment sets it to the API that it makes", "remove it")
        if not isinstance(scalar, str | int | float | bool):
            refuse(f"environment.{name}", type(scalar).__name__, "a variable is text", "set a text, such as JSON")
        if "\0" in str(scalar):
            refuse(f"environment.{name}", "...", "a variable's text can't hold a NUL character", "remove it")
        variables[name] = str(scalar).lower() if isinstance(scalar, bool) else str(scalar)
    return variables


def parent_zone(domain_name: str) -> str:
    """Returns the zone a domain is expected in: itself at a registered domain, its parent below one."""
    return domain_name.split(".", 1)[1] if domain_name.count(".") > 1 else domain_name


def refuse(key: str, value: object, rule: str, remedy: str) -> NoReturn:
    """Raises the `ConfigError` that says why a setting can't be, and what to do."""
    raise ConfigError(f"{key} is {value!r}, but {rule}: {remedy}.")
