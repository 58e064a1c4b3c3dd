"""The entrypoint picks a mode, and says what is wrong with a choice."""

import subprocess

import pytest

from tests.conftest import ROOT
from tests.support.emulator import ENTRYPOINT, environment

# Stands in for python: prints what it was called with.
PYTHON = '#!/bin/sh\necho "PYTHONPATH=$PYTHONPATH $*"\n'


@pytest.fixture
def entered(tmp_path):
    """Runs the entrypoint with a python that shows its arguments; returns status and output."""
    (tmp_path / "python").write_text(PYTHON)
    (tmp_path / "python").chmod(0o755)

    def enter(*command, cwd=tmp_path, **variables):
        variables = environment(**variables) | {"PATH": f"{tmp_path}:/usr/bin:/bin"}
        run = subprocess.run(command or (ENTRYPOINT,), cwd=cwd, env=variables, capture_output=True, text=True)
        return run.returncode, run.stdout + run.stderr

    return enter


API = {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"}


@pytest.mark.parametrize(
    ("variables", "arguments"),
    [
        ({"RUN_MODE": "local"}, "-P -m dualmode.local_mode"),
        ({"RUN_MODE": "lambda", **API}, f"-P {ROOT}/dualmode/lambda_mode.py"),
        (API, f"-P {ROOT}/dualmode/lambda_mode.py"),
        ({"RUN_MODE": "", **API}, f"-P {ROOT}/dualmode/lambda_mode.py"),
        ({"RUN_MODE": "gateway"}, f"-P -m dualmode.gateway {ROOT}/scripts/entrypoint.sh"),
    ],
)
def test_a_mode_is_a_program_of_its_own(variables, arguments, entered, tmp_path):
    assert entered(**variables) == (0, f"PYTHONPATH={ROOT}:{tmp_path} {arguments}\n")


def test_what_is_on_the_path_already_stays_there(entered, tmp_path):
    status, output = entered(RUN_MODE="local", PYTHONPATH="/opt/more")
    assert (status, output.split()[0]) == (0, f"PYTHONPATH={ROOT}:{tmp_path}:/opt/more")


def test_a_path_that_begins_as_the_image_s_stays_as_it_is(entered, tmp_path):
    path = f"{ROOT}:{tmp_path}:/opt/more"
    assert entered(RUN_MODE="local", PYTHONPATH=path)[1].split()[0] == f"PYTHONPATH={path}"


@pytest.mark.parametrize("mode", ["Lambda", "locl", "local gateway", "*", "prod"])
def test_a_typing_error_names_the_modes_and_is_not_lambda_mode(mode, entered):
    assert entered(RUN_MODE=mode, **API) == (64, f"RUN_MODE={mode} is not one of local, lambda, gateway.\n")


def test_lambda_mode_outside_of_lambda_says_what_is_missing(entered):
    sentence = (
        "RUN_MODE=lambda needs Lambda's Runtime API, but AWS_LAMBDA_RUNTIME_API is not set:"
        " outside of Lambda, set RUN_MODE=gateway or RUN_MODE=local.\n"
    )
    assert entered() == entered(RUN_MODE="lambda") == (64, sentence)


@pytest.mark.parametrize(
    ("command", "folder"),
    [
        (["scripts/entrypoint.sh"], ROOT),
        (["./entrypoint.sh"], ROOT / "scripts"),
        (["sh", "entrypoint.sh"], ROOT / "scripts"),
        (["../scripts/entrypoint.sh"], ROOT / "scripts"),
        ([f"{ROOT}/scripts/./entrypoint.sh"], ROOT),
        ([f"{ROOT}/tests/../scripts/entrypoint.sh"], ROOT),
    ],
)
def test_it_finds_its_own_place_however_it_is_called(command, folder, entered):
    assert entered(*command, cwd=folder, RUN_MODE="local") == (
        0,
        f"PYTHONPATH={ROOT}:{folder} -P -m dualmode.local_mode\n",
    )
