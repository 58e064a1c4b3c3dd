"""A container engine that can't reach a registry is one sentence, wherever it is met."""

import os
import subprocess
import sys

import pytest

from tests.support.program import ROOT


def an_engine(folder, name, script):
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        (
            {"DUALMODE_ENGINE": "none"},
            "needs a container: neither docker nor podman answers here, or DUALMODE_ENGINE is none",
        ),
        (
            {"DUALMODE_ENGINE": "podman", "DUALMODE_BASE_IMAGE": "127.0.0.1:1/none:1"},
            "podman answers, but can't pull the base image 127.0.0.1:1/none:1: set DUALMODE_BASE_IMAGE to one that "
            "this machine has, or DUALMODE_ENGINE=none",
        ),
    ],
)
def test_tests_that_need_a_container_are_skipped_in_one_sentence(tmp_path, variables, reason):
    an_engine(tmp_path, "podman", '[ "$1" = info ] && echo \'{"host": {}}\' && exit 0\nexit 125')
    asked = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "tests/image/test_base_image.py"]
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", **variables}
    ended = subprocess.run([*asked, "-rs"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    summary = [line for line in ended.stdout.splitlines() if line.startswith(("SKIPPED", "ERROR", "FAILED"))]
    assert ended.returncode == 0, ended.stdout
    assert {line.partition(": ")[2] for line in summary} == {reason}
