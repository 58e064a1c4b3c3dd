"""`python -m infra.dependencies`: finds the declared dependencies of an application, and installs them in two steps."""

import argparse
import sys
from pathlib import Path

from infra.dependencies import declared, install
from infra.dependencies.errors import DependencyError

MARK = "dualmode: "
"""Begins the line that says, to the application's owner, what is wrong."""


def main() -> int:
    """Runs one step and returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.dependencies")
    steps = parser.add_subparsers(dest="step", required=True)
    step = steps.add_parser(
        "declared", help="copy the files that declare the dependencies, and say how to install them"
    )
    step.add_argument("application", type=Path)
    step.add_argument("declared", type=Path)
    step.add_argument("name", help="the application's folder, as its owner calls it")
    step = steps.add_parser("install", help="install them, without the application's code")
    step.add_argument("declared", type=Path)
    step.add_argument("python", type=Path, help="the Python of the environment to install into")
    step.add_argument("--base", default="", help="the base image, where this is a build of one")
    step = steps.add_parser("install-project", help="install what they take from the application's own code")
    step.add_argument("application", type=Path)
    step.add_argument("declared", type=Path)
    step.add_argument("python", type=Path)
    step.add_argument("--base", default="")
    found = parser.parse_args()
    try:
        if found.step == "declared":
            declared.copy(found.application, found.name, found.declared)
        elif found.step == "install":
            install.install(found.declared, found.python, found.base)
        else:
            install.install_project(found.application, found.declared, found.python, found.base)
    except DependencyError as error:
        print(f"{MARK}{error}", flush=True)  # noqa: T201 - a command
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
