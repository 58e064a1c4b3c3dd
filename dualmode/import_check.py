"""`python -m dualmode.import_check`: imports the application once, as a cold start does; an image's build runs it."""

import errno
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from dualmode import application, kinds, lazy_imports

ENVIRONMENT = "CHECK_ENVIRONMENT"
"""The function's variables for the check alone, a JSON object."""

MARK = "dualmode: "
"""Begins the line that says, to the application's owner, what is wrong."""


OF_LAMBDA = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
"""Any region: Lambda always sets one, and boto3 makes no client without it."""


def main() -> int:
    """Returns the exit status; prints what is wrong, after a traceback of the application's own code."""
    _take_environment()
    import_string = application.import_string()
    lazy_imports.install()
    try:
        app = application.load(import_string)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever their code raises
        if not isinstance(error, application.ApplicationError):
            print(shown(error), end="", file=sys.stderr)  # noqa: T201 - a command
        print(f"{MARK}{sentence(error, import_string)}", file=sys.stderr)  # noqa: T201
        return 1
    if not kinds.is_wsgi(app):
        import dualmode.asgi  # noqa: F401 - what would run it is a part of the start
    return 0


def sentence(error: BaseException, import_string: str) -> str:
    """Returns what is wrong with an application whose import raised `error`, and what to do about it."""
    if isinstance(error, application.ApplicationError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        return f"Importing {import_string} fails: there is no module {error.name}. {_where_modules_come_from()}"
    if isinstance(error, SyntaxError):
        return f"Importing {import_string} fails: {error.msg}, in {_place(error)}. Fix it."
    if isinstance(error, SystemExit):
        return f"Importing {import_string} ends Python, as shown above: an application may do that only when it runs."
    if written := _refused_write(error):
        return (
            f"Importing {import_string} writes {written}, as shown above, but Lambda's disk is read-only except for"
            ' /tmp: write only temporary files there, as with Flask(__name__, instance_path="/tmp/instance"), and'
            " keep the rest in S3 or a database."
        )
    return (
        f"Importing {import_string} fails with {type(error).__name__}, as shown above. Fix it, or set a variable"
        " that it needs in the setting environment, which this import sees. Set checkImport=false to leave this"
        " check out if the application needs a database or a network to be imported."
    )


def shown(error: BaseException) -> str:
    """Returns a traceback from the application's first frame on: our own frames explain nothing."""
    import traceback

    trace = error.__traceback__
    while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace))


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment variables for the import: those of the process and those of the check."""
    given: dict[str, str] = json.loads(environ.get(ENVIRONMENT) or "{}")
    path = [environ.get("PYTHONPATH", ""), given.get("PYTHONPATH", "")]  # as the entrypoint joins them
    kept = {name: value for name, value in environ.items() if name != ENVIRONMENT}
    return {**OF_LAMBDA, **kept, **given, "PYTHONPATH": ":".join(filter(None, path))}


def _take_environment() -> None:
    """Restarts Python with the variables of the check, since some are only read when Python starts."""
    if os.environ.get(ENVIRONMENT):
        command = [sys.executable, "-P", "-m", "dualmode.import_check"]
        os.execve(sys.executable, command, variables(os.environ))  # noqa: S606


def _where_modules_come_from() -> str:
    name = os.environ.get("APP_DIR", "the application's folder")
    here = Path.cwd()
    for file in ("requirements.txt", "pyproject.toml", "setup.py"):
        # A folder that is a package itself lies in another one.
        if (here / file).exists() or (here / Path(name).name / file).exists():
            return f"The packages of {name} are read from {name}/{file} only: add the package with the module there."
    return (
        f"The packages of {name} are read from {name}/requirements.txt, or else from {name}/pyproject.toml with its"
        " uv.lock or poetry.lock, or else from setup.py, but none of these exists: add one that names the package."
    )


def _place(error: SyntaxError) -> str:
    """Returns the file, as seen from the folder of the application, and the line."""
    file = os.path.relpath(error.filename) if error.filename else "the code"
    return f"{file}, line {error.lineno}" if error.lineno else file


def _refused_write(error: BaseException) -> str:
    """Returns what could not be written, as on Lambda, if that is why an import failed, else ""."""
    if isinstance(error, OSError) and error.filename is not None:
        file = os.path.realpath(os.fsdecode(error.filename))
        # Other files may not be readable; the image makes all of the application's readable.
        if error.errno == errno.EROFS or (error.errno == errno.EACCES and file.startswith(f"{Path.cwd().resolve()}/")):
            return os.fsdecode(error.filename)
    refused = "unable to open database file", "attempt to write a readonly database"
    return "a SQLite database" if any(text in str(error) for text in refused) else ""


def _is_ours(file: str) -> bool:
    return file.startswith("<frozen") or Path(file).parent == Path(__file__).parent


if __name__ == "__main__":
    sys.exit(main())
