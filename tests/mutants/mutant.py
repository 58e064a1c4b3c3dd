"""A mutant: one mistake that a person could make, as a replacement in one file of the real source."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).with_name("mutants.toml")


class StaleError(Exception):
    """The list of mutants no longer fits the source; the message says which one, and why."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """What is replaced, and the tests that must notice it."""

    mistake: str
    file: str
    """Path of the file in the repository."""
    old: str
    new: str
    tests: tuple[str, ...]
    """Paths of test files, or of single tests as pytest names them."""
    survives: str = ""
    """Why no test can notice it; empty if one must."""

    def applied(self, text: str) -> str:
        """Returns the file's text with the mistake in it.

        Raises:
            StaleError: the text doesn't have the place, or has it more than once.
        """
        found = text.count(self.old)
        if found != 1:
            raise StaleError(
                f"{self.file} has the old text of the mutant {self.mistake!r} {found} times, but it must be there "
                f"once: correct it in {LIST.name}."
            )
        return text.replace(self.old, self.new)


def read(path: Path = LIST) -> list[Mutant]:
    """Returns the mutants of a list, in its order."""
    entries = tomllib.loads(path.read_text())["mutant"]
    return [Mutant(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]
