"""Finds what an application does when it is imported and its pages are requested: runs it with every write refused."""

import json
import os
import signal
import subprocess
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from check_app.files import BINARY_LIMIT
from check_app.finding import Finding
from sandbox import ends_with_parent
from sandbox.errors import SandboxError
from sandbox.runner.images import ImageStore
from sandbox.runner.venvs import process_environment

SECONDS = 60.0
"""How long the import and all pages together may take."""

IMPORT_SECONDS = 10.0
"""How long Lambda waits for the import. Source: "Lambda quotas" and "Init phase", Lambda Developer Guide."""

_SHOWN_LINES = 10  # of what an application prints before its import fails

_VISIT = Path(__file__).parent / "visit.py"


def visit(
    images: ImageStore, *, app_dir: str, flask_app: str, architecture: str, environment: Mapping[str, str]
) -> dict[str, Any]:
    """Lay the image out, run `visit.py` in it, and return the report.

    Raises:
        SandboxError: the requirements can't be installed, or the application ends the program.
    """
    platform = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}[architecture]
    arguments = {"APP_DIR": app_dir, "FLASK_APP": flask_app, "CHECK_IMPORT": "0"}
    built = images.build(context=Path.cwd(), dockerfile=Path("infra/Dockerfile"), args=arguments, platform=platform)
    image = images.find(built.digest)
    if image is None:
        raise SandboxError(f"The image of {app_dir} was removed just after it was laid out: run the check again.")
    return report_of(
        images.python(image),
        runtime=image.runtime,
        task=image.task,
        app_dir=app_dir,
        flask_app=flask_app,
        environment=environment,
    )


def report_of(
    python: Path, *, runtime: Path, task: Path, app_dir: str, flask_app: str, environment: Mapping[str, str]
) -> dict[str, Any]:
    """Run `visit.py` by the Python that has the application's packages, and return its report.

    Raises:
        SandboxError: the application ends the program, or doesn't end.
    """
    read, write = os.pipe()
    paths = {"PYTHONPATH": f"{runtime}:{task}", "PYTHONDONTWRITEBYTECODE": "1"}
    paths |= {"FLASK_APP": flask_app, "APP_DIR": app_dir}
    with os.fdopen(read, "rb") as report:
        process = subprocess.Popen(
            ends_with_parent.alone([str(python), "-P", str(_VISIT), str(write), str(SECONDS)], signal.SIGKILL),
            cwd=task,
            env={**environment, **process_environment(python), **paths},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[write],
        )
        os.close(write)
        try:
            said, _ = process.communicate(timeout=SECONDS + 30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise SandboxError(
                f"Importing {flask_app} and getting its pages takes more than {SECONDS + 30:.0f} s, since it waits "
                "for something that a check doesn't have: add --code-only to only read its code."
            ) from None
        text = report.read()
    if not text:
        last = (said.decode(errors="replace").strip().splitlines() or ["it printed nothing"])[-1]
        raise SandboxError(f"{flask_app} ends Python while it is imported or answers a request: {last}")
    found: dict[str, Any] = json.loads(text)
    return {**found, "printed": said.decode(errors="replace").strip().splitlines()}


def findings(
    report: Mapping[str, Any], app_dir: str, flask_app: str, known: Collection[tuple[str, int]] = ()
) -> Iterator[Finding]:
    """The findings of a report: what is different on Lambda. Writes of the lines in `known` are left out."""
    said = set(known)
    module = _file(app_dir, report["module"]) if report["module"] else app_dir
    for write in report["seen"]:
        file = _file(app_dir, write["file"]) if write["file"] else module
        if (file, write["line"]) in said:
            continue
        said.add((file, write["line"]))
        yield Finding(
            file=file,
            line=write["line"],
            what=f"writes {_shown(write['path'])} when it runs: Lambda's disk is read-only except for /tmp",
            instead="Keep it in S3 or a database; write to /tmp only what can be made again.",
        )
    error = report["error"]
    if error is not None:
        printed = report["printed"][-_SHOWN_LINES:]
        yield _failed_import(error, printed, _file(app_dir, error["file"]) if error["file"] else module, flask_app)
    elif report["import_seconds"] > IMPORT_SECONDS / 2:
        yield Finding(
            file=module,
            line=1,
            what=f"takes {report['import_seconds']:.1f} s to import here: Lambda allows {IMPORT_SECONDS:.0f} s",
            instead="Import what is slow in the function that needs it, or set a larger memorySize.",
        )
    for page in report["pages"]:
        yield from _page(page, _file(app_dir, page["file"]) if page["file"] else module)


def _failed_import(error: Mapping[str, Any], printed: list[str], file: str, flask_app: str) -> Finding:
    """The sentence of the build's own import check, or what of this check's rules the import met."""
    last = error["shown"].strip().rpartition("\n")[2]
    if error["refused"] == "disk":
        what = f"{flask_app} can't be imported on a read-only disk: {last}"
        return Finding(file=file, line=error["line"], what=what, instead=_LATER.format("disk"), stops=True)
    if error["refused"] == "network":
        what = f"{flask_app} connects while it is imported, which neither this check nor a build can: {last}"
        remedy = f"{_LATER.format('network')} Or set checkImport=false, and the build doesn't import it."
        return Finding(file=file, line=error["line"], what=what, instead=remedy)
    above = "\n".join([*printed, *error["shown"].splitlines()])
    return Finding(file=file, line=error["line"], what=error["sentence"], above=above, stops=True)


_LATER = "Do what needs the {} when a request first asks for it."


def _page(page: Mapping[str, Any], file: str) -> Iterator[Finding]:
    if page["bytes"] > BINARY_LIMIT:
        size = f"{page['bytes'] / 1e6:.1f} MB or more"
        yield Finding(
            file=file,
            line=page["line"],
            what=f"GET {page['path']} answers {size}: a response has 6 MB at most, 4.5 MB if it is binary",
            instead="Send it page by page, or redirect to a presigned URL of S3.",
        )
    if page["streamed"]:
        yield Finding(
            file=file,
            line=page["line"],
            what=f"GET {page['path']} streams its answer: a response is sent when it is complete, 6 MB at most and"
            " within 29 s",
            instead="Send what is ready, page by page.",
        )
    if page["seconds"] > IMPORT_SECONDS:
        yield Finding(
            file=file,
            line=page["line"],
            what=f"GET {page['path']} takes {page['seconds']:.0f} s here: a request has 29 s at most",
            instead="Send the work to a queue, and let a page ask for the result.",
        )


def _file(app_dir: str, name: str) -> str:
    """The user's own file for a file of the image, where a folder that is a package is below its own name."""
    below = Path(app_dir) / name
    return str(below if below.exists() else Path(app_dir).parent / name)


def _shown(path: str) -> str:
    return Path(path).name or path
