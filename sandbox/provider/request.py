"""Turns a program's inputs into AWS's requests, by the table of a resource type, and AWS's paths back into inputs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.provider.blocks import Block
from sandbox.provider.fields import Field, Property, place


def full_request(table: Sequence[Property], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request with everything that is wanted, None for what isn't sent."""
    request: dict[str, Any] = {}
    for field in _sent(table):
        place(request, field.path, wanted[field.name])
    return {name: None if value in ({}, []) else value for name, value in request.items()}


def update_request(
    table: Sequence[Property], shape: Any, wanted: Mapping[str, Any], old: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the values that an operation's request has members for; `old` are the outputs so far."""
    request: dict[str, Any] = {}
    for field in _sent(table):
        value = field.value_for_update(wanted[field.name], old)
        if value is not None and field.path[0] in shape.members:
            place(request, field.path, value)
    return request


def changed_attributes(
    table: Sequence[Property], wanted: Mapping[str, Any], old: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    """Yield name and value of each of AWS's `Attributes` that differs from the outputs so far."""
    for field in _sent(table):
        value = field.value_for_update(wanted[field.name], old)
        differs = value is not None and field.bound_form.output(value) != old.get(field.name)
        if differs and field.path[0] == "Attributes":
            yield str(field.path[1]), value


def input_at(table: Sequence[Property], path: str) -> str:
    """Return the path of the input for a path in AWS's request, as AWS's messages write it."""
    names: dict[str, str] = {}
    for field in _sent(table):
        own = _written(field.path)
        names[own] = field.name
        if isinstance(field.form, Block):
            names |= {f"{own}.{_written(inner)}": f"{field.name}.{name}" for inner, name in field.form.paths()}
    above = max((own for own in names if path == own or path.startswith(f"{own}.")), key=len, default="")
    return f"{names[above]}{path[len(above) :]}" if above else path


def _sent(table: Sequence[Property]) -> Iterator[Field]:
    return (field for field in table if isinstance(field, Field) and field.sent)


def _written(path: tuple[str | int, ...]) -> str:
    parts = (f"{part + 1}.member" if isinstance(part, int) else f"{part[0].lower()}{part[1:]}" for part in path)
    return ".".join(parts)
