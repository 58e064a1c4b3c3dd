"""What a person gives to `make` reaches the program as it was given, and nothing in it is run."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.slow_tests import slow_but

ROOT = Path(__file__).parents[1]
TARGETS = {
    "sandbox": "sandbox.py",
    "test": "pytest.py",
    "check-app": "check_app.py",
    "bench-runtime": "benchmarks/runtime.py",
    "mutants": "tests/mutants.py",
}
# Some tests start faster in one process than in several, and whoever names slow ones wants them.
WITHOUT_ARGUMENTS = {"test": ["--numprocesses", "auto", "--dist", "loadfile", "-m", "not slow"]}
# In the project's own style: `make lint` reads those that are in the tests' folder.
TELL = 'import json\nimport os\nimport sys\n\nprint(json.dumps([os.environ.get("PORT"), *sys.argv[1:]]))\n'


@pytest.fixture
def make(tmp_path):
    """The Makefile beside programs that only tell their port and arguments, where everything is installed."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for program in TARGETS.values():
        (tmp_path / program).parent.mkdir(exist_ok=True)
        (tmp_path / program).write_text(TELL)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    for group in ("sandbox", "tests", "benchmarks"):
        (tmp_path / group).mkdir(exist_ok=True)
        (tmp_path / group / "requirements.txt").touch()
        (tmp_path / ".venv" / f"{group}.installed").touch()

    for tool, lock in (("audit", "audit"), ("checkov", "audit/checkov")):
        (tmp_path / lock).mkdir()
        (tmp_path / lock / "requirements.txt").touch()
        (tmp_path / ".venv" / tool / "bin").mkdir(parents=True)
        (tmp_path / ".venv" / tool / "bin" / "python").touch()
        (tmp_path / ".venv" / tool / "installed").touch()

    def make(*arguments, **environment):
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return subprocess.run(
            ["make", *arguments], cwd=tmp_path, env=inherited | environment, capture_output=True, text=True, timeout=60
        )

    make.folder = tmp_path
    return make


def told(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_installation_s_progress_is_whole_words(make):
    (make.folder / ".venv" / "sandbox.installed").unlink()
    (make.folder / ".venv" / "bin" / "python").unlink()
    python = make.folder / ".venv" / "bin" / "python"
    python.write_text(
        "#!/bin/sh\n"
        'if [ "$2" = pip ]; then echo "Installing collected packages: flask, rich (and more)"; sleep 2\n'
        f'else exec {sys.executable} "$@"; fi\n'
    )
    python.chmod(0o755)
    assert make("sandbox").stdout.splitlines()[1] == "Installing collected packages"


INJECTIONS = (
    "8000; touch planted",
    "8000 & touch planted",
    "8000\ntouch planted",
    "`touch planted`",
    "$(touch planted)",
    "$$(touch planted)",
    "$(shell touch planted)",
    "${shell touch planted}",
    "$(eval $(shell touch planted))",
    "' ; touch planted ; '",
    '" ; touch planted ; "',
    "x > planted",
)


@pytest.mark.parametrize("variable", ["PORT", "ARGS"])
@pytest.mark.parametrize("given", INJECTIONS)
@pytest.mark.parametrize("target", slow_but(["sandbox"], TARGETS))
def test_no_command_in_a_variable_is_run(make, target, variable, given):
    make(target, f"{variable}={given}")
    make(target, **{variable: given})
    make("-n", target, f"{variable}={given}")
    assert not (make.folder / "planted").exists()


@pytest.mark.parametrize("target", slow_but(["sandbox", "test"], TARGETS))
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", []),
        ("--request 'GET /hello'", ["--request", "GET /hello"]),
        (
            "--set appDir=shop --set 'flaskApp=shop:create_app()'",
            ["--set", "appDir=shop", "--set", "flaskApp=shop:create_app()"],
        ),
        ('--set \'environment={"GREETING": "hello"}\'', ["--set", 'environment={"GREETING": "hello"}']),
        ("tests/test_http_api.py -k domain", ["tests/test_http_api.py", "-k", "domain"]),
        ("--data $HOME$$x '$(HOME)'", ["--data", "$HOME$$x", "$(HOME)"]),
        ("--data a#b ; *", ["--data", "a#b", ";", "*"]),
    ],
)
def test_arguments_reach_the_program_word_by_word(make, target, given, words):
    expected = words or WITHOUT_ARGUMENTS.get(target, [])
    assert told(make(target, f"ARGS={given}"))[1:] == expected
    assert told(make(target, ARGS=given))[1:] == expected


def test_the_check_of_an_application_takes_its_name_and_further_arguments(make):
    given = told(make("check-app", "APP=my shop", "FLASK_APP=shop:create_app('a b')", "ARGS=--stack prod --code-only"))
    assert given[1:] == ["--app", "my shop", "--flask-app", "shop:create_app('a b')", "--stack", "prod", "--code-only"]


@pytest.mark.parametrize("given", INJECTIONS)
def test_an_address_to_explain_reaches_the_program_as_it_is(make, given):
    (make.folder / "operations.py").write_text(TELL)
    assert told(make("explain", f"URL={given}"))[1:] == ["explain", given]
    assert told(make("explain", URL=given))[1:] == ["explain", given]
    assert not (make.folder / "planted").exists()


def test_the_port_is_8000_unless_another_is_given(make):
    assert told(make("sandbox")) == ["8000"]
    assert told(make("sandbox", "PORT=9000")) == ["9000"]
    assert told(make("sandbox", PORT="9000")) == ["9000"]
    assert told(make("test"))[0] is None


