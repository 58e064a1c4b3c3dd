"""The packages that the sandbox has a provider for. A program that uses another one is refused before the engine acts.

Otherwise the engine would start a plugin for it: a third party's program that works on real accounts.
"""

from collections.abc import Callable
from typing import Any

from sandbox.errors import SandboxError
from sandbox.pulumi_drivers import dynamic

PACKAGES = ("aws", "awsx", "docker-build")
_BUILT_IN = ("pulumi", dynamic.PACKAGE)
_PROVIDERS = "pulumi:providers:"


def check_resource(pulumi_type: str, name: str) -> None:
    """Refuse a resource, a remote component or a provider of a package that the sandbox has no provider for.

    Raises:
        SandboxError: with the type, the name and the available packages.
    """
    if pulumi_type.startswith(_PROVIDERS):
        _check(pulumi_type.removeprefix(_PROVIDERS), f"{pulumi_type} '{name}'")
    else:
        _check(_package_of(pulumi_type), f"{pulumi_type} '{name}'")


def check_function(token: str) -> None:
    """Refuse a function of such a package.

    Raises:
        SandboxError: with the function's token and the available packages.
    """
    _check(_package_of(token), token)


def refuse_package(name: str) -> None:
    """Refuse a plugin that makes a package at run time, whatever the package's name.

    Raises:
        SandboxError: with its name.
    """
    raise SandboxError(
        f"{name}: the sandbox starts no plugin, so a package that a plugin makes at run time can't be used."
    )


class KnownPackagesOnly:
    """The engine's resource monitor as a program sees it, without what would need a plugin.

    `refused` is told of each refusal.
    """

    # The protocol's names are in CamelCase.
    # ruff: noqa: N802, D102

    def __init__(self, monitor: Any, refused: Callable[[SandboxError], None]) -> None:
        self._monitor = monitor
        self._refused = refused

    def __getattr__(self, name: str) -> Any:
        return getattr(self._monitor, name)

    def RegisterResource(self, request: Any) -> Any:
        if request.custom or request.remote:  # other components are the program's own
            self._allow(check_resource, request.type, request.name)
        return self._monitor.RegisterResource(request)

    def ReadResource(self, request: Any) -> Any:
        self._allow(check_resource, request.type, request.name)
        return self._monitor.ReadResource(request)

    def ExistsResource(self, request: Any) -> Any:
        self._allow(check_resource, request.type, request.id)
        return self._monitor.ExistsResource(request)

    def Invoke(self, request: Any) -> Any:
        self._allow(check_function, request.tok)
        return self._monitor.Invoke(request)

    def Call(self, request: Any) -> Any:
        self._allow(check_function, request.tok)
        return self._monitor.Call(request)

    def RegisterPackage(self, request: Any) -> Any:
        self._allow(refuse_package, request.name)
        return self._monitor.RegisterPackage(request)

    def _allow(self, check: Callable[..., None], *named: str) -> None:
        try:
            check(*named)
        except SandboxError as error:
            self._refused(error)
            raise


def _package_of(token: str) -> str:
    return token.partition(":")[0]


def _check(package: str, what: str) -> None:
    if package not in (*PACKAGES, *_BUILT_IN):
        known = f"{', '.join(PACKAGES[:-1])} and {PACKAGES[-1]}"
        raise SandboxError(
            f"{what}: the sandbox starts no plugin and has providers for {known} only, not for {package}."
        )
