"""Takes a newer dualmode's tooling into a deployment repository; settings, the application and other files stay."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from scaffold import tooling
from scaffold.errors import ScaffoldError

LOCAL = ".local"
"""The suffix for a file that was edited here and is replaced by a newer one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """What an upgrade did, by the files' paths."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    """Edited here, and the same in the newer dualmode as in the older: they stay as they are."""
    set_aside: tuple[str, ...]
    """Edited here, and replaced: the edited file is beside the new one."""


def upgrade(repository: Path, source: Path, *, replace: bool = False) -> Upgraded:
    """Take the tooling of `source`; `replace` also takes a file edited on both sides, and keeps the old one.

    Raises:
        ScaffoldError: not a deployment repository, or not dualmode, or files were edited on both sides; nothing is
            changed then.
    """
    before = tooling.read_manifest(repository)
    if source.resolve() == repository.resolve():
        raise ScaffoldError("FROM is this repository itself: name the folder of a newer dualmode.")
    newer = tooling.read_tooling(source, tooling.project_name(repository))
    here = {path: _digest_of(repository / path) for path in {*before, *newer}}
    edited = {path for path, now in here.items() if now is not None and now != before.get(path)}
    removed = {path for path in before if path not in newer and here[path] is not None}
    differs = {path for path, file in newer.items() if file.digest != before.get(path) and file.digest != here[path]}
    clashing = sorted((edited & differs) | (edited & removed))
    if clashing and not replace:
        raise ScaffoldError(
            f"Nothing was upgraded, since files were edited here and changed in the newer dualmode: "
            f"{', '.join(clashing)}. Undo your edits, or add REPLACE=1 to install the newer files and keep yours as "
            f"FILE{LOCAL}."
        )
    for path in clashing:
        shutil.copy2(repository / path, repository / f"{path}{LOCAL}")
    for path in sorted(differs):
        tooling.put(repository, path, newer[path])
    for path in sorted(removed):
        (repository / path).unlink()
    kept = sorted(edited - differs - removed - {path for path in newer if here[path] == newer[path].digest})
    tooling.write_manifest(repository, {path: file.digest for path, file in newer.items()})
    return Upgraded(
        added=tuple(sorted(path for path in differs if here[path] is None)),
        changed=tuple(sorted(path for path in differs if here[path] is not None)),
        removed=tuple(sorted(removed)),
        kept=tuple(kept),
        set_aside=tuple(clashing),
    )


def _digest_of(file: Path) -> str | None:
    return tooling.digest(file.read_bytes()) if file.is_file() else None
