"""The list of the image's packages (SBOM), as CycloneDX has it, for whoever has to know what runs."""

import json
import subprocess
from pathlib import Path

from audit.errors import AuditError
from audit.image_environment import python_of
from audit.tools import command, last_words

FILE = "sbom.json"
"""Where it is written, in the project's folder; git ignores it."""


def check(project: Path, stack: str) -> list[str]:
    """Write the list of a stack's image.

    Raises:
        AuditError: the tool failed.
    """
    python = python_of(project, stack)
    file = project / FILE
    options = ["--output-reproducible", "--output-format", "JSON", "--output-file", str(file)]
    tool = command(project, "cyclonedx-py")
    made = subprocess.run(
        [*tool, "environment", *options, str(python)], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if made.returncode != 0:
        raise AuditError(f"The list of the image's packages can't be made: cyclonedx-py says {last_words(made)!r}.")
    count = len(json.loads(file.read_text())["components"])
    print(f"{FILE} lists the {count} Python packages of the image; those of its base image are not in it")
    return []
