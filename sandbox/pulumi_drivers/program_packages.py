"""The packages of Pulumi's that a program imports: half a second's work, done while the sandbox's AWS starts."""

import contextlib
import importlib
import sys
import threading
from pathlib import Path

_FILE = "program-packages"
_PREFIX = "pulumi_"


class ProgramPackages:
    """Imports, in a thread, what the last program of a state folder has imported of Pulumi's packages."""

    def __init__(self, state: Path) -> None:
        self._record = state / _FILE
        self._thread = threading.Thread(target=self._import, name="packages", daemon=True)

    def start(self) -> None:
        """Start to import them."""
        self._thread.start()

    def wait(self) -> None:
        """Wait until they are imported: no other thread may import them meanwhile, for they import each other."""
        self._thread.join()

    def remember(self) -> None:
        """Write down what is imported now, for the next start."""
        # The package of a service is loaded at its first use, which then loads this module of it.
        inner = (name.removesuffix("._inputs") for name in sys.modules if name.endswith("._inputs"))
        self._record.write_text("".join(f"{name}\n" for name in sorted(inner) if name.startswith(_PREFIX)))

    def _import(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            for name in self._record.read_text().split():
                # One that is no longer installed, or fails, is for the program itself to report.
                with contextlib.suppress(Exception):
                    if name.startswith(_PREFIX):
                        hasattr(importlib.import_module(name), "a")  # a use
