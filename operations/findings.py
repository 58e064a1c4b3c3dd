"""What a check of `doctor` found."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["good", "note", "wrong", "unknown"]
"""`wrong` must be fixed before a deployment can work; `note` should be known; `unknown` could not be checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was checked, what is there, and what to do about it, if anything."""

    subject: str
    level: Level
    found: str
    remedy: str = ""
