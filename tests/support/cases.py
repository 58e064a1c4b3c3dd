"""The cases of docs/http-api.md, and how a test's parameters name the case that each one proves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

_ID = re.compile(r"[RSLG]\d\d\b")


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The ids of a catalogue's cases, each as often as it has a row, and those that it calls open, with the reason."""

    ids: Sequence[str]
    open: dict[str, str]


def catalogue_in(text: str) -> Catalogue:
    """Reads a catalogue: the tables' rows that begin with an id, and below "Open cases" with ids and a reason."""
    cases, _, open_cases = text.partition("\n## Open cases\n")
    reasons = re.findall(r"^\| ([RSLG]\d\d[RSLG\d ]*) \| (.*) \|$", open_cases, re.MULTILINE)
    return Catalogue(
        ids=re.findall(r"^\| ([RSLG]\d\d) \|", cases, re.MULTILINE),
        open={case: reason for ids, reason in reasons for case in ids.split()},
    )


def case_param(name: str, *values: Any) -> Any:
    """A parameter set whose name begins with the case that it proves, as in `R15` and `R15-two-levels`."""
    case = _ID.match(name)
    assert case, f"{name!r} doesn't begin with a case of docs/http-api.md"
    return pytest.param(*values, id=name, marks=pytest.mark.case(case[0]))
