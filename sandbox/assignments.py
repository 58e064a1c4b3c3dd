"""Settings given on the command line, `key=value`: each converted to the type that `Pulumi.yaml` declares."""

import difflib
import json
from collections.abc import Iterable, Mapping

from sandbox import property_path
from sandbox.errors import SettingsError
from sandbox.settings import Declaration, Project, is_of, type_name


def parse_assignments(
    project: Project, assignments: Iterable[str], own: Mapping[str, object] | None = None
) -> dict[str, object]:
    """Turn `key=value` texts into values of the types that `Pulumi.yaml` declares.

    A key may be a path into an object or a list, such as `environment.GREETING`: its other values, from `own` by
    full key, stay.

    Raises:
        SettingsError: no `=`, a key that isn't declared, or a text that isn't valid for the key's type.
    """
    parsed: dict[str, object] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key:
            raise SettingsError(f"'{assignment}' is not a setting: write key=value.")
        full = project.full_key(key)
        declaration = project.declarations.get(full)
        if declaration is None and full.startswith(f"{project.name}:"):
            full, value = _at_path(project, key, text, {**(own or {}), **parsed})
            parsed[full] = value
        else:
            parsed[full] = _typed(declaration, text) if declaration else text
    return parsed


def _at_path(project: Project, key: str, text: str, before: Mapping[str, object]) -> tuple[str, object]:
    """Return the setting that a path leads into, and its value with the text at the path."""
    try:
        root, *rest = property_path.parse(key.removeprefix(f"{project.name}:"))
    except property_path.PathError as error:
        raise SettingsError(f"'{key}' {error}.") from None
    declaration = project.declarations.get(project.full_key(str(root)))
    if declaration is None:
        known = sorted(declared.name for declared in project.declarations.values())
        folded = {name.lower(): name for name in known}
        close = difflib.get_close_matches(str(root).lower(), folded, 1)
        hint = f"did you mean {folded[close[0]]}?" if close else f"the settings are {', '.join(known)}."
        raise SettingsError(f"'{root}' is not a setting of {project.name}: {hint}")
    if rest and declaration.type not in ("object", "array", None):
        raise SettingsError(
            f"Setting {root} is of type '{declaration.type}', so it has no parts to set: write {root}=VALUE."
        )
    try:
        value = property_path.with_value(before.get(declaration.key), rest, property_path.typed(text))
    except property_path.PathError as error:
        raise SettingsError(f"'{key}' {error}.") from None
    if declaration.type is not None and not is_of(declaration.type, declaration.items, value):
        kind = type_name(declaration.type, declaration.items)
        raise SettingsError(
            f"Setting {declaration.name} must be of type '{kind}', but '{key}' would give it another type."
        )
    return declaration.key, value


def _typed(declaration: Declaration, text: str) -> object:
    kind = declaration.type or "string"
    value: object = text
    try:
        if kind == "integer":
            value = int(text)
        elif kind == "boolean" and text in ("true", "false"):
            value = text == "true"
        elif kind in ("array", "object"):
            value = json.loads(text)
    except json.JSONDecodeError as error:  # the text is left out: an object may hold secrets
        name, sample = declaration.name, '["a", "b"]' if kind == "array" else '{"NAME": "value"}'
        raise SettingsError(
            f"Setting {name} is not JSON (line {error.lineno}, column {error.colno}): write --set '{name}={sample}', "
            f"or one part of it as --set {name}{'[0]' if kind == 'array' else '.NAME'}=value."
        ) from None
    except ValueError:
        pass  # refused just below, with the type it should have had
    if not is_of(kind, declaration.items, value):
        # an object may hold secrets in any of its members
        shown = "[secret]" if declaration.secret or kind == "object" else repr(text)
        raise SettingsError(
            f"Setting {declaration.name} must be of type '{type_name(kind, declaration.items)}', but is {shown}."
        )
    return value
