"""`python -m check_app`: reads an application, runs its pages read-only, and says what Lambda does differently."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from check_app import files, pages, rules, wheels
from check_app.finding import Finding
from check_app.source import Source, sources
from sandbox import settings, state_folder
from sandbox.assignments import parse_assignments
from sandbox.errors import SandboxError
from sandbox.runner.images import ImageStore

OK, STOPS, USAGE = 0, 1, 2
_DOCKERFILE = Path("infra/Dockerfile")


def main(arguments: Sequence[str]) -> int:
    """Run the command and return the exit status: 0 also with warnings, 1 if the application can't work as it is."""
    parser = argparse.ArgumentParser(prog="python -m check_app", description=__doc__, allow_abbrev=False)
    add = parser.add_argument
    add("--app", metavar="FOLDER", help="the application's folder, instead of the setting appDir")
    add("--flask-app", metavar="NAME", help="where the application is in that folder, instead of the setting flaskApp")
    add("--stack", default=settings.FIRST_STACK, help="the stack whose settings are used: Pulumi.STACK.yaml (dev)")
    add("--state", default=".sandbox", type=Path, help="a sandbox's folder, which keeps installed packages (.sandbox)")
    add("--code-only", action="store_true", help="only read the code: install and run nothing")
    asked = parser.parse_args(arguments)
    try:
        values = _values(asked)
        found = _once(_findings(values, code_only=asked.code_only, state=Path.cwd() / asked.state))
    except SandboxError as error:
        print(f"check-app: {error}", file=sys.stderr)
        return USAGE
    for finding in found:
        print(finding)
    stopping = sum(finding.stops for finding in found)
    folder = values["appDir"]
    if stopping:
        print(f"{folder} can't work on Lambda as it is: {stopping} error(s), {len(found) - stopping} warning(s).")
    elif found:
        print(f"{folder} works on Lambda, except for what is listed above: {len(found)} warning(s).")
    else:
        print(f"{folder}: nothing found that Lambda does differently.")
    return STOPS if stopping else OK


def _once(found: Iterable[Finding]) -> list[Finding]:
    """The findings in order, one warning for each line: reading the code and running it find the same things."""
    kept: dict[object, Finding] = {}
    for finding in found:
        place: object = (finding.file, finding.line) if finding.line and not finding.stops else finding
        kept.setdefault(place, finding)
    return sorted(kept.values())


def _values(asked: argparse.Namespace) -> dict[str, Any]:
    """The settings by their short keys, the command line's override the stack's."""
    project = settings.load_project(Path.cwd())
    given = [("appDir", asked.app), ("flaskApp", asked.flask_app)]
    chosen = parse_assignments(project, [f"{key}={value}" for key, value in given if value])
    loaded = settings.load(project, asked.stack, chosen)
    values = {
        project.short_key(key): yaml.safe_load(text) if text[:1] == "{" else text for key, text in loaded.values.items()
    }
    if not Path(values["appDir"]).is_dir():
        raise SandboxError(f"appDir is '{values['appDir']}', but that folder doesn't exist: set APP to one that does.")
    return values


def _findings(values: Mapping[str, Any], *, code_only: bool, state: Path) -> Iterator[Finding]:
    folder = Path(values["appDir"])
    for source in sources(folder):
        if isinstance(source, Source):
            yield from rules.findings(source)
    yield from files.findings(folder)
    if code_only:
        return
    requirements = folder / "requirements.txt"
    python = wheels.base_python(_DOCKERFILE, values["baseImage"])
    if python is not None and requirements.is_file():
        yield from wheels.findings(requirements, python, values["architecture"])
    state_folder.claim(state)
    images = ImageStore(state, None, progress=lambda line: print(line, file=sys.stderr))
    environment = {name: str(value) for name, value in values["environment"].items()}
    report = pages.visit(
        images,
        app_dir=values["appDir"],
        flask_app=values["flaskApp"],
        architecture=values["architecture"],
        environment=environment,
    )
    yield from pages.findings(report, values["appDir"], values["flaskApp"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
