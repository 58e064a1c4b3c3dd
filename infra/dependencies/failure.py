"""Why pip could not install an application's dependencies: which package, who asks for it, the way out."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from infra.dependencies import wheels
from infra.dependencies.declared import REQUIREMENTS, Plan
from infra.dependencies.requirements_file import lines, target

_NOT_FOUND = re.compile(r"ERROR: No matching distribution found for (\S+)")
_VERSIONS = re.compile(r"\(from versions: (.+)\)")
_NEEDED_BY = r"{0}\S* \(from ([\w.\-]+)[^()]*(?:\)|->)"
_OTHER_PYTHON = re.compile(r"Requires-Python ([^;\n]+)")
_NO_ANSWER = re.compile(r"NewConnectionError|ConnectTimeoutError|NameResolutionError|Retrying \(Retry")
_INVALID = re.compile(r"ERROR: Invalid requirement: ['\"](.+?)['\"](?=:| |$)")
_FROM_LINE = re.compile(r"\(from line (\d+) of (\S+)\)")
_CONFLICT = "The conflict is caused by:"
_OTHER_HASH = "THESE PACKAGES DO NOT MATCH THE HASHES"
_NO_HASH = re.compile(r"(In|are required in) --require-hashes mode")
_NO_GIT = "Cannot find command 'git'"


def explain(output: Sequence[str], plan: Plan, declared: Path, python: Path, base: str) -> str:
    """Returns the sentences for what pip printed; `declared` has the files of the plan.

    `base` is the base image of a build, or "" if this machine's own Python runs the function.
    """
    found = _Found(output, plan, declared)
    begin = f"The packages of {plan.name}/{plan.lock or plan.source} can't be installed"
    for reason in (_conflict, _invalid, _hashes, _git):
        if said := reason(found):
            return f"{begin}, {said}."
    failed = wheels.failed(output)
    if said := wheels.explain(output, python, base):
        for requirement in failed:
            said = said.replace(requirement, found.named(requirement), 1)
        return f"{begin}. {said}"
    because = f"{begin}, because of {' and '.join(map(found.named, failed))}"
    if said := _not_found(found, base):
        return f"{because}: {said}."
    return (
        f"{because if failed else begin}; pip says why above. Correct that file, or check that a package index can be"
        " reached."
    )


class _Found:
    """What pip printed about a plan, and where the plan's packages are asked for."""

    def __init__(self, output: Sequence[str], plan: Plan, declared: Path) -> None:
        self.output = output
        self.text = "\n".join(output)
        self._plan = plan
        self._declared = declared

    def named(self, requirement: str) -> str:
        """Returns a requirement with the line of the user's file that asks for it, if that is known."""
        place = self.line_of(requirement)
        parent = re.search(_NEEDED_BY.format(re.escape(_name(requirement))), self.text, re.IGNORECASE)
        if not place and parent and parent[1] != "versions":
            above = self.line_of(parent[1])
            place = f"which {parent[1]} needs{f', {above}' if above else ''}"
        return f"{requirement} ({place})" if place else requirement

    def line_of(self, requirement: str) -> str:
        """Returns the place of the first line that asks for a package, "" if no file does."""
        for file, number, text in self._lines() if self._plan.source == REQUIREMENTS else ():
            if _name(text) == _name(requirement):
                return self.place(file, number)
        return ""

    def place(self, file: str, number: int | str) -> str:
        """Returns a line of a requirements file as its owner calls it."""
        return f"line {number}" if file == REQUIREMENTS else f"{self._plan.name}/{file}, line {number}"

    def _lines(self) -> Iterator[tuple[str, int, str]]:
        waiting, seen = [self._declared / REQUIREMENTS], set[Path]()
        while waiting:
            file = waiting.pop(0)
            if file in seen:
                continue
            seen.add(file)
            for line in lines(file.read_text()):
                found = target(line, file=file, folder=self._declared, name=self._plan.name)
                if found is not None and found.kind == "file":
                    waiting.append(found.path)
                yield str(file.relative_to(self._declared)), line.first, line.text


def _conflict(found: _Found) -> str:
    if _CONFLICT not in found.output:
        return ""
    causes = []
    for line in found.output[found.output.index(_CONFLICT) + 1 :]:
        if not line.strip():
            break
        asked = line.strip().removeprefix("The user requested ")
        causes.append(line.strip() if asked == line.strip() else f"{found.named(asked)} is asked for")
    return f"because of versions that exclude each other: {', and '.join(causes)}; change one of them"


def _invalid(found: _Found) -> str:
    invalid, where = _INVALID.search(found.text), _FROM_LINE.search(found.text)
    if invalid is None:
        return ""
    place = f" ({found.place(where[2], where[1])})" if where else ""
    return f"because '{invalid[1]}'{place} is not a valid requirement: write it as name==version"


def _hashes(found: _Found) -> str:
    for number, line in enumerate(found.output[:-1]):
        package = found.named(found.output[number + 1].split()[0]) if found.output[number + 1].split() else "a package"
        if _OTHER_HASH in line:
            return f"because of {package}: its file in the package index has another hash; lock again, with that one"
        if _NO_HASH.search(line):
            return f"because of {package}: if one requirement has a hash, all need == and a hash; lock again, with all"
    return ""


def _git(found: _Found) -> str:
    if _NO_GIT not in found.text:
        return ""
    return "because one comes from git, which is not there: name it by the address of an archive (.zip, .tar.gz)"


def _not_found(found: _Found, base: str) -> str:
    if not _NOT_FOUND.search(found.text):
        return ""
    versions, others = _VERSIONS.findall(found.text), _OTHER_PYTHON.findall(found.text)
    if versions and versions[-1] != "none":
        newest = versions[-1].split(", ")[-1]
        return f"the package index has no such version for this Python; choose one that it has, such as {newest}"
    if _NO_ANSWER.search(found.text):
        return "the package index does not answer; check that it can be reached, and start again"
    if others:
        way = "set baseImage to such a Python" if base else "run the sandbox on such a Python (make PYTHON=...)"
        return f"all its versions need Python {others[-1].strip()}; {way}, or take another package"
    return "the package index has no package of that name; correct the name, or check that the right index is reached"


def _name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.\-]", requirement)[0]).lower()
