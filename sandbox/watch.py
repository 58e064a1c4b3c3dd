"""Watches the files of the function's image while a sandbox serves: a change runs with the next request."""

import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from sandbox.errors import SandboxError
from sandbox.lifecycle import Sandbox
from sandbox.runner.build_context import read_context
from sandbox.runner.renewals import Recipe, Renewal
from walk.errors import UnreadableAccountError
from walk.trace import RequestRefusedError

_Stamp = tuple[int, int, int, int]

# What the Dockerfile copies beside the application's folder.
_COPIED = ("dualmode", "infra", "scripts")
_NAMED = 3


class Watch:
    """Looks at the files of the newest version's image, as often as it is asked to."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._recipe = self._find()[1]
        self._built: Mapping[Path, _Stamp] = {}
        self._seen = self._built
        self._began = False

    @property
    def folder(self) -> str:
        """The application's folder, "" where nothing is watched: the image wasn't built here."""
        return "" if self._recipe is None else f"{self._recipe.app_dir}/"

    def look(self) -> list[str]:
        """Return what to say: nothing while no file changes, or until a change is complete.

        A change is complete when nothing more has changed between two looks.
        """
        try:
            return [] if self._recipe is None else self._look(self._recipe)
        except (OSError, SandboxError):  # a file went away while it was read, as with an editor or git: look again
            return []

    def _look(self, recipe: Recipe) -> list[str]:
        if not self._began:
            # Files may have changed since they were deployed. Their times are taken before they are read again: what
            # changes after that is seen by the next look.
            self._built = self._seen = _stamps(recipe)
            says = self._renew(self._since(recipe.began))
            self._began = True
            return says
        if not _as_before(self._seen):
            self._seen = _stamps(recipe)
            return []
        changed = self._changed(self._seen)
        says = self._renew(changed) if changed else []
        self._built = self._seen
        return says

    def _find(self) -> tuple[str, Recipe | None]:
        """The image of the newest version, and how it was built."""
        try:
            version = self._sandbox.invocations.version(
                str(self._sandbox.deployment.outputs.get("function_name", "")), "$LATEST"
            )
        except (RequestRefusedError, UnreadableAccountError):  # it was removed from the account, or can't run
            return "", None
        return version.image, self._sandbox.renewals.recipe(version.image)

    def _changed(self, now: Mapping[Path, _Stamp]) -> list[str]:
        assert self._recipe is not None  # noqa: S101 - as `look` has checked
        both = {**self._built, **now}
        files = (path for path in both if self._built.get(path) != now.get(path) and not stat.S_ISDIR(both[path][-1]))
        return sorted(path.relative_to(self._recipe.context).as_posix() for path in files)

    def _since(self, began: int) -> list[str]:
        """The files that changed since a build began: by when the kernel has noted it, which no program sets."""
        assert self._recipe is not None  # noqa: S101 - as `look` has checked
        files = (path for path, stamp in self._seen.items() if stat.S_ISREG(stamp[-1]))
        changed = (path for path in files if path.lstat().st_ctime_ns >= began)
        return sorted(path.relative_to(self._recipe.context).as_posix() for path in changed)

    def _renew(self, changed: list[str]) -> list[str]:
        digest, recipe = self._find()
        if recipe is None:
            return []
        renewal = self._sandbox.renewals.renew(digest)
        if not renewal.changed and not renewal.failure:
            return []
        return _in_words(changed or ["A file"], renewal)


def _in_words(changed: list[str], renewal: Renewal) -> list[str]:
    *above, sentence = renewal.failure.split("\n")
    if not renewal.failure:
        follows = f"The next request runs {'it' if len(changed) == 1 else 'them'}."
    elif renewal.changed:
        follows = f"{sentence} Until then requests get this error, as on Lambda."
    else:
        follows = f"{sentence} Until then the function runs what it had."
    more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
    return [*above, f"{', '.join(changed[:_NAMED])}{more} changed. {follows}"]


def _stamps(recipe: Recipe) -> dict[Path, _Stamp]:
    """What tells a changed file, of all that the build copies; of its folders too, where files are added."""
    copied = tuple(f"{folder}/" for folder in (recipe.app_dir, *_COPIED))
    read = read_context(recipe.context, recipe.dockerfile)
    within = [path for path in (*read.paths, *read.empty) if f"{path}/".startswith(copied)]
    folders = {str(folder) for path in within for folder in PurePosixPath(path).parents} - {"."}
    ignore = recipe.dockerfile.with_name(f"{recipe.dockerfile.name}.dockerignore")
    files = [recipe.context / path for path in (*within, *folders, ".dockerignore")]
    return {file: _stamp(file) for file in (*files, recipe.dockerfile, ignore)}


def _stamp(file: Path) -> _Stamp:
    try:
        found = file.lstat()
    except OSError:
        return (0, 0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode)


def _as_before(stamps: Mapping[Path, _Stamp]) -> bool:
    return all(_stamp(file) == stamp for file, stamp in stamps.items())
