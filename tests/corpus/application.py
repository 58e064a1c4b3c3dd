"""An application of the corpus: where it comes from, its settings, and the requests that it is tried with."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

Python = Callable[[], Path]


class Reply(NamedTuple):
    """What a client reads of an answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One request, and what its answer has to be at least.

    Cookies go along as in a browser. In `target`, `form` and `headers`, {name} stands for what an earlier step kept.
    """

    target: str
    method: str = "GET"
    form: Mapping[str, str] | None = None
    upload: tuple[str, str, bytes] | None = None
    """Field, file name and content of a file that is sent as a browser sends it, with the fields of `form`."""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    has: bytes = b""
    keep: Mapping[str, str] = field(default_factory=dict)
    """Name to the pattern whose group is kept of the body, such as a form's CSRF token, or of the location."""


@dataclass(frozen=True, kw_only=True)
class Application:
    """An application that nobody here wrote."""

    name: str
    kind: str
    flask_app: str
    steps: tuple[Step, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    """{tmp} stands for a path below /tmp that is this deployment's own."""
    source: str = ""
    """The folder of a source distribution that the application is; else its package is installed."""
    edit: str = ""
    """What was changed or written for it, "" where settings alone deploy it."""
    process_only: str = ""
    """Why the default base image can't hold it, "" where it can."""
    prepare: Callable[[Python, Path], None] | None = None
    """Completes the application's folder, as its owner would; the first argument gives a Python with its packages."""
    files: tuple[str, ...] = ()
    """What it writes below /tmp of its own accord."""
    varies: tuple[str, ...] = ()
    """Patterns of what differs from run to run in the answers."""


SAME_FOR_ALL = (
    r"https?://(?:app\.sandbox\.test|127\.0\.0\.1:\d+)",  # the deployment is served over https
    r"/tmp/corpus-\w+",
)


def without_what_varies(application: Application, text: str) -> str:
    """What of an answer has to be the same everywhere."""
    for pattern in (*SAME_FOR_ALL, *application.varies):
        text = re.sub(pattern, "~", text)
    return text
