"""What becomes of an application that can't be imported when an image of it is built, and run."""

import re
import subprocess

import pytest

from sandbox.runner.build_context import read_context
from tests.conftest import image_tag
from tests.support.containers import base_image, build, project_with, serving

GOOD = "from flask import Flask\napp = Flask(__name__)\n"
NEEDS_A_SECRET = """
import os

from flask import Flask

SECRET = os.environ["SECRET"]
app = Flask(__name__)
app.get("/")(lambda: SECRET)
"""


def build_of(engine, folder, source, flask_app, **arguments):
    project = project_with(folder, {"shop.py": source})
    return build(engine, project, image_tag("broken"), APP_DIR="app", FLASK_APP=flask_app, **arguments)


@pytest.mark.parametrize(
    ("flask_app", "sentence"),
    [
        ("stop:app", 'FLASK_APP is "stop:app", but there is no module stop in /var/task, which has shop.py.'),
        (
            "shop:application",
            'FLASK_APP is "shop:application", but module shop (/var/task/shop.py) has no application; it has app.',
        ),
    ],
)
def test_a_build_fails_with_one_sentence_where_flask_app_names_no_application(engine, tmp_path, flask_app, sentence):
    result = build_of(engine, tmp_path, GOOD, flask_app)
    assert not result.succeeded
    assert [line for line in result.output.splitlines() if "FLASK_APP is" in line] == [f"dualmode: {sentence}"]
    assert "Traceback" not in result.output


def test_a_build_fails_with_the_error_of_an_application_that_breaks_when_imported(engine, tmp_path):
    result = build_of(engine, tmp_path, "import a_package_nobody_has\n", "shop:app")
    assert not result.succeeded
    assert "No module named 'a_package_nobody_has'" in result.output


def test_a_package_without_a_wheel_for_the_base_s_python_is_named_with_a_base_that_has_one(engine, tmp_path):
    project = project_with(tmp_path, {"shop.py": GOOD, "requirements.txt": "lxml==5.3.0\n"})
    result = build(engine, project, image_tag("broken"), APP_DIR="app", FLASK_APP="shop:app")
    assert not result.succeeded
    (sentence,) = [line for line in result.output.splitlines() if line.startswith("dualmode: ")]
    assert sentence.startswith(
        "dualmode: The packages of app/requirements.txt can't be installed. lxml==5.3.0 (line 1) has no wheel for"
        " Python 3.15: the newest Python that has one is 3.13, so set baseImage to "
    )


@pytest.fixture(scope="module")
def secretive(engine, tmp_path_factory):
    """The project with an application that can't be imported without a secret, and its image."""
    project = project_with(tmp_path_factory.mktemp("secretive"), {"shop.py": NEEDS_A_SECRET})
    tag = image_tag("secretive")
    result = build(engine, project, tag, APP_DIR="app", FLASK_APP="shop:app", CHECK_IMPORT="0")
    assert result.succeeded, result.output
    return project, tag


def test_a_build_imports_the_application_unless_it_is_told_not_to(engine, secretive):
    project, _ = secretive
    result = build(engine, project, image_tag("broken"), APP_DIR="app", FLASK_APP="shop:app")
    assert (result.succeeded, "KeyError: 'SECRET'" in result.output) == (False, True)


def test_an_application_that_was_not_imported_at_build_time_gets_its_secret_when_it_runs(engine, secretive):
    with serving(engine, secretive[1], "gateway", environment={"SECRET": "hush"}) as container:
        assert container.request("GET", "/").body == b"hush"


def test_an_application_that_breaks_when_imported_answers_as_a_function_of_aws_would(engine, secretive):
    with serving(engine, secretive[1], "gateway") as container:
        reply = container.request("GET", "/")
        assert (reply.status, reply.json) == (500, {"message": "Internal Server Error"})
        assert "KeyError: 'SECRET'" in container.logs()


SECRETS = (
    ".env",
    ".env.production",
    ".envrc",
    ".flaskenv",
    ".netrc",
    ".pypirc",
    ".npmrc",
    ".aws/credentials",
    ".ssh/config",
    ".git/config",
    ".config/gcloud/key.json",
    "id_rsa",
    "id_rsa.pub",
    "id_rsa_work",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "server.key",
    "server.pem",
    "client.p12",
    "client.pfx",
    "store.jks",
    "server.ppk",
    "key.p8",
    "secring.gpg",
    "vault.kdbx",
    "release.keystore",
    "terraform.tfstate",
    "terraform.tfstate.backup",
    "instance/config.py",
    "local.sqlite",
    "local.sqlite3",
    "local.sqlite3-wal",
    "local.db",
    "local.db-journal",
)
WANTED = ("shop.py", "id_cards.py", "environment.py", "instances.py", "keys/pem.py", "static/v1.2/app.min.js")


def test_no_secret_of_a_developer_gets_into_an_image_and_the_sandbox_reads_the_context_as_the_engine_does(
    engine, tmp_path
):
    project = project_with(tmp_path / "project", {})
    for folder in (project, project / "app", project / "app" / "deep" / "down", project / "scripts" / "more"):
        for name in (*SECRETS, *WANTED):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("hunter2")
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(f"FROM {base_image()}\nCOPY . /context/\nRUN find /context -type f -printf '<%P>\\n'\n")
    command = [engine, "build", "--no-cache", "--file", dockerfile, "--tag", image_tag("context"), project]
    build = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert build.returncode == 0, build.stderr
    copied = set(re.findall(r"<([^<>%]+)>", build.stdout + build.stderr))
    wanted = {f"{folder}/{name}" for folder in ("app", "app/deep/down", "scripts/more") for name in WANTED}
    parts = {"app", "scripts/more", "keys", "static"}
    assert {path for path in copied if path.startswith(tuple(f"{part}/" for part in parts))} == wanted | {
        "keys/pem.py",
        "static/v1.2/app.min.js",
    }
    assert copied == set(read_context(project, dockerfile).paths)
