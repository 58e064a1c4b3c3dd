"""Where a running image's modules came from: Python says so itself, if it is started with VERBOSE."""

from __future__ import annotations

from collections.abc import Collection

from tests.support.running_image import RunningImage

VERBOSE = {"PYTHONVERBOSE": "1"}

_LOADED = "import {!r} # <dualmode.module_bundle.BundledLoader "


def check_bundle(running: RunningImage, modules: Collection[str], *, used: bool) -> None:
    """Checks that these modules came out of the bundle, or that none did.

    Raises:
        AssertionError: it is otherwise; with the logs.
    """
    if not used:
        assert _LOADED.partition("#")[2] not in running.logs()
    for module in modules if used else ():
        running.wait_for_log(_LOADED.format(module))
