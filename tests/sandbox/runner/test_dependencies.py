"""Dependencies as people declare them: the same application imports them in a process and in a container."""

import shutil
import subprocess
import textwrap

import pytest

from sandbox.errors import SandboxError
from sandbox.runner.images import ImageStore
from tests.conftest import ROOT, image_tag
from tests.support.containers import build as build_image
from tests.support.containers import project_with
from tests.support.local_wheel import write_wheel
from tests.support.slow_tests import slow_but

# The application asks for what it was installed with when it is imported: a build that succeeds has it.
SHOP = """
    from importlib.metadata import version
    {imports}
    assert {expected}
    from flask import Flask
    app = Flask(__name__)
    """
LOCKED = 'itsdangerous.__version__ == "2.1.2"'  # the runtime's own is newer
HASH = "sha256:2c2349112351b88699d8d4b6b075022c0808887cb7ad10069318a8b0bc88db44"
PROJECT = """
    [build-system]
    requires = ["flit_core"]
    build-backend = "flit_core.buildapi"
    [project]
    name = "shop"
    version = "7.0"
    description = "A shop"
    dependencies = ["itsdangerous==2.1.2"]
    """
POETRY = """
    [tool.poetry]
    package-mode = false
    [tool.poetry.dependencies]
    python = ">=3.11"
    itsdangerous = "2.1.2"
    """
POETRY_LOCK = f"""
    [[package]]
    name = "itsdangerous"
    version = "2.1.2"
    description = ""
    optional = false
    python-versions = ">=3.7"
    groups = ["main"]
    files = [{{file = "itsdangerous-2.1.2-py3-none-any.whl", hash = "{HASH}"}}]

    [metadata]
    lock-version = "2.1"
    python-versions = ">=3.11"
    content-hash = "dca6934236b8cfe3bb2ece74e8a00043a7c02b146ada14627ed96eada9b48706"
    """
POETRY_LIB = """
    [[package]]
    name = "lib"
    version = "7.0"
    description = ""
    optional = false
    python-versions = "*"
    groups = ["main"]
    files = []
    develop = false
    source = {type = "directory", url = "lib"}
    [package.dependencies]
    itsdangerous = "2.1.2"
    """
LIB = PROJECT.replace('"shop"', '"lib"')
LIB_CODE = "TEXT = 'lib'\n"


def shop(expected, *, imports="import itsdangerous", at="shop.py", **files):
    return {at: SHOP.format(imports=imports, expected=expected)} | {
        name.replace("__", "/").replace("_toml", ".toml").replace("_txt", ".txt").replace("_lock", ".lock"): content
        for name, content in files.items()
    }


FORMS = {
    "hashes": shop(LOCKED, requirements_txt=f"itsdangerous==2.1.2 \\\n    --hash={HASH}\n"),
    "files in folders": shop(
        LOCKED,
        requirements_txt="-r requirements/base.txt\n",
        requirements__base_txt="-c limits.txt\nitsdangerous\n",
        requirements__limits_txt="itsdangerous<2.2\n",
    ),
    "a local wheel": shop(
        "greeting.TEXT == 'hello'",
        imports="import greeting",
        requirements_txt="./wheels/greeting-1.0-py3-none-any.whl\n",
    ),
    "the folder itself": shop(
        f"{LOCKED} and version('shop') == '7.0'", requirements_txt="-e .\n", pyproject_toml=PROJECT
    ),
    "a project without requirements.txt, in src": shop(
        f"{LOCKED} and version('shop') == '7.0'", at="src/shop/__init__.py", pyproject_toml=PROJECT
    ),
    "a project with a package of the same name": {"app/__init__.py": "", "app/shop.py": "from shop import app"}
    | shop(f"{LOCKED} and version('shop') == '7.0'", pyproject_toml=PROJECT),
    "src alone": shop(LOCKED, at="src/shop/__init__.py", requirements_txt="itsdangerous==2.1.2\n"),
    "poetry.lock": shop(LOCKED, pyproject_toml=POETRY, poetry_lock=POETRY_LOCK),
    "poetry.lock with a project in the folder": {"lib/lib/__init__.py": LIB_CODE}
    | shop(
        f"{LOCKED} and lib.TEXT == 'lib'",
        imports="import itsdangerous, lib",
        pyproject_toml=POETRY.replace('itsdangerous = "2.1.2"', 'lib = {path = "lib"}'),
        poetry_lock=POETRY_LOCK.replace(
            "dca6934236b8cfe3bb2ece74e8a00043a7c02b146ada14627ed96eada9b48706",
            "e24a76e1351a2bf25ba66bab418e503729ccaf997eecb27484b6ff93e01527db",
        )
        + POETRY_LIB,
        lib__pyproject_toml=LIB,
    ),
}


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(content))
    if "wheels/" in files.get("requirements.txt", ""):
        write_wheel(folder / "wheels")


@pytest.fixture
def build(tmp_path):
    """Builds an image of an application's files without an engine, and returns the store and the image."""
    context = project_with(tmp_path / "project", {})
    store = ImageStore(tmp_path / "state", None, venvs=ROOT / ".sandbox" / "venvs")

    def run(files, **arguments):
        shutil.rmtree(context / "app", ignore_errors=True)
        write(context / "app", files)
        built = store.build(
            context=context,
            dockerfile=context / "infra" / "Dockerfile",
            args={"APP_DIR": "app", "FLASK_APP": "shop:app", **arguments},
            platform="linux/amd64",
        )
        return store.find(built.digest)

    run.python = store.python
    return run


