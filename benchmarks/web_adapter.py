"""Builds the AWS Lambda Web Adapter from its crate, once, where cargo is installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

CRATE = "lambda_web_adapter"
VERSION = "0.9.1"
_BINARY = "lambda-adapter"


def binary(cache: Path, progress: Callable[[str], None], *, may_build: bool) -> tuple[Path | None, str]:
    """Returns the adapter's executable, or None and the reason why there is none."""
    folder = cache / f"{CRATE}-{VERSION}"
    built = folder / "bin" / _BINARY
    if built.exists():
        return built, ""
    cargo = shutil.which("cargo")
    if cargo is None:
        return None, f"cargo, which builds the crate {CRATE} {VERSION}, is not on the PATH"
    if not may_build:
        return None, f"the crate {CRATE} {VERSION} isn't built yet: a run without --quick builds it"
    progress(f"building the crate {CRATE} {VERSION} with cargo (once, some minutes)")
    command = [cargo, "install", CRATE, "--version", VERSION, "--locked", "--root", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not built.exists():
        return None, f"cargo couldn't build the crate {CRATE} {VERSION}: {' '.join(done.stderr.splitlines()[-3:])}"
    return built, ""
