"""Stack settings as the Pulumi command applies them: the schema of `Pulumi.yaml`, the stack's file, then `--set`."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # no stubs in the lock

from sandbox.errors import SandboxError, SettingsError

FIRST_STACK = "dev"
"""The stack that may have no file."""

_DECLARATION_KEYS = {"type", "items", "description", "secret", "default", "value"}
_TYPES = ("string", "integer", "boolean", "array", "object")


class _Yaml12(yaml.SafeLoader):  # type: ignore[misc]
    """Reads scalars as the command's parser does: `yes` and `on` are strings, `1:30` isn't a number, dates are text."""


_Yaml12.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if tag.rpartition(":")[2] not in ("bool", "int", "timestamp")]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Yaml12.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Yaml12.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|0b[01_]+)$"), list("-+0123456789")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A setting as `Pulumi.yaml` declares it."""

    key: str  # with its namespace
    name: str  # as written
    type: str | None = None
    items: Mapping[str, Any] | None = None
    secret: bool = False
    default: object = None
    value: object = None
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackConfig:
    """Every setting of a stack as the program reads it: text by full key, objects and lists as JSON."""

    project: str
    stack: str
    values: Mapping[str, str]
    secrets: frozenset[str] = frozenset()
    given: Mapping[str, object] = field(default_factory=dict)
    """The stack's own values, as written, without the project's defaults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What the sandbox needs from `Pulumi.yaml`."""

    folder: Path
    name: str
    declarations: Mapping[str, Declaration]
    main: Path  # the program's file
    stack_folder: Path

    def full_key(self, key: str) -> str:
        """Return the key with its namespace; the default is the project's own."""
        return key if ":" in key else f"{self.name}:{key}"

    def short_key(self, key: str) -> str:
        """Return the key as a person writes it: without the project's own namespace."""
        return key.removeprefix(f"{self.name}:")


def load_project(folder: Path) -> Project:
    """Read `Pulumi.yaml` of a folder and check its settings' schema by the command's rules.

    Raises:
        SandboxError: the file is missing, or the schema contradicts itself.
    Source: pulumi/pulumi, sdk/go/common/workspace/project.go, `Project.Validate` and `RewriteShorthandConfigValues`.
    """
    folder = folder.resolve()
    file = folder / "Pulumi.yaml"
    raw = _read_yaml(file)
    name = raw.get("name")
    if not isinstance(name, str) or not name:
        raise SandboxError(f"{file}: the project has no 'name'.")
    config = raw.get("config") or {}
    stack_folder = raw.get("stackConfigDir") or (config if isinstance(config, str) else ".")
    if not isinstance(config, dict):
        config = {}
    declarations = [_declaration(name, str(key), entry, file) for key, entry in config.items()]
    program = folder / str(raw.get("main") or ".")
    return Project(
        folder=folder,
        name=name,
        declarations={declaration.key: declaration for declaration in declarations},
        main=program if program.suffix == ".py" else program / "__main__.py",
        stack_folder=folder / str(stack_folder),
    )


def load(project: Project, stack: str, overrides: Mapping[str, object] | None = None) -> StackConfig:
    """Merge the stack's file and the overrides over the project's defaults, and check every value's type.

    Raises:
        SettingsError: a required key has no value, a value is not of its type, a secret is plain or can't be
            decrypted here.
    Source: pulumi/pulumi, pkg/workspace/config.go, `ValidateStackConfigAndApplyProjectConfig`.
    """
    overridden = {project.full_key(key): value for key, value in (overrides or {}).items()}
    values: dict[str, object] = own_values(project, stack) | overridden
    secrets = set(overridden) & {key for key, declared in project.declarations.items() if declared.secret}
    for key, value in sorted(values.items()):
        path = _encrypted_path(project.short_key(key), value)
        if path is not None:
            raise SettingsError(
                f"Setting {path} of stack '{stack}' is encrypted and the sandbox has no key for it: "
                f"give it a value of its own with --set '{path}=…'."
            )
    given = dict(values)
    _apply_defaults(project, stack, values)
    texts = {key: _text(value) for key, value in values.items()}
    for declaration in project.declarations.values():
        _check(declaration, stack, texts[declaration.key], values[declaration.key], secret=declaration.key in secrets)
    return StackConfig(project=project.name, stack=stack, values=texts, secrets=frozenset(secrets), given=given)


def own_values(project: Project, stack: str) -> dict[str, object]:
    """Return what the stack's file sets, by full key.

    Raises:
        SettingsError: the file is missing, and the stack isn't the first one, `dev`.
    """
    return {project.full_key(key): value for key, value in _stack_file(project, stack).items()}


