"""The repository as a plugin: how the engine starts it, and what it answers."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pulumi  # noqa: TC002  as in every component's file
from pulumi.errors import InputPropertiesError
from pulumi.provider import ConstructResult, Provider, main

from infra.package.given import Given
from infra.package.offered import OFFERED, Offered
from infra.package.schema import ROOT, schema_of, token
from infra.rules import ConfigError, key_of


class Components(Provider):
    """Makes the components that programs in other languages name."""

    def __init__(self, offered: Sequence[Offered]) -> None:
        schema = schema_of(offered)
        super().__init__(str(schema["version"]), json.dumps(schema))
        self._offered = {token(each.component.__name__): each for each in offered}

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: pulumi.Inputs,
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Makes a component, its settings checked first.

        Raises:
            InputPropertiesError: a setting is refused; the engine shows the sentence beside the resource.
        """
        try:
            component, outputs = self._offered[resource_type].make(name, Given(inputs), options)
        except ConfigError as error:
            raise InputPropertiesError(str(error), []) from error  # without a list, the SDK fails
        return ConstructResult(component.urn, in_the_schema_s_words(outputs))


def in_the_schema_s_words(value: Any) -> Any:
    """Returns outputs under the keys of the schema."""
    if not isinstance(value, dict):
        return value
    return {key_of(key): in_the_schema_s_words(inner) for key, inner in value.items()}


def is_started_as_one(arguments: Sequence[str]) -> bool:
    """Says whether these are a plugin's arguments: its own folder, then the engine's address. A program gets none.

    Source: pulumi/pulumi, sdk/python/cmd/pulumi-language-python/main.go, `RunPlugin`.
    """
    return len(arguments) > 1 and Path(arguments[0]).resolve() == ROOT


def serve_if_started_as_one() -> None:
    """Serves the engine if it has started the repository as a plugin, and ends with it."""
    if is_started_as_one(sys.argv):
        main(Components(OFFERED), sys.argv[1:])
        sys.exit()
