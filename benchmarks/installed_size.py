"""Counts what each contender adds to a base image; the worker runs it as a script, in the environment under test."""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import cache_from_source
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def closure(names: list[str]) -> dict[str, Distribution]:
    """Returns the named distributions and what they require without extras, by name, where installed."""
    found: dict[str, Distribution] = {}
    wanted = list(names)
    while wanted:
        name = wanted.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # a requirement of another platform or Python
            continue
        for requirement in found[name].requires or []:
            match = _NAME.match(requirement)
            if match and "extra ==" not in requirement:
                wanted.append(match[0])
    return found


def bytes_of(installed: Distribution) -> int:
    """Returns the size of a distribution's files and of their compiled form."""
    return sum(file_size(Path(str(installed.locate_file(file)))) for file in installed.files or [])


def file_size(path: Path) -> int:
    """Returns a file's bytes with those of its compiled form."""
    compiled = Path(cache_from_source(str(path))) if path.suffix == ".py" else None
    return sum(each.stat().st_size for each in (path, compiled) if each is not None and each.is_file())


if __name__ == "__main__":
    sizes = {
        contender: sum(map(bytes_of, closure(names).values())) for contender, names in json.loads(sys.argv[1]).items()
    }
    print(json.dumps(sizes))
