"""`python -m check_app`: reads an application, runs its pages read-only, and says what Lambda does differently."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from check_app import files, packages, pages, rules
from check_app.finding import Finding
from check_app.source import Source, sources
from sandbox import settings, state_folder, variables
from sandbox.assignments import parse_assignments
from sandbox.errors import SandboxError
from sandbox.runner.base_python import base_image, base_python
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
    found: list[Finding] = []
    failure = ""
    try:
        values = _values(asked)
        if not asked.code_only:
            _check_as_a_deployment_does(values)
        for finding in _findings(values, code_only=asked.code_only, state=Path.cwd() / asked.state):
            found.append(finding)  # what was found before an error is said as well
    except SandboxError as error:
        failure = str(error)
    found = sorted(set(found))
    for finding in found:
        print(finding)
    stopping = sum(finding.stops for finding in found)
    if failure:
        print(f"check-app: {failure}", file=sys.stderr)
        return STOPS if stopping else USAGE
    folder = values["appDir"]
    if stopping:
        print(f"{folder} can't work on Lambda as it is: {stopping} error(s), {len(found) - stopping} warning(s).")
    elif found:
        print(f"{folder} works on Lambda, except for what is listed above: {len(found)} warning(s).")
    else:
        print(f"{folder}: nothing found that Lambda does differently.")
    return STOPS if stopping else OK


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


def _check_as_a_deployment_does(values: Mapping[str, Any]) -> None:
    """Refuse what a deployment refuses before it builds anything, in its own words."""
    from infra.container_image import ImageSettings  # Pulumi's SDK takes a second to import
    from infra.rules import ConfigError

    try:
        ImageSettings(app_dir=values["appDir"], flask_app=values["flaskApp"], base_image=values["baseImage"])
    except ConfigError as error:
        raise SandboxError(str(error)) from None


def _findings(values: Mapping[str, Any], *, code_only: bool, state: Path) -> Iterator[Finding]:
    folder = Path(values["appDir"])
    read = [each for source in sources(folder) if isinstance(source, Source) for each in rules.findings(source)]
    yield from read
    yield from files.findings(folder)
    if code_only:
        return
    build = (_DOCKERFILE.read_bytes(), {"BASE_IMAGE": values["baseImage"]})
    python = base_python(*build)
    missing: list[Finding] = []
    if python:
        print(f"Asking whether its packages can be installed on Python {python} ...", file=sys.stderr)
        asked = packages.findings(
            folder,
            python=python,
            architecture=values["architecture"],
            base=base_image(*build),
            environ=variables.downloading(),
        )
        missing = list(asked)
        yield from missing
    state_folder.claim(state)
    images = ImageStore(state, None, progress=lambda line: print(line, file=sys.stderr))
    environment = {name: str(value) for name, value in values["environment"].items()}
    try:
        report = pages.visit(
            images,
            app_dir=values["appDir"],
            flask_app=values["flaskApp"],
            architecture=values["architecture"],
            environment=environment,
        )
    except SandboxError:
        if any(finding.stops for finding in missing):
            return  # what can't be installed for the build often can't be here, and is said already
        raise
    known = {(finding.file, finding.line) for finding in read}
    yield from pages.findings(report, values["appDir"], values["flaskApp"], known)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
