"""Faults of an account of the tests', whose function runs nowhere."""

from __future__ import annotations

from pathlib import Path

from sandbox.breaking import Broken
from sandbox.faults import Faults
from sandbox.ministack import MiniStack
from sandbox.runner.images import ImageStore
from sandbox.runner.version_runner import VersionRunner
from tests.support.api_accounts import FUNCTION


def faults_of(ministack: MiniStack, folder: Path, function_name: str = FUNCTION) -> Faults:
    """The faults of an account as a sandbox has them."""
    runner = VersionRunner(ImageStore(folder, None), logs=folder, reaching={}, account_id="123456789012")
    return Faults(Broken(ministack=ministack, runner=runner, function_name=function_name))
