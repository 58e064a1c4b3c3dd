"""What all lists of jobs share: the keys of an entry, its name, its path, and what the function is told of it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence

import pulumi

from infra.grants import Grant
from infra.rules import refuse

VARIABLE = "DUALMODE_JOBS"
"""Variable that tells the runtime the path of each job."""

LONGEST_NAME = 64
"""Characters of a schedule's or a rule's name. Source: `CreateSchedule`, `PutRule`, API References."""

Entries = Sequence[Mapping[str, object]]

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,22}[a-z0-9])?")
"""With the deployment's name before it and `-failed` after it, it is still one that AWS takes everywhere."""

PATH = re.compile(r"/(?:[A-Za-z0-9._~-]+/)*[A-Za-z0-9._~-]*[A-Za-z0-9_~-][A-Za-z0-9._~-]*")
"""A path that has only one spelling, so that it can be closed for clients."""


def jobs_grant(
    routes: Mapping[str, pulumi.Input[Mapping[str, str]]], statements: Sequence[Mapping[str, object]] = ()
) -> Grant:
    """Returns what a function gets of its jobs: their paths, by `schedules`, `queues` and `events`, and permissions."""
    return Grant(name="jobs", statements=statements, variables={VARIABLE: pulumi.Output.json_dumps(routes)})


def check_entries(key: str, entries: Entries, *, required: Collection[str], optional: Collection[str] = ()) -> None:
    """Checks what every entry of a list of jobs has.

    Raises:
        ConfigError: a key is missing or unknown, a name is not a valid one or there twice, a path can't be closed.
    """
    known, seen = (*required, *optional), set[str]()
    for place, entry in enumerate(entries):
        for name in entry:
            if name not in known:
                refuse(f"{key}[{place}].{name}", "...", f"an entry has {', '.join(known)}", "rename or remove it")
        for name in required:
            if name not in entry:
                refuse(f"{key}[{place}]", ", ".join(entry), f"an entry needs {', '.join(required)}", f"add {name}")
        name, path = text(f"{key}[{place}].name", entry["name"]), text(f"{key}[{place}].path", entry["path"])
        if not NAME.fullmatch(name) or name.endswith("failed"):
            refuse(
                f"{key}[{place}].name",
                name,
                "a name has at most 24 lower-case letters, digits and dashes between them, and doesn't end with failed",
                "rename it",
            )
        if name in seen:
            refuse(f"{key}[{place}].name", name, "another entry has that name", "rename one of the two")
        seen.add(name)
        if not path.startswith("/"):
            refuse(f"{key}[{place}].path", path, "a path begins with /", f"set /{path}")
        if not PATH.fullmatch(path):
            refuse(
                f"{key}[{place}].path",
                path,
                "clients are kept away from a path of letters, digits, . _ ~ and - between single slashes",
                "choose such a path that no page of the application has",
            )


def check_length(key: str, entries: Entries, deployment: str) -> None:
    """Checks that the names of jobs fit behind the deployment's.

    Raises:
        ConfigError: one is too long for AWS.
    """
    most = LONGEST_NAME - len(deployment) - 1
    for place, entry in enumerate(entries):
        if len(str(entry["name"])) > most:
            rule = f"with {deployment}- before it AWS takes {most} characters"
            refuse(f"{key}[{place}].name", entry["name"], rule, "shorten it, or the deployment's name")


def text(key: str, value: object) -> str:
    """Returns a value that must be text.

    Raises:
        ConfigError: it isn't.
    """
    if not isinstance(value, str):
        refuse(key, value, "it takes text", "write it in quotes")
    return value


def number(key: str, value: object, least: int, most: int, what: str) -> int:
    """Returns a value that must be a whole number from `least` to `most`; as text, too, as `--path` gives it.

    Raises:
        ConfigError: it isn't.
    """
    given = int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value
    if not isinstance(given, int) or isinstance(given, bool) or not least <= given <= most:
        refuse(key, value, f"{what} {least} to {most}", "set a number from that range")
    return given


def json_value(key: str, value: object) -> object:
    """Returns a JSON value that is given as such, or as its text.

    Raises:
        ConfigError: the text isn't JSON.
    """
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        refuse(key, "...", "it takes JSON", 'write a value such as {"full": true}, and text in two pairs of quotes')
