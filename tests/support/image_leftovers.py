"""What the builds of a test run leave in the container engine: removed, but for what makes the next run fast."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from sandbox.runner import leftovers

KEPT = ("sample", "httpbin")
"""Names of the images that stay, with the layers that they were last built from."""

_LAYER = re.compile(r"^--> (?:Using cache )?([0-9a-f]{11,64})$", re.MULTILINE)
_SHORT = 11


def layers_of(output: str) -> list[str]:
    """The ids of the layers that podman's build says it made or took; docker looks after its own."""
    return [found[:_SHORT] for found in _LAYER.findall(output)]


def remove(engine: str, tags: Iterable[str], built: Mapping[str, Iterable[str]], record: Path, states: Path) -> None:
    """Removes a run's images.

    `tags` are those that this run may have built, `built` the layers by the tag, and the file `record` has the layers
    of the images kept by earlier runs. The sandboxes' own images are those of the state folders below `states`.
    """
    before: dict[str, list[str]] = json.loads(record.read_text()) if record.exists() else {}
    kept = before | {tag: list(layers) for tag, layers in built.items() if _is_kept(tag)}
    for contexts in states.glob("**/images/contexts"):
        leftovers.remove_images(contexts.parents[1], ())
    wanted = {layer for layers in kept.values() for layer in layers}
    made = [layer for layers in (*before.values(), *built.values()) for layer in layers]
    unwanted = [layer for layer in reversed(made) if layer not in wanted]  # the last first: others are below it
    names = [*(tag for tag in tags if not _is_kept(tag)), *dict.fromkeys(unwanted)]
    if names:  # what another run has taken meanwhile is refused, and stays
        subprocess.run([engine, "rmi", "--no-prune", *names], capture_output=True, timeout=600)
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(kept))


def _is_kept(tag: str) -> bool:
    return tag.rpartition(":")[2] in KEPT
