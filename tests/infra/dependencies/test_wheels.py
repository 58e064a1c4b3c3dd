"""A package without a wheel for the image's Python is named, with the newest Python that has one."""

import zipfile

import pytest

from infra.dependencies import wheels

BASE = "public.ecr.aws/docker/library/python:3.15-slim"


@pytest.fixture
def explain(tmp_path, monkeypatch):
    """Explains what pip said, where the index has the wheels given and the environment's Python is 3.15."""
    index = tmp_path / "index"
    index.mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 15\n")
    python.chmod(0o755)

    def run(said, *files, base=BASE):
        for file in files:
            name, version, *_ = file.split("-")
            with zipfile.ZipFile(index / f"{file}.whl", "w") as wheel:
                about = f"{name}-{version}.dist-info"
                wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
                wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
                wheel.writestr(f"{about}/RECORD", "")
        return wheels.explain(said.splitlines(), python, base)

    return run


NOT_BUILT = """\
Collecting flask==3.1.3 (from -r requirements.txt (line 1))
  Downloading flask-3.1.3-py3-none-any.whl (100 kB)
Collecting Native.lib==1.2 (from -r requirements.txt (line 2))
  Downloading native_lib-1.2.tar.gz (500 kB)
  Building wheel for native-lib (pyproject.toml): finished with status 'error'
  ERROR: Failed building wheel for native-lib
ERROR: Failed to build installable wheels for some pyproject.toml based projects (native-lib)
"""


def test_the_newest_base_that_has_a_wheel_is_named(explain):
    assert explain(NOT_BUILT, "native_lib-1.2-cp312-none-any", "native_lib-1.2-cp313-none-any") == (
        "native-lib==1.2 has no wheel for Python 3.15: the newest Python that has one is 3.13, so set baseImage to"
        " public.ecr.aws/docker/library/python:3.13-slim."
    )


@pytest.mark.slow
def test_a_base_without_its_python_in_its_name_is_described(explain):
    assert explain(NOT_BUILT, "native_lib-1.2-cp314-none-any", base="registry.example/python") == (
        "native-lib==1.2 has no wheel for Python 3.15: the newest Python that has one is 3.14, so set baseImage to an"
        " image of Python 3.14."
    )


@pytest.mark.slow
def test_without_an_engine_it_is_another_python_of_this_machine(explain):
    assert explain(NOT_BUILT, "native_lib-1.2-cp314-none-any", base="") == (
        "native-lib==1.2 has no wheel for Python 3.15: the newest Python that has one is 3.14, so run the sandbox on"
        " that (make clean, then make PYTHON=python3.14 sandbox), or start docker or podman."
    )


@pytest.mark.slow
def test_two_packages_need_one_python_that_has_both(explain):
    said = NOT_BUILT + "ERROR: No matching distribution found for other>=2\n"
    files = ("native_lib-1.2-cp314-none-any", "native_lib-1.2-cp313-none-any", "other-2-cp313-none-any")
    assert explain(said, *files) == (
        "native-lib==1.2 and other>=2 have no wheel for Python 3.15: the newest Python that has one is 3.13, so set"
        " baseImage to public.ecr.aws/docker/library/python:3.13-slim."
    )


def test_a_package_without_any_wheel_is_another_matter(explain):
    assert explain(NOT_BUILT) == (
        "native-lib==1.2 has no wheel for Python 3.15, nor for an older one that the runtime supports, and its source"
        " can't be built here, as pip says above: take another version of it, or another package."
    )


@pytest.mark.slow
def test_what_the_index_does_not_have_is_left_to_pip_to_say(explain):
    assert explain("ERROR: No matching distribution found for no-such-thing==1\n") == ""
    assert explain("ERROR: Invalid requirement: 'a b'\n") == ""
