"""A process has this machine's Python and the image its base's: where they differ, the sandbox says so."""

import sys

import pytest

from sandbox.runner.base_python import base_python, difference

HERE = f"3.{sys.version_info.minor}"
DOCKERFILE = b"# one\nARG BASE_IMAGE=public.example/library/python:3.99-slim\nFROM ${BASE_IMAGE}\n"


@pytest.mark.parametrize(
    ("base", "version"),
    [
        (None, "3.99"),
        ("python:3.13", "3.13"),
        ("python:3.13.2-slim-bookworm", "3.13"),
        ("registry.example:5000/python:3.14-slim@sha256:00", "3.14"),
        ("localhost/dualmode-base:3.15", "3.15"),
        ("registry.example:3.15/own", ""),
        ("own/base:latest", ""),
    ],
)
def test_the_version_is_read_from_the_name_of_the_base(base, version):
    assert base_python(DOCKERFILE, {"BASE_IMAGE": base} if base else {}) == version


def test_a_difference_is_said_with_both_versions_and_what_to_do():
    assert difference(DOCKERFILE, {}) == (
        f"The function runs on this machine's Python {HERE}, but the image has 3.99: packages and syntax may differ."
        f" For the same, use make PYTHON=python3.99 after make clean, or set baseImage to one with Python {HERE}."
    )
    assert difference(DOCKERFILE, {"BASE_IMAGE": f"python:{HERE}-slim"}) == ""
    assert difference(b"FROM scratch\n", {}) == ""
