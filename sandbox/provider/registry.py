"""Finds the resource types: all that the modules of `services` define."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

from sandbox.provider import services
from sandbox.provider.resource_type import ResourceType


def resource_types() -> Iterator[type[ResourceType]]:
    """Yield every resource type that a module of `services` defines."""
    for module in pkgutil.iter_modules(services.__path__, f"{services.__name__}."):
        for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if found.__module__ == module.name and issubclass(found, ResourceType) and hasattr(found, "pulumi_type"):
                yield found
