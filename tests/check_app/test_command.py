"""The command says what it found, and its status says whether the application can work at all."""

import shutil
import zipfile

import pytest

from check_app.__main__ import main
from check_app.files import findings
from tests.support.program import ROOT


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with the repository's settings and an application in `shop`."""
    (tmp_path / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "shop.py").write_text("import threading\n\nthreading.Timer(1, print).start()\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_findings_are_warnings_with_file_line_and_the_way_out(project, capsys):
    assert main(["--code-only", "--app", "shop", "--flask-app", "shop:app"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "shop/shop.py:3: warning: starts a thread: Lambda freezes the function once the response is sent",
        "    Do it before the response, or send it to a queue: SQS or EventBridge Scheduler, to DUALMODE_EVENTS_PATH.",
        "shop works on Lambda, except for what is listed above: 1 warning(s).",
    ]


def test_the_stacks_settings_name_the_application(project, capsys):
    (project / "Pulumi.dev.yaml").write_text("config:\n  dualmode:appDir: shop\n  dualmode:flaskApp: shop:app\n")
    (project / "shop" / "shop.py").write_text("app = None\n")
    assert main(["--code-only"]) == 0
    assert capsys.readouterr().out == "shop: nothing found that Lambda does differently.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--app", "shopp"], "appDir is 'shopp', but that folder doesn't exist: set APP to one that does."),
        (["--stack", "prod"], "Stack 'prod' has no file Pulumi.prod.yaml for its settings:"),
    ],
)
def test_what_can_not_be_checked_is_one_sentence(project, capsys, arguments, sentence):
    assert main(["--code-only", *arguments]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.startswith(f"check-app: {sentence}")) == ("", True)


def test_what_can_not_be_installed_is_said_beside_what_the_code_shows(project, capsys, monkeypatch, tmp_path):
    for part in ("scripts", "dualmode", "infra"):
        shutil.copytree(ROOT / part, project / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".dockerignore", project)
    (project / "shop" / "requirements.txt").write_text("native\n")
    (tmp_path / "index").mkdir()
    about = "native-1.0.dist-info"
    with zipfile.ZipFile(tmp_path / "index" / "native-1.0-cp313-cp313-manylinux_2_17_x86_64.whl", "w") as wheel:
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: native\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        wheel.writestr(f"{about}/RECORD", "")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert main(["--app", "shop", "--flask-app", "shop:app"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "shop/requirements.txt:1: error: native has no wheel for Python 3.15 on x86_64, and no source",
        "    The newest Python that has one is 3.13: set baseImage to public.ecr.aws/docker/library/python:3.13-slim.",
        "shop/shop.py:3: warning: starts a thread: Lambda freezes the function once the response is sent",
        "    Do it before the response, or send it to a queue: SQS or EventBridge Scheduler, to DUALMODE_EVENTS_PATH.",
        "shop can't work on Lambda as it is: 1 error(s), 1 warning(s).",
    ]


def test_a_file_that_no_response_can_carry_is_named(tmp_path):
    for name, size in (("static/film.mp4", 4_500_001), ("static/small.png", 4_500_000), ("data/model.bin", 9_000_000)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    assert [(finding.file, finding.what) for finding in findings(tmp_path)] == [
        (
            str(tmp_path / "static/film.mp4"),
            "has 4.5 MB: a binary response from Lambda has 4.5 MB at most",
        )
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--app", "shop"],
            "flaskApp is 'scripts.server:app', but that is the sample, and appDir is 'shop': set the application in"
            " that folder, such as shop:app.",
        ),
        (
            ["--app", "../shop", "--flask-app", "shop:app"],
            "appDir is '../shop', but a container build sees only this repository: move the application into a folder"
            " of this repository, and set that folder.",
        ),
    ],
)
def test_what_a_deployment_refuses_is_refused_in_its_words(project, capsys, arguments, sentence):
    (project.parent / "shop").mkdir(exist_ok=True)
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"check-app: {sentence}\n")
