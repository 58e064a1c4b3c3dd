"""Licences: every package in the image and in the toolchain must have one that `licences.toml` accepts."""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from audit.image_environment import python_of, site_packages
from audit.locks import TOOLCHAIN, normal, pinned, present
from audit.tools import ENVIRONMENTS

TABLE = Path(__file__).with_name("licences.toml")
_CLASSIFIER = "License :: "
_EXPRESSION = re.compile(r"[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*")
_WORD = re.compile(r"(?!(?:AND|OR|WITH)\b)\b[A-Za-z0-9.+-]+")


@dataclass(frozen=True, slots=True)
class Table:
    """What is accepted. `names` says which licence of SPDX another name means; `packages` decides for single ones."""

    accepted: Mapping[str, str]
    names: Mapping[str, str]
    packages: Mapping[str, str]


def read_table() -> Table:
    """Return the table of this repository."""
    content = tomllib.loads(TABLE.read_text())
    return Table(content["accepted"], content["names"], content["packages"])


def check(project: Path, stack: str) -> list[str]:
    """Return a sentence for each package whose licence isn't accepted."""
    table = read_table()
    image = list(distributions(path=[str(site_packages(python_of(project, stack)))]))
    locked = {name for lock in present(project, TOOLCHAIN) for name in pinned(lock)}
    toolchain = [found for found in distributions(path=sys.path) if normal(found.name) in locked]
    places = {"the image": image, "the toolchain": toolchain}
    for environment in ENVIRONMENTS:
        python = project / environment / "bin" / "python"
        if python.exists():
            places[str(environment)] = list(distributions(path=[str(site_packages(python))]))
    print(", ".join(f"{len(packages)} packages in {place}" for place, packages in places.items()))
    return [finding for place, packages in places.items() for finding in refused(packages, place, table)]


def refused(packages: Iterable[Distribution], place: str, table: Table) -> Iterator[str]:
    """Yield a sentence for each package whose licence isn't accepted."""
    for package in sorted(packages, key=lambda found: normal(found.name)):
        name = normal(package.name)
        said = [table.packages[name]] if name in table.packages else licences_of(package)
        wrong = [licence for text in said for licence in identifiers(text, table) if licence not in table.accepted]
        if wrong or not said:
            says = f"is under {', '.join(wrong)}" if said else "says no licence"
            yield (
                f"{name} {package.version} in {place} {says}, which audit/{TABLE.name} doesn't accept: use another "
                "package, or add it there with the reason."
            )


def licences_of(package: Distribution) -> Sequence[str]:
    """Return what a package says of its licence: an expression of SPDX, or classifiers, or a text of its own."""
    metadata = package.metadata
    expression = metadata.get_all("License-Expression")
    if expression:
        return expression
    classified = [text for text in metadata.get_all("Classifier") or [] if text.startswith(_CLASSIFIER)]
    named = [text.rpartition(" :: ")[2] for text in classified]
    return named or [text.strip() for text in metadata.get_all("License") or [] if text.strip()]


def identifiers(text: str, table: Table) -> list[str]:
    """Return the licences in an expression of SPDX; each must be accepted, also where one of them could be chosen."""
    if text in table.names:
        return [table.names[text]]
    expression = text.replace("(", "").replace(")", "")
    # Else it is the text of a licence, or a name that the table doesn't have.
    return _WORD.findall(expression) if _EXPRESSION.fullmatch(expression) else [text.partition("\n")[0][:60]]
