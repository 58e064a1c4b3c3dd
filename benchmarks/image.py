"""How our image starts on Lambda, read from its Dockerfile: its command and its variables, on a stage's folders."""

from __future__ import annotations

import json
import re
import shlex

from benchmarks.stage import REPOSITORY, Stage

_DOCKERFILE = (REPOSITORY / "infra" / "Dockerfile").read_text().replace("\\\n", "")


def entrypoint(stage: Stage) -> list[str]:
    """Returns the image's command."""
    (words,) = re.findall(r"^ENTRYPOINT (.*)$", _DOCKERFILE, re.MULTILINE)
    return [_on(stage, word) for word in json.loads(words)]


def variables(stage: Stage, path: str = "") -> dict[str, str]:
    """Returns the image's variables that no other contender has; `path` is added to its PYTHONPATH."""
    (declared,) = re.findall(r"^ENV (PATH=.*)$", _DOCKERFILE, re.MULTILINE)
    told = dict(word.split("=", 1) for word in shlex.split(declared))
    found = {name: _on(stage, told[name]) for name in ("PYTHONPATH", "GLIBC_TUNABLES")}
    return {**found, "PYTHONPATH": ":".join(filter(None, (found["PYTHONPATH"], path)))}


def _on(stage: Stage, text: str) -> str:
    for ours, theirs in (("/opt/dualmode", stage.root), ("/opt/venv", stage.venv), ("/var/task", stage.task)):
        text = text.replace(ours, str(theirs))
    return text
