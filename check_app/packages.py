"""Whether the build can install what an application declares: its own installer is asked, and installs nothing."""

import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from check_app.finding import Finding
from infra.dependencies import declared, dry_run
from infra.dependencies.errors import DependencyError

_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}


def findings(
    folder: Path, *, python: str, architecture: str, base: str, environ: Mapping[str, str]
) -> Iterator[Finding]:
    """What of the packages stops the build on a base with that Python, such as `3.15`.

    `environ` are the variables that pip needs to reach the package index.
    """
    with tempfile.TemporaryDirectory() as scratch:
        target = dry_run.Target(python=python, machine=_MACHINES[architecture], base=base)
        try:
            plan = declared.copy(folder, str(folder), Path(scratch))
            lack = dry_run.lacking(folder, Path(scratch), target, environ)
        except DependencyError as error:
            yield _sentence(str(error), folder)
            return
        if lack is None:
            return
        if not lack.package:
            what = f"pip can't tell whether its packages can be installed on Python {python}: {lack.why}"
            yield Finding(file=str(folder / plan.source), what=what, instead=lack.remedy)
            return
        by = f", which {lack.wanted_by} requires," if lack.wanted_by else ""
        file, line = _line_of([lack.package, lack.wanted_by], folder, plan, Path(scratch))
        yield Finding(file=file, line=line, what=f"{lack.package}{by} has {lack.why}", instead=lack.remedy, stops=True)


def _line_of(requirements: list[str], folder: Path, plan: declared.Plan, copied: Path) -> tuple[str, int]:
    """The file and the line that name the first of these packages which any names, by their own file or another's."""
    others = sorted(str(path.relative_to(copied)) for path in copied.rglob("*.txt"))
    for requirement in filter(None, requirements):
        name = re.sub(r"[-_.]+", "[-_.]+", re.split(r"[^\w.\-]", requirement)[0])
        named = re.compile(rf"""(?:^|["'\s]){name}(?![\w.\-]*[\w])""", re.IGNORECASE)
        for file in dict.fromkeys([plan.source, *others, plan.lock]):
            if file and (folder / file).is_file():
                for number, text in enumerate((folder / file).read_text(errors="replace").splitlines(), 1):
                    if named.search(text.partition(" #")[0]):
                        return str(folder / file), number
    return str(folder / plan.source), 0


def _sentence(text: str, folder: Path) -> Finding:
    """The installer's own sentence, at the file and line that it begins with, where it names them."""
    place = re.match(rf"({re.escape(str(folder))}/[^,\s]+)(?:, line (\d+))?", text)
    file, line = (place[1], int(place[2] or 0)) if place else (str(folder), 0)
    return Finding(file=file, line=line, what=text, stops=True)
