"""Images of changed files: which one runs now in place of the one that was deployed."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.runner import leftovers
from sandbox.runner.images import DEFAULT_ARGUMENTS, Built, ImageStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What an image was built from, and how."""

    context: Path
    dockerfile: Path
    args: Mapping[str, str]
    platform: str
    target: str | None
    began: int
    """When the first build of it began, in nanoseconds since 1970."""

    @property
    def app_dir(self) -> str:
        """The application's folder in the context."""
        return self.args.get("APP_DIR", DEFAULT_ARGUMENTS["APP_DIR"]).strip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """What became of a deployed image whose files changed."""

    changed: bool
    """Whether something else runs than before."""
    failure: str = ""
    """Why the application can't be imported, or why the image can't be built; with its last lines above."""


class Renewals:
    """Passes builds on to the store and remembers how they are made, so that a deployed image can be made anew.

    The account goes on naming the deployed image: `now` says which one runs for it.
    """

    def __init__(self, images: ImageStore, state: Path) -> None:
        self._images = images
        self._state = state
        self._recipes: dict[str, Recipe] = {}
        self._renewed: dict[str, str] = {}
        self._replaced = ""
        self._building = threading.Lock()

    def build(
        self, *, context: Path, dockerfile: Path, args: Mapping[str, str], platform: str, target: str | None = None
    ) -> Built:
        """Build an image for a deployment.

        Raises:
            SandboxError: as the store's own build.
        """
        recipe = Recipe(
            context=context,
            dockerfile=dockerfile,
            args=dict(args),
            platform=platform,
            target=target,
            began=time.time_ns(),
        )
        built = self._build(recipe)
        self._recipes[built.digest] = recipe
        return built

    def recipe(self, digest: str) -> Recipe | None:
        """How that image was built since the sandbox started, or None if it wasn't."""
        return self._recipes.get(digest)

    def now(self, digest: str) -> str:
        """The image that runs for a deployed one: made of the files as they were last read, or that image itself."""
        return self._renewed.get(digest, digest)

    def renew(self, digest: str) -> Renewal:
        """Make a deployed image anew of the files as they are now.

        One whose application can't be imported runs as well, and fails as it would on Lambda.
        """
        recipe = self._recipes[digest]
        try:
            return Renewal(changed=self._take(digest, self._build(recipe)))
        except SandboxError as error:
            failure = str(error).replace(f"The image of {recipe.app_dir} can't be built. ", "")
        unchecked = replace(recipe, args={**recipe.args, "CHECK_IMPORT": "0"})
        try:
            return Renewal(changed=self._take(digest, self._build(unchecked)), failure=failure)
        except SandboxError:  # something else than the import fails, as the first build has said
            return Renewal(changed=False, failure=failure)

    def _build(self, recipe: Recipe) -> Built:
        with self._building:  # a deployment from another terminal may build the same content now
            return self._images.build(
                context=recipe.context,
                dockerfile=recipe.dockerfile,
                args=recipe.args,
                platform=recipe.platform,
                target=recipe.target,
            )

    def _take(self, digest: str, built: Built) -> bool:
        before = self.now(digest)
        if built.digest == before:
            return False
        image = self._images.find(built.digest)
        if image is not None and not image.container_engine:
            self._images.python(image)  # what the requirements name now is installed before anything runs it
        self._renewed = {digest: built.digest}
        # A request may still run in the one before: the one before that has none.
        for unused in {self._replaced} - {"", before, built.digest, *self._recipes}:
            leftovers.remove_image(self._state, unused)
        self._replaced = before
        return True
