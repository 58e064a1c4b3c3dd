"""The environment variables of everything that the sandbox starts: a short list of the user's own, and the sandbox's.

A list of what may pass. What may not can't be listed: every cloud, registry and tool names its credentials as it
likes. The variables that pass say where programs and temporary files are, and how to write dates and texts.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

# A name that ends in _ stands for every name with that prefix.
_ORDINARY = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_", "TERM", "NO_COLOR", "TMPDIR", "TZ"),
    *("DUALMODE_", "GRPC_ENABLE_FORK_SUPPORT"),
)
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy")
_DOWNLOADS = (*_PROXIES, "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_")
_CONTAINER_ENGINES = (
    *("DOCKER_", "BUILDX_", "BUILDKIT_", "CONTAINER_", "CONTAINERS_", "PODMAN_", "BUILDAH_", "STORAGE_"),
    *("REGISTRY_AUTH_FILE", "XDG_", "DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK"),
)

DETACHED: Mapping[str, str] = MappingProxyType(
    {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
)
"""Without these an AWS SDK looks for what the environment lacks: in ~/.aws, and at the machine's metadata service."""

FORGET = "unset AWS_PROFILE $(env | grep -oE '^(AWS|PULUMI)_[A-Za-z0-9_]*')"
"""A shell command that unsets all of the user's own AWS and Pulumi variables in that terminal."""

ADDRESS = "DUALMODE_SANDBOX"
"""Variable with the address at which a sandbox serves its deployment, for commands in another terminal."""

_set_aside: Mapping[str, str] | None = None


def users() -> Mapping[str, str]:
    """The variables that the user started the sandbox with, also while a program runs with others."""
    return os.environ if _set_aside is None else _set_aside


def ordinary() -> dict[str, str]:
    """What any command may know."""
    return _kept(_ORDINARY)


def downloading() -> dict[str, str]:
    """What a command that downloads packages must know: proxies, certificates, the package index."""
    return _kept((*_ORDINARY, *_DOWNLOADS))


def building() -> dict[str, str]:
    """What a container engine's command must know to build an image: where its daemon is, and how to download."""
    return _kept((*_ORDINARY, *_CONTAINER_ENGINES, *_DOWNLOADS))


def running() -> dict[str, str]:
    """What a container engine's command must know to run a container. Not the proxies: podman would pass them on."""
    return _kept((*_ORDINARY, *_CONTAINER_ENGINES))


def is_read_by_container_engines(name: str) -> bool:
    """Whether a container engine's command takes a variable of this name as meant for itself."""
    return _matches(name, (*_ORDINARY, *_CONTAINER_ENGINES, *_DOWNLOADS))


def reaching(account: Mapping[str, str]) -> dict[str, str]:
    """What a program must know to reach the sandbox's account, whose variables are given, and no other account.

    gRPC reads `no_grpc_proxy` in lower case: the SDK's calls to the engine are on loopback.
    """
    return {**ordinary(), **DETACHED, **account, "no_grpc_proxy": "127.0.0.1,localhost"}


@contextmanager
def in_place(others: Mapping[str, str]) -> Iterator[None]:
    """Give this process other variables, and restore the user's afterwards."""
    global _set_aside
    before, outer = dict(os.environ), _set_aside
    _set_aside = before if outer is None else outer
    try:
        _replace(others)
        yield
    finally:
        _replace(before)
        _set_aside = outer


def _replace(others: Mapping[str, str]) -> None:
    os.environ.update(others)  # first, so that other threads always find a PATH
    for name in os.environ.keys() - others.keys():
        os.environ.pop(name, None)


def _kept(names: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in users().items() if _matches(name, names)}


def _matches(name: str, names: tuple[str, ...]) -> bool:
    return any(name.startswith(known) if known.endswith("_") else name == known for known in names)
