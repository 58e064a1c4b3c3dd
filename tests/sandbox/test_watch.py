"""Changed files of the application, while the sandbox's command serves it."""

import itertools
import shutil
import textwrap
from types import SimpleNamespace

import pytest

from sandbox.command_line import read_options
from sandbox.runner.images import ImageStore
from sandbox.runner.renewals import Renewals
from sandbox.watch import Watch
from tests.support.local_wheel import write_wheel
from tests.support.program import ROOT
from tests.support.sandboxes import VENVS, ask, serving, with_venvs

CHOSEN = ("--set", "appDir=shop", "--set", "flaskApp=shop:app")


def code(message):
    """An application that answers with a message, or with what an expression of the module greeting says."""
    expression = message if "." in message else repr(message)
    return textwrap.dedent(f"""
        from flask import Flask

        app = Flask(__name__)


        @app.get("/hello")
        def hello():
            return {{"message": {expression}}}
        """)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the program with an application of its own."""
    folder = tmp_path_factory.mktemp("watched") / "copy"
    left_out = (".git", ".venv", ".sandbox", "*_cache", "__pycache__", "tests", "benchmarks", "docs", "examples")
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*left_out))
    (folder / "shop").mkdir()
    (folder / "shop" / "shop.py").write_text(code("first"))
    write_wheel(folder / "shop" / "wheels")
    return folder


@pytest.fixture(scope="module")
def seen(copy):
    """What was said, and answered afterwards, for one change after another."""
    seen = {}
    shop = copy / "shop"
    with serving(with_venvs(copy.parent / "state"), *CHOSEN, folder=copy) as (process, address, printed):

        def change(name, file, content):
            (shop / file).write_text(content)
            (said,) = itertools.islice((line for line in process.stdout if line.startswith("shop/")), 1)
            seen[name] = said.strip(), ask(address, "/hello")

        seen["introduced"] = [line.split(maxsplit=1) for line in "".join(printed).splitlines() if "watched " in line]
        seen["first"] = ask(address, "/hello")
        (shop / "local.pem").write_text("left out by .dockerignore")
        change("changed", "shop.py", code("second"))
        change("broken", "shop.py", "app = (\n")
        change("fixed", "shop.py", code("third"))
        change("not installable", "requirements.txt", "./wheels/missing.whl\n")
        change("installable", "requirements.txt", "./wheels/greeting-1.0-py3-none-any.whl\n")
        change("installed", "shop.py", f"import greeting\n{code('greeting.TEXT')}")
        change("as deployed", "shop.py", code("first"))
        process.terminate()
        _, seen["steps"] = process.communicate(timeout=60)
    seen["images"] = len(list((copy.parent / "state" / "images").glob("*/image.json")))
    return seen


def test_a_sandbox_says_which_folder_it_watches(seen):
    assert seen["introduced"] == [["watched", "shop/: a changed file runs with the next request"]]
    assert seen["first"] == (200, {"message": "first"})


def test_a_changed_file_is_said_and_runs_with_the_next_request(seen):
    assert seen["changed"] == ("shop/shop.py changed. The next request runs it.", (200, {"message": "second"}))


def test_broken_code_is_one_sentence_and_fails_as_on_lambda_until_it_is_fixed(seen):
    assert seen["broken"] == (
        "shop/shop.py changed. Importing shop:app fails: '(' was never closed, in shop.py, line 1. Fix it. "
        "Until then requests get this error, as on Lambda.",
        (500, {"message": "Internal Server Error"}),
    )
    assert seen["fixed"] == ("shop/shop.py changed. The next request runs it.", (200, {"message": "third"}))


def test_requirements_that_can_not_be_installed_leave_what_runs(seen):
    sentence, answer = seen["not installable"]
    assert sentence == (
        "shop/requirements.txt changed. shop/requirements.txt, line 1, names './wheels/missing.whl', but shop has no "
        "such file or folder: correct the line, or add it. Until then the function runs what it had."
    )
    assert answer == (200, {"message": "third"})


def test_changed_requirements_are_installed_which_is_said(seen):
    assert seen["installable"] == (
        "shop/requirements.txt changed. The next request runs it.",
        (200, {"message": "third"}),
    )
    assert seen["installed"] == ("shop/shop.py changed. The next request runs it.", (200, {"message": "hello"}))
    assert "Installing what the application needs (once, it is kept) ..." in seen["steps"]


def test_a_long_session_keeps_the_deployed_image_and_the_last_two(seen):
    assert seen["as deployed"] == ("shop/shop.py changed. The next request runs it.", (200, {"message": "first"}))
    assert seen["images"] == 3


def built(copy, name):
    """What a watch needs of a sandbox, with an image of an application of this name; the file of its code."""
    renewals = Renewals(ImageStore(copy.parent / name, None, venvs=VENVS), copy.parent / name)
    file = copy / name / f"{name}.py"
    file.parent.mkdir()
    file.write_text(code("before it"))
    arguments = {"APP_DIR": name, "FLASK_APP": f"{name}:app", "CHECK_IMPORT": "0"}
    dockerfile = copy / "infra" / "Dockerfile"
    image = renewals.build(context=copy, dockerfile=dockerfile, args=arguments, platform="linux/amd64")
    version = SimpleNamespace(image=image.digest)
    here = SimpleNamespace(
        renewals=renewals,
        deployment=SimpleNamespace(outputs={}),
        invocations=SimpleNamespace(version=lambda *_: version),
    )
    return here, file


def test_no_file_is_looked_at_before_the_sandbox_serves_and_what_changed_until_then_is_not_lost(copy):
    here, file = built(copy, "early")
    away = copy.rename(copy.with_name("away"))
    watch = Watch(here)
    away.rename(copy)
    file.write_text(code("after it"))
    assert [watch.look() for _ in range(3)] == [["early/early.py changed. The next request runs it."], [], []]
    file.write_text(code("later"))
    assert [watch.look() for _ in range(2)] == [[], ["early/early.py changed. The next request runs it."]]


def test_a_dockerfile_that_is_away_for_a_moment_ends_nothing(copy):
    here, stall = built(copy, "stall")
    renewals, file = here.renewals, copy / "infra" / "Dockerfile"
    watch = Watch(here)
    content = file.read_text()
    assert watch.look() == []
    file.unlink()
    assert [watch.look() for _ in range(3)] == [[], [], []]
    file.write_text(content)
    stall.write_text(code("after it"))
    assert [watch.look() for _ in range(2)] == [
        [],
        ["infra/Dockerfile, stall/stall.py changed. The next request runs them."],
    ]
    deployed = here.invocations.version().image
    assert renewals.now(deployed) != deployed


def test_nothing_is_watched_where_nobody_wants_it():
    assert (read_options([], {}).watch, read_options(["--no-watch"], {}).watch) == (True, False)
