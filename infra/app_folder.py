"""The folder of the application that an image is built from: the sample's, or one that a build can copy."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import pulumi  # noqa: TC002  as in every component's file

from infra.rules import refuse

SAMPLE_DIR, SAMPLE = "scripts", "scripts.server:app"
"""Where the sample application is."""

_HOUSES = "audit benchmarks check_app deployer docs infra operations sandbox scaffold tests walk"
LEFT_OUT = frozenset(_HOUSES.split())
"""Folders of this repository that `.dockerignore` keeps out of every image."""


def in_sample_folder(flask_app: pulumi.Input[str]) -> bool:
    """Says whether an application may be in the sample's folder, which is a package: its name must begin with that."""
    return not isinstance(flask_app, str) or re.match(rf"(?:\./)?{SAMPLE_DIR}\b", flask_app) is not None


def check_folder(app_dir: str) -> None:
    """Refuses a folder from which a build can't copy an application.

    Raises:
        ConfigError: it isn't in this repository, or `.dockerignore` leaves it out.
    """
    path = PurePosixPath(app_dir)
    if path.is_absolute() or ".." in path.parts:
        refuse(
            "appDir",
            app_dir,
            "a container build sees only this repository",
            "move the application into a folder of this repository, and set that folder",
        )
    if not path.parts or path.parts[0] in LEFT_OUT or "." in path.parts[0]:
        refuse(
            "appDir",
            app_dir,
            "a container build leaves that folder out (.dockerignore)",
            "move the application into a folder of its own, without a dot in its name",
        )
    link = next((parent for parent in (path, *path.parents) if Path(parent).is_symlink()), None)
    if link is not None:
        refuse(
            "appDir",
            app_dir,
            f"{str(link)!r} is a symbolic link, and a container build copies the link, not what it points to",
            "copy the application into a folder of this repository, and set that folder",
        )
    if not Path(path).is_dir():
        refuse("appDir", app_dir, "that folder doesn't exist in this repository", "set the folder of your application")
