"""`make new` and `make upgrade`.

`new` ends with status 0 if the repository is complete and its application answers, with 1 if the repository is complete
but was not tried, or its trial failed, and with 2 if nothing was written. `make` itself turns all but 0 into 2.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from scaffold.errors import ScaffoldError
from scaffold.first_run import answers
from scaffold.new import lay_out
from scaffold.upgrade import LOCAL, upgrade

OK, FAILED, USAGE = 0, 1, 2


def main(arguments: Sequence[str]) -> int:
    """Run one of the two commands in the folder of this repository and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scaffold", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    new = commands.add_parser("new", help="make a repository for an application")
    new.add_argument("--dir", required=True, type=Path, help="the new repository's folder")
    new.add_argument("--app", required=True, type=Path, help="the application's folder, which isn't changed")
    new.add_argument(
        "--flask-app",
        help="where the application is in that folder, as in FLASK_APP; by default it is found in the code",
    )
    new.add_argument("--no-run", action="store_true", help="don't run the new repository in the sandbox")
    older = commands.add_parser("upgrade", help="install a newer dualmode's tooling in this repository")
    older.add_argument("--from", dest="source", required=True, type=Path, help="a checkout of the newer dualmode")
    taking = commands.add_parser("take", help="what upgrade runs in the newer dualmode")
    taking.add_argument("--into", required=True, type=Path, help="the repository that takes this one's tooling")
    for one in (older, taking):
        one.add_argument(
            "--replace", action="store_true", help=f"replace edited files, too: FILE{LOCAL} keeps the edits"
        )
    asked = parser.parse_args(arguments)
    run = {"new": _new, "upgrade": _upgrade, "take": _take}[asked.command]
    try:
        return run(asked)
    except ScaffoldError as error:
        print(f"dualmode: {error}", file=sys.stderr)
        return USAGE


def _new(asked: argparse.Namespace) -> int:
    made = lay_out(Path.cwd(), asked.dir.expanduser(), asked.app.expanduser(), asked.flask_app or None)
    state = f" as {made.flask_app}" if made.flask_app else ", once flaskApp is set"
    print(f"{made.folder} deploys {made.app_dir}/{state}.")
    for sentence in made.said:
        print(f"  {sentence}")
    git = shutil.which("git")
    if git is not None:
        subprocess.run([git, "-C", str(made.folder), "init", "--quiet"], check=False)
    if made.flask_app is None:
        print(
            f"dualmode: {made.folder} is complete, but was not tried: set flaskApp in its Pulumi.dev.yaml, and try it "
            "there with ./sandbox.sh --request 'GET /'.",
            file=sys.stderr,
        )
        return FAILED
    if asked.no_run:
        return OK
    print("Running it in the sandbox once: ./sandbox.sh --request 'GET /'", flush=True)
    if answers(made.folder):
        return OK
    print(
        f"dualmode: {made.folder} is complete, only its trial failed: correct what is said above, and try again there "
        "with ./sandbox.sh --request 'GET /'.",
        file=sys.stderr,
    )
    return FAILED


def _upgrade(asked: argparse.Namespace) -> int:
    """Let the newer dualmode do it: it knows which files are its tooling."""
    source = asked.source.expanduser().resolve()
    if not (source / "scaffold" / "__main__.py").is_file():
        raise ScaffoldError(
            f"FROM is '{asked.source}', but that is not a checkout of dualmode: set FROM to the folder of one."
        )
    command = [sys.executable, "-m", "scaffold", "take", "--into", str(Path.cwd()), *(["--replace"] * asked.replace)]
    return subprocess.run(command, cwd=source, check=False).returncode


def _take(asked: argparse.Namespace) -> int:
    done = upgrade(asked.into, Path.cwd(), replace=asked.replace)
    for title, paths in (("added", done.added), ("changed", done.changed), ("removed", done.removed)):
        for path in paths:
            print(f"{title:8} {path}")
    for path in done.set_aside:
        print(f"yours    {path}{LOCAL}")
    for path in done.kept:
        print(f"kept     {path} (edited here, unchanged in the newer dualmode)")
    if not (done.added or done.changed or done.removed):
        print("Nothing to do: the tooling is the same in the other folder.")
    return OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
