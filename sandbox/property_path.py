"""Paths into a setting that is an object or a list, such as `environment.GREETING`, as in `pulumi config set`."""

import json
import re
from collections.abc import Sequence

_NAME = re.compile(r"[^.\[\]\"]+")
_QUOTED = re.compile(r'\[("(?:[^"\\]|\\["\\])*")\]')
_INDEX = re.compile(r"\[(0|[1-9][0-9]*)\]")

Step = str | int


class PathError(Exception):
    """Carries what is wrong with a path; the text follows the path in a sentence."""


def parse(text: str) -> tuple[Step, ...]:
    """Return the steps of a path: names, and places in lists.

    A name with a dot, a bracket or a quote in it is written `root["na.me"]`, or `["na.me"]` at the beginning.

    Raises:
        PathError: it isn't a path, or doesn't begin with a name.
    Source: pulumi/pulumi, sdk/go/common/resource/property_path.go, `ParsePropertyPath`.
    """
    steps: list[Step] = []
    at = 0
    while at < len(text):
        if text[at] == "[":
            if quoted := _QUOTED.match(text, at):
                steps.append(str(json.loads(quoted[1])))
                at = quoted.end()
            elif index := _INDEX.match(text, at):
                steps.append(int(index[1]))
                at = index.end()
            else:
                raise PathError('is not a property path: brackets hold a number, or a name in quotes, as in ["a.b"]')
            continue
        if steps:
            if text[at] != ".":
                raise PathError("is not a property path: a bracket is followed by a dot or another bracket")
            at += 1
        name = _NAME.match(text, at)
        if name is None:
            raise PathError("is not a property path: a name is missing, or has a quote in it")
        steps.append(name[0])
        at = name.end()
    if not steps or not isinstance(steps[0], str):
        raise PathError("is not a property path: a path begins with the name of a setting")
    return tuple(steps)


def with_value(whole: object, path: Sequence[Step], value: object) -> object:
    """Return `whole` with the value at the path below it; what is missing on the way is created.

    Raises:
        PathError: the path leads through something that is neither an object nor a list, or past a list's end.
    """
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, str):
        if whole is not None and not isinstance(whole, dict):
            raise PathError(f"can't be set: the value that holds {step!r} is not an object")
        members = dict(whole or {})
        return {**members, step: with_value(members.get(step), rest, value)}
    if whole is not None and not isinstance(whole, list):
        raise PathError(f"can't be set: the value that holds [{step}] is not a list")
    items = list(whole or [])
    if step > len(items):
        raise PathError(f"can't be set: the list has {len(items)} values, so the next is [{len(items)}]")
    before = items[step] if step < len(items) else None
    return [*items[:step], with_value(before, rest, value), *items[step + 1 :]]


def typed(text: str) -> bool | int | str:
    """Return a text as the command keeps it at a path: `true`, `false` and whole numbers are not texts, `007` is."""
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"[-+][0-9]+|0|[1-9][0-9]*", text):
        return int(text)
    return text
