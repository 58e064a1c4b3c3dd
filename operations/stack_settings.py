"""The settings of a stack as its files say them, without Pulumi: defaults of Pulumi.yaml, then Pulumi.<stack>.yaml."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operations.errors import OperationError, UsageError


@dataclass(frozen=True, slots=True)
class StackSettings:
    """Settings by their keys. A key that the program doesn't have reads as unset, so that older ones work too."""

    values: Mapping[str, Any]
    region: str = ""

    def number(self, key: str, unset: float = 0) -> float:
        """Return a number; `pulumi config set` writes it as text.

        Raises:
            OperationError: it isn't a number from 0 on.
        """
        value = self.values.get(key, unset)
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not 0 <= number < math.inf:
            raise OperationError(f"{key} is {value!r}, but it is a number from 0 on: set one.")
        return number

    def text(self, key: str) -> str:
        """Return a text; of a secret, only that there is one."""
        value = self.values.get(key, "")
        return value if isinstance(value, str) else "(secret)" if value else ""

    def is_on(self, key: str) -> bool:
        """Return whether a setting is true or not empty."""
        value = self.values.get(key)
        return value.lower() not in ("", "0", "false") if isinstance(value, str) else bool(value)

    def entries(self, key: str) -> Sequence[Any]:
        """Return the entries of a list or the values of an object."""
        value = self.values.get(key) or []
        return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]


def read(folder: Path, stack: str, instead: Mapping[str, str]) -> StackSettings:
    """Return the settings of a stack, some of them replaced.

    Raises:
        UsageError: there is no such stack's file, no such setting, or a value is not of its type.
        OperationError: a file can't be read.
    """
    file = folder / f"Pulumi.{stack}.yaml"
    if not re.fullmatch(r"[\w.-]+", stack) or not file.is_file():
        raise UsageError(f"There is no Pulumi.{stack}.yaml here: choose a stack with --stack NAME.")
    project, given = _mapping(folder / "Pulumi.yaml"), _mapping(file)
    entries = project.get("config") or {}
    declared = {key: entry.get("default") for key, entry in entries.items()}
    given_here = {key: _typed(key, text, entries) for key, text in instead.items()}
    namespace, config = f"{project.get('name')}:", given.get("config") or {}
    own = {key.removeprefix(namespace): value for key, value in config.items() if key.startswith(namespace)}
    return StackSettings({**declared, **own, **given_here}, str(config.get("aws:region") or ""))


def _typed(key: str, text: str, entries: Mapping[str, Any]) -> Any:
    """A value of `--set` as its setting declares it: a list or an object is JSON, as for the sandbox's `--set`."""
    if key not in entries:
        raise UsageError(f"{key} is not a setting of Pulumi.yaml: --set takes one of its settings as KEY=VALUE.")
    wanted = {"array": list, "object": dict}.get(entries[key].get("type"))
    if wanted is None:
        return text
    sample = '["a", "b"]' if wanted is list else '{"NAME": "value"}'
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, wanted):
        raise UsageError(
            f"{key} takes JSON of type {entries[key]['type']}, not {text!r}: write --set '{key}={sample}'."
        )
    return value


def _mapping(file: Path) -> dict[str, Any]:
    import yaml  # type: ignore[import-untyped]  # no stubs in the lock

    try:
        found = yaml.safe_load(file.read_text()) or {}
    except (OSError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise OperationError(f"{file.name} can't be read ({said}): correct it.") from None
    if not isinstance(found, dict):
        raise OperationError(f"{file.name} doesn't hold settings by their names: correct it.")
    return found
