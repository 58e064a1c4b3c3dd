"""An image's build imports the application, and says in one sentence what its owner has to do."""

import json
import subprocess
import sys
import textwrap

import pytest

from dualmode.import_check import variables
from tests.conftest import ROOT

MODULES = {
    "shop": "from flask import Flask\napp = Flask(__name__)",
    "raising": 'raise RuntimeError("from their code")',
    "leaving": "import sys\nsys.exit(0)",
    "unclosed": "app = (",
    "needing": "import nothing_of_this_name",
    "secretive": """
        import os
        from flask import Flask
        assert os.environ["SECRET_KEY"] == "it's $HOME" and "CHECK_ENVIRONMENT" not in os.environ
        app = Flask(__name__)
        """,
    "elsewhere": "from flask import Flask\nimport beside\napp = Flask(__name__)",
    "lib/beside": "",
}


@pytest.fixture
def check(tmp_path):
    """Runs the check of an import string, and returns its exit status and all that it prints."""
    for name, content in MODULES.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(content))

    def run(import_string, **variables):
        environment = {"PYTHONPATH": f"{ROOT}:{tmp_path}", "FLASK_APP": import_string, "APP_DIR": "apps/shop"}
        result = subprocess.run(
            [sys.executable, "-P", "-m", "dualmode.import_check"],
            cwd=tmp_path,
            env=environment | variables,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return result.returncode, (result.stdout + result.stderr).splitlines()

    return run


def test_an_application_that_can_be_imported_passes_in_silence(check):
    assert check("shop:app") == (0, [])


def test_what_names_no_application_is_one_sentence(check, tmp_path):
    sentence = f'dualmode: FLASK_APP is "shop:web", but module shop ({tmp_path}/shop.py) has no web; it has app.'
    assert check("shop:web") == (1, [sentence])


def test_an_error_is_shown_from_the_application_s_own_line_on(check, tmp_path):
    status, lines = check("raising:app")
    assert status == 1
    assert lines[:2] == ["Traceback (most recent call last):", f'  File "{tmp_path}/raising.py", line 1, in <module>']
    assert lines[-1] == (
        "dualmode: Importing raising:app fails with RuntimeError, as shown above. Fix it, or set a variable that it"
        " needs in the setting environment, which this import sees. Set checkImport=false to leave this check out if"
        " the application needs a database or a network to be imported."
    )


def test_code_that_is_not_python_is_one_sentence_with_its_place(check):
    status, lines = check("unclosed:app")
    assert (status, lines[-1]) == (
        1,
        "dualmode: Importing unclosed:app fails: '(' was never closed, in unclosed.py, line 1. Fix it.",
    )


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("raise OSError(30, 'Read-only file system', '/srv/x')", "/srv/x"),
        ("import os; raise PermissionError(13, 'Permission denied', os.getcwd() + '/instance')", "{folder}/instance"),
        ("import sqlite3; sqlite3.connect('/no/such/folder/x.db')", "a SQLite database"),
        ("raise PermissionError(13, 'Permission denied', '/etc/secret')", None),
    ],
)
def test_an_import_that_writes_is_told_what_lambda_s_disk_is(check, tmp_path, code, written):
    (tmp_path / "writing.py").write_text(code)
    status, lines = check("writing:app")
    begin = (
        f"Importing writing:app writes {written.format(folder=tmp_path)}, as shown above, but Lambda's disk is"
        " read-only except for /tmp: write"
        if written
        else "Importing writing:app fails with PermissionError, as shown above."
    )
    assert (status, lines[-1].startswith(f"dualmode: {begin}")) == (1, True)


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (
            None,
            "The packages of apps/shop are read from apps/shop/requirements.txt, or else from apps/shop/pyproject.toml"
            " with its uv.lock or poetry.lock, or else from setup.py, but none of these exists: add one that names the"
            " package.",
        ),
        (
            "pyproject.toml",
            "The packages of apps/shop are read from apps/shop/pyproject.toml only: add the package with the module"
            " there.",
        ),
    ],
)
def test_a_missing_module_says_where_requirements_are_looked_for(check, tmp_path, file, says):
    if file:
        (tmp_path / file).touch()
    status, lines = check("needing:app")
    assert status == 1
    assert "ModuleNotFoundError: No module named 'nothing_of_this_name'" in lines
    assert lines[-1] == (f"dualmode: Importing needing:app fails: there is no module nothing_of_this_name. {says}")


def test_an_application_that_ends_python_is_not_taken_for_one_that_can_be_imported(check):
    status, lines = check("leaving:app")
    assert (status, lines[-1]) == (
        1,
        "dualmode: Importing leaving:app ends Python, as shown above: an application may do that only when it runs.",
    )


def test_the_function_s_variables_are_there_during_the_import_alone(check):
    assert check("secretive:app")[0] == 1
    assert check("secretive:app", CHECK_ENVIRONMENT=json.dumps({"SECRET_KEY": "it's $HOME"})) == (0, [])


def test_a_region_is_set_during_the_import_as_lambda_sets_one():
    assert variables({}) == {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "PYTHONPATH": ""}
    given = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}
    assert variables(given) == {**given, "PYTHONPATH": ""}


def test_a_path_among_the_variables_counts_as_it_does_in_the_function(check):
    assert check("elsewhere:app")[0] == 1
    assert check("elsewhere:app", CHECK_ENVIRONMENT=json.dumps({"PYTHONPATH": "lib"})) == (0, [])
