"""The package's schema: what generates an SDK for a language, or tells a YAML program what there is.

Source: "Pulumi Package Schema", Pulumi's documentation.
"""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

import yaml  # type: ignore[import-untyped]  # no stubs in the lock

from infra.package.given import takes_outputs
from infra.package.offered import ListOf, Offered, Output, Parts
from infra.rules import key_of
from infra.settings import kind_of

PACKAGE = "dualmode"
ROOT = Path(__file__).parents[2]
TEXT: Mapping[str, object] = {"type": "string"}
TYPES: Mapping[object, Mapping[str, object]] = {
    str: TEXT,
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    Sequence: {"type": "array", "items": TEXT},
    Mapping: {"type": "object", "additionalProperties": TEXT},
}
LANGUAGES = ("csharp", "go", "java", "nodejs", "python")

Property = Mapping[str, object]


def schema_of(offered: Sequence[Offered]) -> dict[str, object]:
    """Returns the schema of a package of components."""
    outputs = [output.kind for each in offered for output in each.outputs.values()]
    kinds = [kind.parts if isinstance(kind, ListOf) else kind for kind in outputs]
    return {
        "name": PACKAGE,
        "version": tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"],
        "description": settings_file()["description"],
        "types": {token(kind.name): parts_schema(kind) for kind in kinds if isinstance(kind, Parts)},
        "resources": {token(each.component.__name__): resource_schema(each) for each in offered},
        # An SDK names the version that it was made of, so that another one is not used unnoticed.
        "language": {language: {"respectSchemaVersion": True} for language in LANGUAGES},
    }


def token(name: str) -> str:
    """Returns the full name of a type of the package."""
    return f"{PACKAGE}:index:{name}"


def settings_file() -> dict[str, object]:
    """Returns what `Pulumi.yaml` says."""
    return dict(yaml.safe_load((ROOT / "Pulumi.yaml").read_text()))


def resource_schema(offered: Offered) -> dict[str, object]:
    """Returns the schema of a component."""
    required = [key_of(name) for name, argument in offered.arguments.items() if argument.required]
    outputs = {key_of(name): output_schema(output) for name, output in offered.outputs.items()}
    return {
        "isComponent": True,
        "description": (inspect.getdoc(offered.component) or "").partition("\n")[0],
        "inputProperties": dict(sorted([*setting_schemas(offered), *argument_schemas(offered)])),
        "requiredInputs": sorted(required),
        "properties": outputs,
        "required": sorted(outputs),
    }


def setting_schemas(offered: Offered) -> Iterator[tuple[str, Property]]:
    """Yields the inputs that are settings."""
    described = descriptions()
    for section in offered.sections:
        for field in fields(section):
            if field.name not in offered.left_out:
                shape = TYPES[kind_of(section, field.name)]
                plain = {} if takes_outputs(section, field.name) or "type" not in shape else plain_marks(shape)
                yield key_of(field.name), {**shape, **plain, "description": described[key_of(field.name)]}


def plain_marks(shape: Mapping[str, object]) -> Property:
    """Returns what says that a value must be known: of a list or a map, its values may be outputs."""
    return {"plain": True} if shape not in (TYPES[Sequence], TYPES[Mapping]) else {}


def argument_schemas(offered: Offered) -> Iterator[tuple[str, Property]]:
    """Yields the inputs beside the settings."""
    described = descriptions()
    for name, argument in offered.arguments.items():
        key = key_of(name)
        yield key, {**type_of(argument.kind), "description": argument.description or described[key]}


def descriptions() -> dict[str, str]:
    """Returns the sentences that describe the settings, by their keys."""
    declared = settings_file()["config"]
    assert isinstance(declared, dict)  # noqa: S101  for mypy
    return {key: declaration["description"] for key, declaration in declared.items() if "description" in declaration}


def output_schema(output: Output) -> Property:
    """Returns the schema of an output."""
    return {**type_of(output.kind), "description": output.description}


def type_of(kind: object) -> Property:
    """Returns how a type is written in a schema."""
    if isinstance(kind, ListOf):
        return {"type": "array", "items": type_of(kind.parts)}
    return {"$ref": f"#/types/{token(kind.name)}"} if isinstance(kind, Parts) else TYPES[kind]


def parts_schema(parts: Parts) -> dict[str, object]:
    """Returns the schema of a type of values that consist of texts."""
    texts = {key_of(name): {**TEXT, "description": description} for name, description in parts.texts.items()}
    return {"type": "object", "description": parts.description, "properties": texts, "required": sorted(texts)}
