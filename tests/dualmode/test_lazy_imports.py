"""Which imports may wait until their name is used, and that an application's own never do."""

import json
import subprocess
import sys

import pytest

from dualmode.lazy_imports import SHIPPED, may_be_lazy
from tests.conftest import ROOT


@pytest.mark.parametrize("importing", ["flask", "flask.app", "json.decoder", "werkzeug.routing.rules", "awslambdaric"])
def test_what_the_image_brings_imports_lazily(importing):
    assert may_be_lazy(importing, "anything", None)


@pytest.mark.parametrize("importing", ["app", "views", "flask_sqlalchemy", "flaskr.db", "scripts.server", "jsonx"])
def test_an_application_s_modules_and_its_packages_do_not(importing):
    assert not may_be_lazy(importing, "json", ("loads",))


def test_every_package_of_the_image_s_lock_is_one_that_was_tried():
    lock = (ROOT / "dualmode" / "requirements.txt").read_text()
    locked = {line.split("==")[0].replace("-", "_") for line in lock.splitlines() if "==" in line}
    # typing-extensions is of mangum; colorama is Windows' alone.
    assert {name.lower() for name in locked} - {"typing_extensions", "colorama"} == SHIPPED


INSTALL = "from dualmode import lazy_imports; lazy_imports.install()"


def modules_after_flask(statements):
    program = f"import sys; {statements}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(run.stdout.split())


PROGRAM = """
import json, sys
from dualmode import lazy_imports
lazy_imports.install()
import flask
import stated
print(json.dumps([stated.seen, "werkzeug.debug" in sys.modules, "flask.testing" in sys.modules]))
"""


def test_a_module_imported_for_what_it_does_is_imported_at_once(tmp_path):
    (tmp_path / "stated.py").write_text("seen = []\nimport effect\nfrom flask import Flask\n")
    (tmp_path / "effect.py").write_text("import stated\nstated.seen.append('effect')\n")
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{ROOT}:{tmp_path}"},
        capture_output=True,
        text=True,
    )
    assert run.stderr == ""
    seen, *unneeded = json.loads(run.stdout)
    assert seen == ["effect"]
    # Flask and Werkzeug name both modules in their own and need neither until a test or a debugger asks.
    assert sys.version_info < (3, 15) or unneeded == [False, False]


def test_from_python_3_15_on_an_import_of_flask_s_own_waits_until_it_is_needed():
    lazily, eagerly = (modules_after_flask(f"{install}; import flask") for install in (INSTALL, "pass"))
    assert (len(lazily) < len(eagerly)) == (sys.version_info >= (3, 15))
