"""`make new` lays out a repository that deploys an application, and changes nothing in the application."""

import json
import shutil
import subprocess
import sys

import pytest
import yaml

from scaffold import application, tooling
from scaffold.__main__ import main
from scaffold.errors import ScaffoldError
from scaffold.new import lay_out
from tests.support.program import ROOT
from tests.support.sandboxes import command, environment, with_venvs

SHOP = "from flask import Flask\napp = Flask(__name__)\n\n@app.get('/')\ndef index():\n    return {'shop': True}\n"


@pytest.fixture
def shop(tmp_path):
    """An application in a repository of its own, with files that git doesn't track."""
    folder = tmp_path / "code" / "shop"
    folder.mkdir(parents=True)
    (folder / "shop.py").write_text(SHOP)
    (folder / "requirements.txt").write_text("flask\n")
    (folder / "server.key").write_text("tracked, and secret")
    git = ["git", "-c", "init.defaultBranch=main", "-C", str(folder)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    (folder / "notes.txt").write_text("untracked")
    (folder / ".env").write_text("SECRET=1")
    return folder


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_application_is_laid_out_with_settings_and_runs_in_the_sandbox(shop, tmp_path):
    before = contents(shop)
    target = tmp_path / "shop-deploy"
    made = lay_out(ROOT, target, shop, None)
    assert (made.app_dir, made.flask_app) == ("shop", "shop:app")
    assert made.said == [
        "Not copied, because git doesn't track them, or they are links or secrets: .env, notes.txt, server.key."
    ]
    assert yaml.safe_load((target / "Pulumi.dev.yaml").read_text()) == {
        "config": {"aws:region": "us-east-1", "shop-deploy:appDir": "shop", "shop-deploy:flaskApp": "shop:app"}
    }
    assert contents(target / "shop") == {"requirements.txt": b"flask\n", "shop.py": SHOP.encode()}
    assert contents(shop) == before
    asked = command(with_venvs(tmp_path / "state"), "--request", "GET /", "--json")
    ended = subprocess.run(asked, cwd=target, env=environment(), capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(json.loads(ended.stdout)["body"]) == {"shop": True}
    checked = subprocess.run(
        [sys.executable, "-m", "check_app", "--code-only"], cwd=target, capture_output=True, text=True, timeout=60
    )
    assert checked.stdout == "shop: nothing found that Lambda does differently.\n"


def test_the_new_repositorys_makefile_lists_only_what_works_there(shop, tmp_path):
    lay_out(ROOT, tmp_path / "deploy", shop, None)
    command = ["make", "--no-print-directory", "help"]  # these tests may be run by make themselves
    shown = subprocess.run(command, cwd=tmp_path / "deploy", capture_output=True, text=True, timeout=60)
    targets = [line.split()[1] for line in shown.stdout.splitlines()]
    operations = ["logs", "invoke", "manage", "smoke", "release", "rollback", "versions", "restart"]
    assert targets == [
        "help",
        "sandbox",
        *operations,
        "explain",
        "cost",
        "doctor",
        "check-app",
        "new",
        "upgrade",
        "audit",
        "clean",
    ]


def test_every_house_that_a_deployment_needs_is_taken():
    houses = {path.name for path in ROOT.iterdir() if (path / "__init__.py").is_file()}
    assert houses - tooling.TAKEN == {"benchmarks", "tests"}


@pytest.mark.parametrize(
    ("target", "app", "sentence"),
    [
        (
            "deploy",
            "nowhere",
            "APP is '{0}/nowhere', but that folder doesn't exist: set APP to the folder of your application.",
        ),
        ("code", "code/shop", "DIR is '{0}/code', but it already exists: set DIR to a new or an empty folder."),
        (
            "code/shop/deploy",
            "code/shop",
            "DIR is '{0}/code/shop/deploy', but it is in another repository: set DIR to a",
        ),
        (
            "deploy",
            "empty",
            "APP is '{0}/empty', but it has no Python file: set APP to the folder of your application.",
        ),
    ],
)
def test_what_can_not_be_laid_out_is_refused_before_anything_is_written(shop, tmp_path, target, app, sentence):
    (tmp_path / "empty").mkdir()
    before = contents(tmp_path)
    with pytest.raises(ScaffoldError) as caught:
        lay_out(ROOT, tmp_path / target, tmp_path / app, None)
    assert str(caught.value).startswith(sentence.format(tmp_path))
    assert contents(tmp_path) == before


def test_an_application_that_is_not_found_is_said(tmp_path, capsys, monkeypatch):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "shop.py").write_text("import web\n")
    monkeypatch.chdir(ROOT)
    assert main(["new", "--dir", str(tmp_path / "deploy"), "--app", str(tmp_path / "shop"), "--no-run"]) == 1
    said = capsys.readouterr()
    assert said.err == (
        f"dualmode: {tmp_path / 'deploy'} is complete, but was not tried: set flaskApp in its Pulumi.dev.yaml, and try "
        "it there with ./sandbox.sh --request 'GET /'.\n"
    )
    assert said.out.splitlines() == [
        f"{tmp_path / 'deploy'} deploys shop/, once flaskApp is set.",
        "  No application was found in the code: say where it is with `pulumi config set flaskApp`, or in "
        "Pulumi.dev.yaml, such as shop:app.",
        "  No file declares dependencies: add shop/requirements.txt if there are any.",
    ]


@pytest.mark.parametrize(("works", "status"), [(True, 0), (False, 1)])
def test_where_only_the_trial_failed_the_repository_is_said_to_be_complete(
    shop, tmp_path, capsys, monkeypatch, works, status
):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("scaffold.__main__.answers", lambda folder: works)
    target = tmp_path / "deploy"
    assert main(["new", "--dir", str(target), "--app", str(shop)]) == status
    assert (target / "Pulumi.dev.yaml").is_file()
    assert capsys.readouterr().err == (
        ""
        if works
        else f"dualmode: {target} is complete, only its trial failed: correct what is said above, and try again there "
        "with ./sandbox.sh --request 'GET /'.\n"
    )


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"app.py": "app = Flask(__name__)"}, ["app:app"]),
        ({"shop.py": "import flask\nsite: flask.Flask = flask.Flask('a')"}, ["shop:site"]),
        ({"__init__.py": "def create_app(test_config=None):\n    return Flask('a')"}, ["shop:create_app()"]),
        ({"__init__.py": "", "web.py": "app = create_app()"}, ["shop.web:app"]),
        ({"shop/__init__.py": "app = Flask('a')"}, ["shop:app"]),
        ({"src/shop/__init__.py": "def create_app(): pass"}, ["src/shop/__init__.py:create_app()"]),
        ({"things.py": "import falcon\napi = falcon.App()"}, ["things:api"]),
        ({"web.py": "config = Configurator()\nserved = config.make_wsgi_app()"}, ["web:served"]),
        ({"screen.py": "import textual\napp = textual.App()"}, []),
        ({"site/wsgi.py": "application = get_wsgi_application()"}, ["site/wsgi.py:application"]),
        ({"factory.py": "def create_app(config): pass"}, []),
        ({"factory.py": "def create_app(*, config): pass"}, []),
        ({"tests/test_app.py": "app = Flask('a')", "broken.py": "def"}, []),
        (
            {"shop.py": "app = Flask('a')", "wsgi.py": "from shop import create_app\napplication = create_app()"},
            ["wsgi:application", "shop:app"],
        ),
    ],
)
def test_the_application_is_found_by_reading_the_code(tmp_path, files, found):
    for name, code in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(code)
    assert application.flask_apps(tmp_path, "shop", list(files)) == found


