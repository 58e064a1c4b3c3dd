"""What the builds of a test run leave in the container engine: removed, but for what makes the next run fast."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from sandbox.runner import leftovers

KEPT = ("sample", "httpbin")
"""Names of the images that stay, with the layers that they were last built from."""

_LOCK = Path(tempfile.gettempdir()) / f"dualmode-test-images-{os.getuid()}.lock"
_LAYER = re.compile(r"^--> (?:Using cache )?([0-9a-f]{11,64})$", re.MULTILINE)
_SHORT = 11


def layers_of(output: str) -> list[str]:
    """The ids of the layers that podman's build says it made or took; docker looks after its own."""
    return [found[:_SHORT] for found in _LAYER.findall(output)]


def remove(engine: str, tags: Iterable[str], built: Mapping[str, list[str]], record: Path, states: Path) -> None:
    """Removes a run's images; or leaves them to the next one, while another run builds some.

    `tags` are those that this run may have built, `built` the layers by the tag, and the file `record` has the layers
    that earlier runs have left. The sandboxes' own images are those of the state folders below `states`.
    """
    before: dict[str, list[str]] = json.loads(record.read_text()) if record.exists() else {}
    kept = {tag: layers for tag, layers in {**before, **built}.items() if _is_kept(tag)}
    wanted = {layer for layers in kept.values() for layer in layers}
    made = [layer for layers in (*before.values(), *built.values()) for layer in layers]
    unwanted = [layer for layer in reversed(made) if layer not in wanted]  # the last first: others are below it
    names = [tag for tag in dict.fromkeys([*tags, *before]) if not _is_kept(tag)] + list(dict.fromkeys(unwanted))
    record.parent.mkdir(parents=True, exist_ok=True)
    with _LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            record.write_text(json.dumps({**before, **built}))
            return
        for contexts in states.glob("**/images/contexts"):
            leftovers.remove_images(contexts.parents[1], ())
        if names:  # what another run has taken meanwhile is refused, and stays
            subprocess.run([engine, "rmi", "--no-prune", *names], capture_output=True, timeout=600)
    record.write_text(json.dumps(kept))


@contextlib.contextmanager
def building() -> Iterator[None]:
    """No run removes images meanwhile: podman's build fails if one goes that it looks at."""
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def _is_kept(tag: str) -> bool:
    return tag.rpartition(":")[2] in KEPT