def _declaration(project: str, name: str, written: object, file: Path) -> Declaration:
    own = ":" not in name or name.startswith(f"{project}:")
    # Shorthand: a plain value is the default of the project's own key, and the value of another namespace's key.
    entry: dict[str, Any] = written if isinstance(written, dict) else {"default" if own else "value": written}
    unknown = set(entry) - _DECLARATION_KEYS
    if unknown:
        raise SandboxError(f"{file}: setting {name} has the unknown attribute '{sorted(unknown)[0]}'.")
    if entry.get("default") is not None and entry.get("value") is not None:
        raise SandboxError(f"{file}: setting {name} can't have both 'default' and 'value'.")
    kind = entry.get("type")
    if kind is not None and kind not in _TYPES:
        raise SandboxError(f"{file}: setting {name} has the type '{kind}'; the types are {', '.join(_TYPES)}.")
    if not own and (kind is not None or entry.get("default") is not None or entry.get("value") is None):
        raise SandboxError(f"{file}: setting {name} belongs to another namespace: it takes only 'value'.")
    if kind == "array" and not entry.get("items"):
        raise SandboxError(f"{file}: setting {name} is an array without a type for its items: add 'items'.")
    default = entry.get("default")
    if kind is not None and default is not None and not is_of(kind, entry.get("items"), default):
        raise SandboxError(
            f"{file}: the default of setting {name} is not of its type '{type_name(kind, entry.get('items'))}'."
        )
    return Declaration(
        key=name if ":" in name else f"{project}:{name}",
        name=name,
        type=kind,
        items=entry.get("items"),
        secret=bool(entry.get("secret")),
        default=default,
        value=entry.get("value"),
        description=str(entry.get("description") or ""),
    )


def _apply_defaults(project: Project, stack: str, values: dict[str, object]) -> None:
    missing = []
    for key, declaration in sorted(project.declarations.items()):
        if key in values:
            continue
        fallback = declaration.default if declaration.default is not None else declaration.value
        if fallback is None:
            missing.append(declaration.name)
        else:
            values[key] = fallback
    if missing:
        names = " and ".join(repr(name) for name in missing)
        raise SettingsError(f"Stack '{stack}' is missing configuration for {names}: set it in Pulumi.{stack}.yaml.")


def _check(declaration: Declaration, stack: str, text: str, value: object, *, secret: bool) -> None:
    if declaration.type is None:
        return
    if declaration.secret and not secret:
        raise SettingsError(
            f"Stack '{stack}' with configuration key '{declaration.name}' must be encrypted as it's secret."
        )
    content = value if isinstance(value, dict | list) else text
    if not is_of(declaration.type, declaration.items, content):
        shown = "[secret]" if declaration.secret else repr(content)
        raise SettingsError(
            f"Stack '{stack}' with configuration key '{declaration.name}' must be of type "
            f"'{type_name(declaration.type, declaration.items)}', but is {shown}."
        )


def is_of(kind: str, items: Mapping[str, Any] | None, value: object) -> bool:
    """Return whether a value is of a declared type, as lenient as the command: "5" is an integer, "true" a boolean."""
    if kind == "string":
        return isinstance(value, str)
    if kind == "integer":
        if isinstance(value, bool):
            return False
        if isinstance(value, int | float):
            return math.isfinite(value) and value == int(value)
        return isinstance(value, str) and re.fullmatch(r"[-+]?[0-9]+", value) is not None
    if kind == "boolean":
        return isinstance(value, bool) or value in ("true", "false")
    if kind == "object":
        return isinstance(value, dict)
    if not isinstance(value, list) or not items:
        return False
    return all(is_of(str(items.get("type")), items.get("items"), item) for item in value)


def type_name(kind: str, items: Mapping[str, Any] | None) -> str:
    """The name of a declared type: `array<string>` for an array of texts."""
    return f"array<{type_name(str(items.get('type')), items.get('items'))}>" if items else kind


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _stack_file(project: Project, stack: str) -> dict[str, object]:
    file = project.stack_folder / f"Pulumi.{stack}.yaml"
    if not file.exists():
        if stack == FIRST_STACK:
            return {}
        names = sorted(path.name[len("Pulumi.") : -len(".yaml")] for path in project.stack_folder.glob("Pulumi.*.yaml"))
        remedy = f"choose one of {', '.join(names)} with --stack, or create it" if names else "create it"
        raise SettingsError(
            f"Stack '{stack}' has no file {file.name} for its settings: {remedy} (with the line `config: {{}}` "
            "every setting has its default)."
        )
    config = _read_yaml(file).get("config") or {}
    if not isinstance(config, dict):
        raise SettingsError(f"{file}: 'config' is not a map of settings.")
    return {str(key): value for key, value in config.items()}


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        content = yaml.load(file.read_text(), _Yaml12)  # noqa: S506  a SafeLoader with fewer rules
    except FileNotFoundError:
        raise SandboxError(f"{file} doesn't exist: run from the folder of the Pulumi program.") from None
    except yaml.YAMLError as error:
        raise SandboxError(f"{file} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise SandboxError(f"{file} is empty or not a map.")
    return content


def _encrypted_path(path: str, value: object) -> str | None:
    """Return the path of the first encrypted text in a value, or None where there is none."""
    if isinstance(value, dict):
        if set(value) == {"secure"} and isinstance(value["secure"], str):
            return path
        parts = [(f"{path}.{name}", item) for name, item in value.items()]
    elif isinstance(value, list):
        parts = [(f"{path}[{place}]", item) for place, item in enumerate(value)]
    else:
        return None
    return next((found for part, item in parts if (found := _encrypted_path(part, item)) is not None), None)