@pytest.mark.parametrize("form", slow_but(["hashes", "files in folders", "a local wheel"], FORMS))
def test_a_process_has_what_the_application_declares_as(build, form):
    assert build(FORMS[form]).flask_app == "shop:app"


def test_a_lock_of_uv_is_read_by_uv(build, tmp_path):
    project = (
        '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["itsdangerous<2.2"]\n'
    )
    (tmp_path / "pyproject.toml").write_text(project)
    uv = ROOT / ".venv" / "bin" / "uv"
    subprocess.run([uv, "lock", "--quiet"], cwd=tmp_path, check=True, timeout=60)
    lock = (tmp_path / "uv.lock").read_text()
    assert build({**shop(LOCKED), "pyproject.toml": project, "uv.lock": lock})


@pytest.mark.slow
@pytest.mark.parametrize("source", ['{ path = "lib" }', "{ workspace = true }"])
def test_a_project_in_the_folder_that_a_lock_of_uv_names_is_installed(build, tmp_path, source):
    files = {
        "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\n'
        f'dependencies = ["lib"]\n[tool.uv.sources]\nlib = {source}\n'
        + '[tool.uv.workspace]\nmembers = ["lib"]\n'
        * ("workspace" in source),
        "lib/pyproject.toml": LIB,
        "lib/lib/__init__.py": LIB_CODE,
    }
    write(tmp_path / "locked", files)
    uv = ROOT / ".venv" / "bin" / "uv"
    subprocess.run([uv, "lock", "--quiet"], cwd=tmp_path / "locked", check=True, timeout=60)
    lock = (tmp_path / "locked" / "uv.lock").read_text()
    application = shop(f"{LOCKED} and lib.TEXT == 'lib'", imports="import itsdangerous, lib")
    assert build({**application, **files, "uv.lock": lock})


def test_a_change_of_the_code_installs_nothing_again(build):
    files = FORMS["hashes"]
    first = build.python(build(files))
    assert build.python(build({**files, "shop.py": files["shop.py"] + "\n\n    NEW = 1\n"})) == first


def test_a_change_of_an_application_s_own_package_is_there_at_the_next_start(build):
    files = FORMS["the folder itself"]
    first = build.python(build(files))
    changed = build({**files, "shop.py": files["shop.py"].rstrip(" ") + "    NEW = 1\n"})
    assert build.python(changed) != first
    assert "NEW = 1" in (build.python(changed).parents[1] / "application" / "shop.py").read_text()


def test_an_application_s_own_flask_leaves_that_of_others_alone(build):
    old = build(shop("version('itsdangerous') == '2.1.2'", requirements_txt="itsdangerous==2.1.2\n"))
    new = build(shop("version('itsdangerous') == '2.2.0'"))
    assert build.python(old) != build.python(new)


REFUSED = {
    "a package that nobody has": (
        {"requirements.txt": "dualmode-has-no-such-package==1\n"},
        "The packages of app/requirements.txt can't be installed, because of dualmode-has-no-such-package==1 (line 1):"
        " the package index has no package of that name; correct the name, or check that the right index is reached.",
    ),
    "a file that isn't there": (
        {"requirements.txt": "-r base.txt\n"},
        "The image of app can't be built. app/requirements.txt, line 1, names '-r base.txt', but app has no such file"
        " or folder: correct the line, or add it.",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_installed_names_the_user_s_own_file(build, what):
    files, sentence = REFUSED[what]
    with pytest.raises(SandboxError) as refused:
        build({**shop("True"), **files})
    assert str(refused.value).splitlines()[-1] == sentence
    assert "application-requirements" not in str(refused.value)


def test_an_application_gets_the_function_s_variables_while_it_is_imported(build):
    needy = shop("os.environ['SECRET_KEY'] == 'hush'", imports="import os")
    assert build(needy, CHECK_ENVIRONMENT='{"SECRET_KEY": "hush"}')
    with pytest.raises(SandboxError, match=r"KeyError.*\n.*fails with KeyError, as shown above"):
        build(needy)


def test_a_container_has_what_the_application_declares(engine, tmp_path):
    """One image for all forms that don't exclude each other, since each takes a build."""
    files = {
        **FORMS["a local wheel"],
        **FORMS["files in folders"],
        **shop(
            f"{LOCKED} and greeting.TEXT == 'hello' and version('shop') == '7.0' and os.environ['SECRET'] == 'hush'",
            imports="import itsdangerous, greeting, os",
            at="src/shop/__init__.py",
        ),
        "app/__init__.py": "",  # a package in the folder may have the folder's name
        "pyproject.toml": PROJECT,
        "requirements.txt": "-r requirements/base.txt\n./wheels/greeting-1.0-py3-none-any.whl\n-e .\n",
    }
    del files["shop.py"]
    project = project_with(tmp_path / "project", {})
    write(project / "app", files)
    tag = image_tag("declared")
    result = build_image(
        engine, project, tag, APP_DIR="app", FLASK_APP="shop:app", CHECK_ENVIRONMENT='{"SECRET": "hush"}'
    )
    assert result.succeeded, result.output[-3000:]
    for about in (["history", "--no-trunc", tag], ["image", "inspect", tag]):
        said = subprocess.run([engine, *about], capture_output=True, text=True, check=True).stdout
        assert "SECRET" not in said
