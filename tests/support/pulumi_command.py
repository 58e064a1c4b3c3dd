"""The `pulumi` command, which a machine may have or not."""

import os
import shutil

import pytest

needs_pulumi = pytest.mark.skipif(shutil.which("pulumi") is None, reason="there is no pulumi command on the PATH")

needs_yaml_host = pytest.mark.skipif(
    shutil.which("pulumi-language-yaml") is None, reason="there is no pulumi-language-yaml on the PATH"
)


def path_without_pulumi() -> str:
    """The PATH without the folders that have the command."""
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if not os.access(f"{folder}/pulumi", os.X_OK))
