import hashlib
import json
import os
import shutil
import sys

import pytest

from sandbox.errors import SandboxError
from sandbox.runner.build_context import read_context
from sandbox.runner.container_engine import inspect_image
from sandbox.runner.images import ImageStore
from tests.support.processes import commands
from tests.support.program import ROOT

SERVER = "from flask import Flask\n\napp = Flask(__name__)\n"


@pytest.fixture
def context(tmp_path):
    """A small project with the real runtime."""
    folder = tmp_path / "project"
    for part in ("scripts", "dualmode", "infra/dependencies"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "infra" / "Dockerfile").write_text("FROM scratch\n")
    (folder / "shop").mkdir()
    (folder / "shop" / "shop.py").write_text(SERVER)
    (folder / ".dockerignore").write_text("**/*.log\nsecret\n# comment\n!keep.log\n")
    return folder


@pytest.fixture
def store(tmp_path):
    return ImageStore(tmp_path / "state", None, venvs=ROOT / ".sandbox" / "venvs")


def build(store, context, **different):
    arguments = {"APP_DIR": "shop", "FLASK_APP": "shop:app", **different}
    return store.build(
        context=context, dockerfile=context / "infra" / "Dockerfile", args=arguments, platform="linux/amd64"
    )


def content_digest(context, **arguments):
    return read_context(context, context / "infra" / "Dockerfile").digest(arguments)


def test_the_digest_is_the_one_that_a_registry_computes_of_the_manifest(store, context):
    built = build(store, context)
    assert built.digest == "sha256:" + hashlib.sha256(built.manifest.encode()).hexdigest()
    assert json.loads(built.manifest)["mediaType"] == built.media_type


def test_the_same_content_has_the_same_digest_wherever_and_whenever_it_lies(store, context, tmp_path):
    built = build(store, context)
    clone = tmp_path / "clone"
    shutil.copytree(context, clone, symlinks=True, copy_function=shutil.copyfile)
    (clone / "scripts" / "entrypoint.sh").chmod(0o700)
    for file in clone.rglob("*"):
        os.utime(file, (1, 1))
    assert build(store, clone).digest == built.digest


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "shop" / "shop.py").write_text(SERVER + "\n"),
        lambda folder: (folder / "shop" / "shop.py").rename(folder / "shop" / "store.py"),
        lambda folder: (folder / "shop" / "shop.py").chmod(0o755),
        lambda folder: (folder / "shop" / "link").symlink_to("shop.py"),
        lambda folder: (folder / "infra" / "Dockerfile").write_text("FROM other\n"),
        lambda folder: (folder / "keep.log").write_text("kept"),
    ],
    ids=["content", "name", "executable", "link", "Dockerfile", "kept by an exception"],
)
def test_an_image_s_digest_changes_with_its_content_and_its_dockerfile(context, change):
    before = content_digest(context)
    change(context)
    assert content_digest(context) != before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "shop" / "debug.log").write_text("noise"),
        lambda folder: (folder / "secret").mkdir(),
        lambda folder: os.utime(folder / "shop" / "shop.py", (1, 1)),
        lambda folder: (folder / "shop" / "shop.py").chmod(0o600),
    ],
    ids=["ignored file", "ignored folder", "time", "mode of a reader"],
)
def test_the_digest_does_not_change_with(context, change):
    before = content_digest(context)
    change(context)
    assert content_digest(context) == before


def test_the_digest_changes_with_the_build_arguments(context):
    assert content_digest(context, A="1") != content_digest(context, A="2") != content_digest(context)


def test_a_dockerfile_that_the_context_leaves_out_counts_as_well(context):
    (context / ".dockerignore").write_text("infra\n")
    before = content_digest(context)
    (context / "infra" / "Dockerfile").write_text("FROM other\n")
    assert content_digest(context) != before


def test_files_are_read_in_an_order_of_their_own(context):
    paths = read_context(context, context / "infra" / "Dockerfile").paths
    assert list(paths) == sorted(paths)


def test_a_file_of_its_own_beside_the_dockerfile_is_its_dockerignore(context):
    (context / "infra" / "Dockerfile.dockerignore").write_text("shop\n")
    paths = read_context(context, context / "infra" / "Dockerfile").paths
    assert "shop/shop.py" not in paths
    assert "scripts/server.py" in paths


def test_an_image_is_laid_out_as_the_dockerfile_lays_it_out(store, context):
    (context / "shop" / "requirements.txt").write_text("")
    image = store.find(build(store, context).digest)
    assert (image.task / "shop.py").read_text() == SERVER
    assert (image.runtime / "dualmode" / "gateway" / "__main__.py").exists()
    assert os.access(image.runtime / "scripts" / "entrypoint.sh", os.X_OK)
    assert json.loads((image.needed.declared / "plan.json").read_text())["source"] == "requirements.txt"
    assert (image.container_engine, image.flask_app) == ("", "shop:app")


def test_an_empty_folder_of_the_application_is_in_the_image_and_an_ignored_one_is_not(store, context):
    (context / ".dockerignore").write_text("**/*.log\n**/secret\n")
    before = content_digest(context)
    (context / "shop" / "secret").mkdir()
    assert content_digest(context) == before
    (context / "shop" / "uploads" / "pictures").mkdir(parents=True)
    (context / "shop" / "logs").mkdir()
    (context / "shop" / "logs" / "shop.log").write_text("ignored")
    assert content_digest(context) != before
    image = store.find(build(store, context).digest)
    found = sorted(path.relative_to(image.task).as_posix() for path in image.task.rglob("*") if path.is_dir())
    assert [path for path in found if "__pycache__" not in path] == ["logs", "uploads", "uploads/pictures"]


