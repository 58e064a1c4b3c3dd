"""What is in an image and what isn't, as a process inside sees it."""

import functools
import json
import subprocess
import textwrap

import pytest

LOOK = """
import importlib.machinery
import importlib.util
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

TREES = [Path("/opt/dualmode"), Path("/opt/venv"), Path("/var/task")]
UNCHECKED = (1).to_bytes(4, "little")  # PEP 552: by hash, which is not compared with the source's


def compiled(source):
    cached = Path(importlib.util.cache_from_source(source))
    return cached.exists() and cached.read_bytes()[4:8] == UNCHECKED


def readable(path):
    mode = path.lstat().st_mode
    wanted = 0o555 if path.is_dir() else 0o444
    return stat.S_ISLNK(mode) or mode & wanted == wanted


import flask, mangum, awslambdaric.bootstrap  # what a cold start may need of the standard library

loaded = {Path(module.__file__) for module in list(sys.modules.values()) if getattr(module, "__file__", None)}
library = [path for path in loaded if path.suffix == ".py" and not any(tree in path.parents for tree in TREES)]
paths = [path for tree in TREES for path in (tree, *tree.rglob("*"))]
sources = [path for path in paths if path.suffix == ".py"]
modules = ["pip", "ensurepip", "setuptools", "wheel", "pulumi", "pytest"]
tools = ["pip", "pip3", "uv", "cc", "gcc", "g++", "clang", "tcc", "ld", "as", "make", "cargo", "go"]
is_plain = "from dualmode import lambda_mode; print(lambda_mode.is_plain())"
on_lambda = {**os.environ, "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"}
print(json.dumps({
    "modules": [name for name in modules if importlib.util.find_spec(name)],
    "tools": [name for name in tools if shutil.which(name)],
    "sources": len(sources),
    "library": len(library),
    "library not compiled": [
        str(path) for path in library if not Path(importlib.util.cache_from_source(path)).exists()
    ],
    "not compiled": [str(path) for path in sources if not compiled(path)],
    "not readable": [str(path) for path in paths if not readable(path)],
    "writable": [str(path) for path in paths if os.access(path, os.W_OK)],
    "tests": [str(path) for path in paths if path.name in ("tests", "infra", "sandbox", "benchmarks", ".git", ".env")
              and "site-packages" not in path.parts],
    "user": os.getuid(),
    "home": os.environ["HOME"],
    "directory": os.getcwd(),
    "python": sys.prefix,
    "unbuffered": os.environ["PYTHONUNBUFFERED"],
    "plain": subprocess.run(["python", "-P", "-c", is_plain], env=on_lambda, capture_output=True, text=True).stdout,
    "entrypoint": oct(Path("/opt/dualmode/scripts/entrypoint.sh").stat().st_mode & 0o111),
}))
"""


@pytest.fixture(scope="module")
def look(engine):
    """Looks into an image, once whatever the order of the tests."""

    @functools.cache
    def contents(image):
        run = [engine, "run", "--rm", "--entrypoint=python", image, "-c", textwrap.dedent(LOOK)]
        done = subprocess.run(run, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return contents


@pytest.fixture(params=["sample", "httpbin"])
def contents(request, look):
    return look(request.getfixturevalue(f"{request.param}_image"))


def test_nothing_that_installs_or_builds_is_in_the_image(contents):
    assert (contents["modules"], contents["tools"]) == ([], [])


def test_each_module_is_byte_compiled_and_its_source_is_not_looked_at(contents):
    assert contents["sources"] > 100
    assert contents["not compiled"] == []


def test_what_a_start_needs_of_the_standard_library_is_byte_compiled(contents):
    assert contents["library"] > 50
    assert contents["library not compiled"] == []


@pytest.mark.case("L08")
def test_each_file_can_be_read_by_whoever_runs_the_image(contents):
    assert contents["not readable"] == []
    assert contents["entrypoint"] == "0o111"


def test_nothing_of_the_image_can_be_written_by_its_user(contents):
    assert contents["writable"] == []


def test_only_what_runs_is_in_the_image(contents):
    assert contents["tests"] == []


def test_the_image_runs_as_nobody_special_where_lambda_would(contents):
    assert {key: contents[key] for key in ("user", "home", "directory", "python", "unbuffered")} == {
        "user": 10001,
        "home": "/tmp",
        "directory": "/var/task",
        "python": "/opt/venv",
        "unbuffered": "1",
    }


def test_a_start_on_lambda_needs_nothing_of_the_entrypoint(contents):
    assert contents["plain"] == "True\n"


def test_an_engine_reads_from_the_image_how_to_run_and_stop_it(engine, sample_image):
    inspect = [engine, "image", "inspect", "--format", "{{json .Config}}", sample_image]
    config = json.loads(subprocess.run(inspect, capture_output=True, check=True, timeout=60).stdout)
    assert {key: config.get(key) for key in ("Entrypoint", "Cmd", "StopSignal", "User", "WorkingDir")} == {
        "Entrypoint": [
            *("/opt/venv/bin/python", "-P", "/opt/dualmode/dualmode/lambda_mode.py"),
            "/opt/dualmode/scripts/entrypoint.sh",
        ],
        "Cmd": None,
        "StopSignal": "SIGINT",
        "User": "10001:10001",
        "WorkingDir": "/var/task",
    }
