"""What a deployment is called: its function, repository, API and log groups have this name."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pulumi

from infra.rules import refuse

LONGEST_NAME = 64
"""Characters of a function's name. Source: `CreateFunction`, Lambda API Reference."""
NAME = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
"""Names that both ECR and Lambda take. Source: `CreateRepository`, Amazon ECR API Reference, where a separator stands
alone and between letters or digits; `CreateFunction`, Lambda API Reference, which takes no dot.
"""


@dataclass(frozen=True, kw_only=True)
class NameSettings:
    """The deployment's name in its account and region; empty, the project's and the stack's."""

    name: str = ""


def deployment_name(settings: NameSettings) -> str:
    """Returns the deployment's name.

    Raises:
        ConfigError: ECR or Lambda would not take it.
    """
    name = settings.name or f"{pulumi.get_project()}-{pulumi.get_stack()}"
    if not NAME.fullmatch(name) or not 2 <= len(name) <= LONGEST_NAME:
        source = "" if settings.name else ", from project and stack"
        rule = (
            f"ECR and Lambda take lower-case letters and digits, with single - or _ between them, 2 to {LONGEST_NAME} "
            f"characters in all{source}"
        )
        refuse("name", name, rule, f"set one such as {suggestion(name)!r}")
    return name


def suggestion(name: str) -> str:
    """Returns the most similar name that is taken."""
    parts = re.findall(r"[a-z0-9]+", name.lower())
    return "-".join(parts)[:LONGEST_NAME].strip("-") if len("".join(parts)) > 1 else "shop-dev"
