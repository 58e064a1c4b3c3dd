"""An image that tests run in containers if an engine answers, else in processes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from sandbox.runner.images import StoredImage
from tests.support import containers, image_processes
from tests.support.running_image import RunningImage


class Image(Protocol):
    """An image, wherever it runs."""

    has_bundle: ClassVar[bool]
    """Whether its build put the modules of a start into one file, as the Dockerfile does."""

    def serving(
        self, mode: str, *, environment: Mapping[str, str] | None = None
    ) -> AbstractContextManager[RunningImage]:
        """Runs it in local or gateway mode, until the context ends; it answers requests."""

    def under_rie(
        self, rie: Path, *, environment: Mapping[str, str] | None = None
    ) -> AbstractContextManager[RunningImage]:
        """Runs it in lambda mode under AWS's Runtime Interface Emulator, until the context ends; it takes events."""


@dataclass(frozen=True)
class ImageOfEngine:
    """An image that a container engine has, under a tag."""

    has_bundle: ClassVar[bool] = True
    engine: str
    tag: str

    def serving(
        self, mode: str, *, environment: Mapping[str, str] | None = None
    ) -> AbstractContextManager[RunningImage]:
        return containers.serving(self.engine, self.tag, mode, environment=environment)

    def under_rie(
        self, rie: Path, *, environment: Mapping[str, str] | None = None
    ) -> AbstractContextManager[RunningImage]:
        return containers.under_rie(self.engine, self.tag, rie, environment=environment)


@dataclass(frozen=True)
class ImageLaidOut:
    """An image whose content lies in a folder, and the Python that has its packages."""

    has_bundle: ClassVar[bool] = False
    image: StoredImage
    python: Path

    def serving(
        self, mode: str, *, environment: Mapping[str, str] | None = None
    ) -> AbstractContextManager[RunningImage]:
        return image_processes.serving(self.image, self.python, mode, environment=environment or {})

    def under_rie(
        self, rie: Path, *, environment: Mapping[str, str] | None = None
    ) -> AbstractContextManager[RunningImage]:
        return image_processes.under_rie(self.image, self.python, rie, environment=environment or {})