@pytest.mark.parametrize(
    ("files", "python"),
    [
        ({}, None),
        ({".python-version": "3.13.1\n"}, (3, 13)),
        ({"pyproject.toml": '[project]\nrequires-python = ">=3.9,<3.13"\n'}, (3, 12)),
        ({"pyproject.toml": '[project]\nrequires-python = "==3.12.*"\n'}, (3, 12)),
        ({"pyproject.toml": '[project]\nrequires-python = ">=3.9,<4"\n'}, None),
        ({"pyproject.toml": "not toml ["}, None),
    ],
)
def test_the_python_that_an_application_asks_for_is_read(tmp_path, files, python):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    assert application.python(tmp_path) == python


def test_an_older_python_becomes_the_base_image(shop, tmp_path):
    (shop / ".python-version").write_text("3.13\n")
    made = lay_out(ROOT, tmp_path / "deploy", shop, "shop:app")
    assert "baseImage has Python 3.13, as the application asks." in made.said
    settings = yaml.safe_load((tmp_path / "deploy" / "Pulumi.dev.yaml").read_text())["config"]
    assert settings["deploy:baseImage"].endswith("python:3.13-slim")


def test_a_folder_whose_name_the_tooling_has_gets_another_one(shop, tmp_path):
    for name, taken in (("infra", "infra_app"), ("my.shop", "my_shop")):
        shutil.copytree(shop, tmp_path / name)
        assert lay_out(ROOT, tmp_path / f"{taken}-deploy", tmp_path / name, "shop:app").app_dir == taken