def test_an_application_that_is_a_package_keeps_its_name(store, context):
    (context / "shop" / "__init__.py").write_text("")
    image = store.find(build(store, context, FLASK_APP="shop.shop:app").digest)
    assert sorted(path.name for path in image.task.iterdir() if path.name != "__pycache__") == ["shop"]


def test_a_new_build_leaves_the_older_image_as_it_was(store, context):
    first = build(store, context)
    (context / "shop" / "shop.py").write_text(SERVER + "VERSION = 2\n")
    second = build(store, context)
    assert first.digest != second.digest
    assert (store.find(first.digest).task / "shop.py").read_text() == SERVER


def test_an_application_that_cannot_be_imported_is_not_built(store, context):
    (context / "shop" / "shop.py").write_text("import nothing_of_this_name\n")
    with pytest.raises(SandboxError) as refused:
        build(store, context)
    assert "nothing_of_this_name" in str(refused.value)
    assert str(refused.value).splitlines()[-1] == (
        "The image of shop can't be built. Importing shop:app fails: there is no module nothing_of_this_name. "
        "The packages of shop are read from shop/requirements.txt, or else from shop/pyproject.toml with its uv.lock "
        "or poetry.lock, or else from setup.py, but none of these exists: add one that names the package."
    )
    assert not [path for path in (store._folder).iterdir() if path.is_dir()]


def test_an_application_that_cannot_be_imported_here_is_built_when_asked(store, context):
    (context / "shop" / "shop.py").write_text("import nothing_of_this_name\n")
    assert store.find(build(store, context, CHECK_IMPORT="0").digest)


def test_what_differs_from_the_deployed_image_is_said_once(context, tmp_path):
    said = []
    store = ImageStore(tmp_path / "state", None, venvs=ROOT / ".sandbox" / "venvs", progress=said.append)
    (context / ".dockerignore").write_text("**/.env\n**/.env.*\n")
    for name in (".env", ".env.local", ".env.example"):
        (context / "shop" / name).write_text("SECRET=1\n")
    (context / "infra" / "Dockerfile").write_text("ARG BASE_IMAGE=python:3.99-slim\n")
    for _ in range(2):
        build(store, context)
    assert [line for line in said if ".env" in line] == [
        "shop/.env and shop/.env.local stay out of the image: set their variables in the setting environment."
    ]
    assert [line.partition(":")[0] for line in said if "3.99" in line] == [
        f"The function runs on this machine's Python 3.{sys.version_info.minor}, but the image has 3.99"
    ]


def test_an_application_that_writes_beside_its_code_when_it_is_imported_is_not_built(store, context):
    (context / "shop" / "shop.py").write_text(f"open('seed.txt', 'w').close()\n{SERVER}")
    with pytest.raises(SandboxError) as refused:
        build(store, context)
    assert str(refused.value).splitlines()[-1] == (
        "The image of shop can't be built. Importing shop:app writes seed.txt, as shown above, but Lambda's disk is"
        " read-only except for /tmp: write only temporary files there, as with"
        ' Flask(__name__, instance_path="/tmp/instance"),'
        " and keep the rest in S3 or a database."
    )
    assert "Read-only file system: 'seed.txt'" in str(refused.value)
    assert '  |   File "/var/task/shop.py", line 1, in <module>' in str(refused.value).splitlines()


def test_a_folder_that_the_context_lacks_is_named(store, context):
    with pytest.raises(SandboxError, match="has no folder shpo"):
        build(store, context, APP_DIR="shpo")


def test_an_image_that_was_not_built_here_is_not_found(store):
    assert store.find("sha256:" + "0" * 64) is None


def test_an_engine_builds_once_and_its_failure_is_shown(engine, context, tmp_path):
    store = ImageStore(tmp_path / "state", engine)
    dockerfile = context / "infra" / "Dockerfile"
    dockerfile.write_text("FROM scratch\nCOPY shop /shop\n")
    first = build(store, context)
    image = store.find(first.digest)
    assert (image.container_engine, image.image_id[:7]) == (engine, "sha256:")
    assert json.loads(first.manifest)["config"]["digest"] == image.image_id
    assert build(store, context) == first
    dockerfile.write_text("FROM scratch\nCOPY missing /missing\n")
    with pytest.raises(SandboxError) as refused:
        build(store, context)
    assert "missing" in str(refused.value)
    assert str(refused.value).splitlines()[-1] == f"{engine} can't build Dockerfile; its last lines are above."
    dockerfile.write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCOPY shop /shop\n")
    with pytest.raises(SandboxError) as refused:
        build(store, context, BASE_IMAGE="localhost/nobody-has-this:1")
    assert str(refused.value).splitlines()[-1] == (
        f"{engine} can't get localhost/nobody-has-this:1; its last lines are above: set baseImage to an image that it"
        " has or can reach, or set DUALMODE_ENGINE=none to run without containers."
    )


def test_a_builds_argument_shows_in_no_list_of_processes(engine, context, tmp_path):
    dockerfile = context / "infra" / "Dockerfile"
    dockerfile.write_text("FROM scratch\nARG TOKEN\nCOPY shop /shop\nLABEL token=$TOKEN\n")
    store = ImageStore(tmp_path / "state", engine)
    with commands() as seen:
        image = store.find(build(store, context, TOKEN="hunter2").digest)
    assert inspect_image(engine, image.image_id)["Config"]["Labels"]["token"] == "hunter2"
    assert any("--build-arg TOKEN" in command for command in seen)
    assert not [command for command in seen if "hunter2" in command]


def test_a_builds_argument_can_not_change_what_the_engine_reads(engine, context, tmp_path):
    with pytest.raises(SandboxError) as refused:
        build(ImageStore(tmp_path / "state", engine), context, PATH="/elsewhere")
    assert str(refused.value) == f"The build argument PATH is a variable that {engine} reads itself: rename it."
