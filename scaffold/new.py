"""Lays out a deployment repository: the tooling, an application beside it, and its settings."""

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from scaffold import application, tooling
from scaffold.errors import ScaffoldError

_BASE = re.compile(r"^ARG BASE_IMAGE=(\S*python:)3\.(\d+)(\S*)", re.MULTILINE)


@dataclass(slots=True)
class LaidOut:
    """What was laid out, and what the user must know or decide."""

    folder: Path
    app_dir: str
    flask_app: str | None
    said: list[str] = field(default_factory=list)


def lay_out(source: Path, target: Path, app: Path, flask_app: str | None) -> LaidOut:
    """Make a deployment repository in `target` for the application in `app`, which isn't changed.

    Raises:
        ScaffoldError: there is no application, or the target isn't empty; nothing is written then.
    """
    if not app.is_dir():
        raise ScaffoldError(
            f"APP is '{app}', but that folder doesn't exist: set APP to the folder of your application."
        )
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ScaffoldError(f"DIR is '{target}', but it already exists: set DIR to a new or an empty folder.")
    if target.resolve().is_relative_to(source.resolve()) or target.resolve().is_relative_to(app.resolve()):
        raise ScaffoldError(f"DIR is '{target}', but it is in another repository: set DIR to a folder outside of it.")
    name = _name_of(app.resolve().name)
    project = re.sub(r"[^A-Za-z0-9_-]", "-", target.resolve().name).strip("-_") or "deployment"
    files = application.files_of(app)
    if not any(file.endswith(".py") for file in files.taken) and not flask_app:
        raise ScaffoldError(f"APP is '{app}', but it has no Python file: set APP to the folder of your application.")
    made = LaidOut(target, name, flask_app)
    put = tooling.read_tooling(source, project)
    for path, file in put.items():
        tooling.put(target, path, file)
    tooling.write_manifest(target, {path: file.digest for path, file in put.items()})
    for path in files.taken:
        copy = target / name / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(app / path, copy)
        shutil.copymode(app / path, copy)
    _decide(made, app, files)
    _write_settings(made, project, _base_image(made, app, source))
    (target / "README.md").write_text(_README.format(project=project, name=name))
    return made


def _decide(made: LaidOut, app: Path, files: application.Files) -> None:
    if made.flask_app is None:
        found = application.flask_apps(app, made.app_dir, files.taken)
        made.flask_app = found[0] if found else None
        if not found:
            made.said.append(
                "No application was found in the code: say where it is with `pulumi config set flaskApp`, or in "
                "Pulumi.dev.yaml, such as shop:app."
            )
        elif len(found) > 1:
            made.said.append(
                f"flaskApp is {found[0]}, and could also be {' or '.join(found[1:4])}: set it in Pulumi.dev.yaml."
            )
    if application.dependencies(app) is None:
        made.said.append(f"No file declares dependencies: add {made.app_dir}/requirements.txt if there are any.")
    if files.left_out:
        shown = ", ".join(files.left_out[:5])
        more = f" and {len(files.left_out) - 5} more" if len(files.left_out) > 5 else ""
        made.said.append(f"Not copied, because git doesn't track them, or they are links or secrets: {shown}{more}.")


def _base_image(made: LaidOut, app: Path, source: Path) -> str | None:
    asked = application.python(app)
    found = _BASE.search((source / "infra" / "Dockerfile").read_text())
    if asked is None or found is None or asked[1] >= int(found[2]) or asked[1] < 11:
        if asked is not None and asked[1] < 11:
            made.said.append(f"The application asks for Python 3.{asked[1]}, but 3.11 is the oldest that works here.")
        return None
    made.said.append(f"baseImage has Python 3.{asked[1]}, as the application asks.")
    return f"{found[1]}3.{asked[1]}{found[3]}"


def _write_settings(made: LaidOut, project: str, base_image: str | None) -> None:
    settings = {"appDir": made.app_dir, "flaskApp": made.flask_app, "baseImage": base_image}
    lines = [f"  {project}:{key}: {json.dumps(value)}" for key, value in settings.items() if value is not None]
    for stack in ("dev", "preview"):  # the second one's are those of pull requests
        file = made.folder / f"Pulumi.{stack}.yaml"
        file.write_text("\n".join(["config:", "  aws:region: us-east-1", *lines, ""]))


def _name_of(given: str) -> str:
    """The folder's name in the repository: without a dot (`.dockerignore`), and not one of the tooling's names."""
    name = given.replace(".", "_").strip("_") or "application"
    return f"{name}_app" if name in tooling.TAKEN | {"tests", "benchmarks"} else name


_README = """\
# {project}

Deploys `{name}/` to AWS Lambda. `./sandbox.sh` runs the whole deployment on this machine, `make check-app` says what
Lambda does differently, `pulumi up` deploys; `make upgrade FROM=folder` installs a newer dualmode. The rest is in
DUALMODE.md.
"""