def test_what_is_no_port_reaches_the_sandbox_as_it_is(make):
    assert told(make("sandbox", "PORT=8000; touch x")) == ["8000; touch x"]


def test_a_quote_that_is_never_closed_is_refused_in_one_sentence(make):
    done = make("sandbox", "ARGS=--request 'GET /")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == (
        """ARGS is "--request 'GET /", but a quote or backslash in it is not completed: complete it, or quote it."""
    )
    assert "Traceback" not in done.stderr


def test_a_dry_run_shows_one_line(make):
    assert make("-n", "sandbox", "ARGS=--json").stdout == 'exec .venv/bin/python -Ic "$RUN_MODULE" sandbox\n'


@pytest.mark.parametrize(
    "given", slow_but(["8000; touch planted", "`touch planted`", "$(shell touch planted)"], INJECTIONS)
)
def test_no_command_in_a_variable_of_an_operation_is_run(make, given):
    (make.folder / "operations.py").write_text(TELL)
    for target, variable in (
        ("manage", "CMD"),
        ("invoke", "EVENT"),
        ("release", "PERCENT"),
        ("cost", "MS"),
        ("logs", "STACK"),
    ):
        make(target, f"{variable}={given}")
        make(target, **{variable: given})
    assert not (make.folder / "planted").exists()


@pytest.mark.parametrize(
    ("words", "reached"),
    [
        (["logs"], ["logs"]),
        (["logs", "STACK=prod", "ARGS=--since '1h'"], ["logs", "--stack", "prod", "--since", "1h"]),
        (["manage", "CMD=db upgrade --sql '$(HOME)'"], ["manage", "--command", "db upgrade --sql '$(HOME)'"]),
        (["invoke"], ["invoke", "-"]),
        (["invoke", "EVENT=an event.json"], ["invoke", "an event.json"]),
        (["release", "PERCENT=5", "MINUTES=2"], ["release", "--percent", "5", "--minutes", "2"]),
        (["rollback", "ARGS=--version 3"], ["rollback", "--version", "3"]),
        (["cost"], ["cost"]),
        (["cost", "REQUESTS=1e6", "MS=80", "COLD=2"], ["cost", "--requests", "1e6", "--ms", "80", "--cold", "2"]),
        (["doctor"], ["doctor"]),
        (["audit"], []),
        (["audit", "STACK=prod", "ARGS=licences sbom"], ["--stack", "prod", "licences", "sbom"]),
    ],
)
def test_an_operation_gets_what_it_is_given(make, words, reached):
    (make.folder / "operations.py").write_text(TELL)
    (make.folder / "audit.py").write_text(TELL)
    assert told(make(*words))[1:] == reached


def test_continuous_integration_and_a_person_run_the_same_check(make):
    (make.folder / ".ci").mkdir()
    (make.folder / ".ci" / "check").write_text("#!/bin/sh\necho checked\n")
    (make.folder / ".ci" / "check").chmod(0o755)
    assert make("check").stdout == "checked\n"
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-2:] == ["make check", 'step "done"']


def test_the_doctor_needs_no_environment(make):
    (make.folder / "operations.py").write_text(TELL)
    shutil.rmtree(make.folder / ".venv")
    assert told(make("doctor", f"PYTHON={sys.executable}", "ARGS=--json"))[1:] == ["doctor", "--json"]
    assert not (make.folder / ".venv").exists()


UNFORMATTED = "import os,sys\nx = { 'a':1 }\n"


@pytest.mark.parametrize("target", ["format", "lint"])
@pytest.mark.parametrize("own", ["", "[tool.ruff]\nline-length = 40\n[tool.ruff.lint]\nselect = ['ALL']\n"])
def test_an_applications_folder_keeps_its_style(make, target, own):
    shutil.copy(ROOT / "pyproject.toml", make.folder)
    shutil.rmtree(make.folder / "benchmarks")
    for folder in ("shop", "shop/tests", "shop/scripts"):
        (make.folder / folder).mkdir()
        (make.folder / folder / "app.py").write_text(UNFORMATTED)
    if own:
        (make.folder / "shop" / "pyproject.toml").write_text(own)
    (make.folder / "infra").mkdir()
    (make.folder / "infra" / "ours.py").write_text('"""Ours."""\n\nx = 1\n')
    binaries = make.folder / ".venv" / "bin"
    (binaries / "ruff").symlink_to(Path(sys.executable).parent / "ruff")
    for other in ("mypy", "lint-imports"):
        (binaries / other).write_text("#!/bin/sh\n")
        (binaries / other).chmod(0o755)
    for stand_in in ("sandbox.py", "pytest.py"):
        (make.folder / stand_in).unlink()
    done = make(target)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {file.read_text() for file in (make.folder / "shop").rglob("*.py")} == {UNFORMATTED}


def test_nothing_is_removed_under_a_running_sandbox(make):
    state = make.folder / ".sandbox"
    state.mkdir()
    (state / "lock").write_text("4711")
    with (state / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = make("clean", f"PYTHON={sys.executable}")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr.startswith(
            "A sandbox runs in .sandbox (process 4711): stop it with Ctrl-C first, then run make clean again.\n"
        )
        assert state.exists()
    assert make("clean", f"PYTHON={sys.executable}").returncode == 0
    assert not state.exists()
