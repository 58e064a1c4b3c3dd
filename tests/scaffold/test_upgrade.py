"""`make upgrade` takes newer tooling in; settings, the application, and what a person edited are never lost."""

import shutil

import pytest

from scaffold import tooling
from scaffold.__main__ import main
from scaffold.errors import ScaffoldError
from scaffold.new import lay_out
from scaffold.upgrade import upgrade
from tests.scaffold.test_new import contents
from tests.support.program import ROOT


@pytest.fixture
def repository(tmp_path):
    """A deployment repository, with settings and files of one's own."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "shop.py").write_text("app = Flask(__name__)\n")
    lay_out(ROOT, tmp_path / "deploy", tmp_path / "shop", None)
    (tmp_path / "deploy" / "Pulumi.prod.yaml").write_text("config:\n  deploy:memorySize: 1024\n")
    (tmp_path / "deploy" / "infra" / "orders.py").write_text("mine = True\n")
    return tmp_path / "deploy"


@pytest.fixture
def newer(tmp_path):
    """A newer dualmode: a file changed, one added, one removed, a setting more."""
    folder = tmp_path / "newer"
    left_out = shutil.ignore_patterns(".git", ".venv", ".sandbox", "*_cache", "__pycache__", "tests", "benchmarks")
    shutil.copytree(ROOT, folder, ignore=left_out)
    (folder / "infra" / "http_api.py").write_text("# newer\n")
    (folder / "infra" / "queue.py").write_text("# new\n")
    (folder / "infra" / "grants.py").unlink()
    with (folder / "Pulumi.yaml").open("a") as schema:
        schema.write("  colour:\n    type: string\n    default: red\n")
    return folder


def test_newer_tooling_is_taken_and_everything_else_stays(repository, newer):
    before = contents(repository)
    done = upgrade(repository, newer)
    assert (done.added, done.changed, done.removed, done.kept, done.set_aside) == (
        ("infra/queue.py",),
        ("Pulumi.yaml", "infra/http_api.py"),
        ("infra/grants.py",),
        (),
        (),
    )
    after = contents(repository)
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert changed == {*done.added, *done.changed, *done.removed, tooling.MANIFEST}
    assert after["Pulumi.yaml"].startswith(b"name: deploy\n")
    assert b"colour" in after["Pulumi.yaml"]
    again = upgrade(repository, newer)
    assert (again.added, again.changed, again.removed) == ((), (), ())


def test_a_file_that_was_edited_here_and_there_is_refused_and_nothing_is_changed(repository, newer):
    (repository / "infra" / "http_api.py").write_text("# mine\n")
    (repository / "infra" / "grants.py").write_text("# mine\n")
    before = contents(repository)
    with pytest.raises(ScaffoldError) as caught:
        upgrade(repository, newer)
    assert str(caught.value) == (
        "Nothing was upgraded, since files were edited here and changed in the newer dualmode: infra/grants.py, "
        "infra/http_api.py. Undo your edits, or add REPLACE=1 to install the newer files and keep yours as FILE.local."
    )
    assert contents(repository) == before


def test_edits_are_kept_beside_the_newer_file_when_it_is_to_replace_them(repository, newer):
    (repository / "infra" / "http_api.py").write_text("# mine\n")
    done = upgrade(repository, newer, replace=True)
    assert done.set_aside == ("infra/http_api.py",)
    assert (repository / "infra" / "http_api.py").read_text() == "# newer\n"
    assert (repository / "infra" / "http_api.py.local").read_text() == "# mine\n"


def test_an_edited_file_that_the_newer_one_left_alone_stays_as_it_is(repository, newer):
    (repository / "__main__.py").write_text("# mine\n")
    assert upgrade(repository, newer).kept == ("__main__.py",)
    assert (repository / "__main__.py").read_text() == "# mine\n"
    assert upgrade(repository, newer).kept == ("__main__.py",)


def test_an_edit_that_the_newer_one_has_as_well_is_no_edit_any_more(repository, newer):
    (repository / "infra" / "http_api.py").write_text("# newer\n")
    done = upgrade(repository, newer)
    assert (done.kept, "infra/http_api.py" in done.changed) == ((), False)


def test_the_newer_dualmode_says_what_its_tooling_is(repository, newer, monkeypatch, capfd):
    (newer / "scaffold" / "tooling.py").write_text(
        (newer / "scaffold" / "tooling.py").read_text().replace('"walk"', '"walk", "costs"')
    )
    (newer / "costs").mkdir()
    (newer / "costs" / "__init__.py").write_text("")
    monkeypatch.chdir(repository)
    assert main(["upgrade", "--from", str(newer)]) == 0
    assert capfd.readouterr().out.splitlines() == [
        "added    costs/__init__.py",
        "added    infra/queue.py",
        "changed  Pulumi.yaml",
        "changed  infra/http_api.py",
        "changed  scaffold/tooling.py",
        "removed  infra/grants.py",
    ]


def test_what_is_no_deployment_repository_and_what_is_no_dualmode_is_said(repository, newer, tmp_path, monkeypatch):
    with pytest.raises(ScaffoldError, match="only a repository that `make new` made can be upgraded"):
        upgrade(tmp_path / "shop", newer)
    monkeypatch.chdir(repository)
    with pytest.raises(ScaffoldError, match="FROM is this repository itself"):
        upgrade(repository, repository)
    assert main(["upgrade", "--from", str(tmp_path / "shop")]) == 2
