"""The image's packages, in an environment of this machine: what the Dockerfile installs, by the sandbox's own steps."""

import subprocess
import tempfile
from pathlib import Path

from sandbox import settings
from sandbox.runner.images import ImageStore

_ARGUMENTS = {"APP_DIR": "appDir", "FLASK_APP": "flaskApp"}


def python_of(project: Path, stack: str) -> Path:
    """Return the Python of an environment with what the image of a stack has; made the first time.

    Its versions are the image's. Which wheel of a package it has depends on this machine's Python.

    Raises:
        SandboxError: a package can't be installed, or the application doesn't declare what it needs.
    """
    declared = settings.load_project(project)
    values = settings.load(declared, stack).values
    arguments = {name: values[declared.full_key(key)] for name, key in _ARGUMENTS.items()}
    with tempfile.TemporaryDirectory() as state:
        store = ImageStore(Path(state), None, venvs=project / ".sandbox" / "venvs", progress=_told)
        built = store.build(
            context=project,
            dockerfile=project / "infra" / "Dockerfile",
            args={**arguments, "CHECK_IMPORT": "0"},
            platform="linux/amd64",
        )
        image = store.find(built.digest)
        assert image is not None  # noqa: S101  it was just built
        return store.python(image)


def site_packages(python: Path) -> Path:
    """Return the folder with an environment's packages."""
    command = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


def _told(line: str) -> None:
    """Tell what takes long."""
    if line.startswith("Installing"):
        print(line, flush=True)
