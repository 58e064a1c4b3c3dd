"""The command says what it found, and its status says whether the application can work at all."""

import pytest

from check_app import wheels
from check_app.__main__ import _once, main
from check_app.files import findings
from check_app.finding import Finding
from tests.support.program import ROOT

DOCKERFILE = ROOT / "infra" / "Dockerfile"


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
    ("base", "python"),
    [
        ("", "3.15"),
        ("python:3.13-slim", "3.13"),
        ("public.ecr.aws/lambda/python:3.12", "3.12"),
        ("python@sha256:" + "0" * 64, None),
        ("mine:latest", None),
    ],
)
def test_the_python_of_the_base_is_read_from_its_name(base, python):
    assert wheels.base_python(DOCKERFILE, base) == python


def test_a_package_without_a_wheel_is_an_error_on_its_line(tmp_path):
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("itsdangerous==2.2.0\nhttpbin==0.0.0.1\n")
    (found,) = wheels.findings(requirements, "3.15", "x86_64")
    assert (found.line, found.what, found.stops) == (
        2,
        "httpbin==0.0.0.1 has no wheel for Python 3.15 on x86_64, and the build compiles nothing",
        True,
    )
    requirements.write_text("itsdangerous==2.2.0\n")
    assert wheels.findings(requirements, "3.15", "arm64") == []


def test_one_line_has_one_warning_however_it_was_seen():
    first = Finding(file="shop.py", line=3, what="makes a folder", instead="Keep it in S3.")
    again = Finding(file="shop.py", line=3, what="writes instance when it runs", instead="Keep it in S3.")
    error = Finding(file="shop.py", line=3, what="can't be imported", instead="Do it later.", stops=True)
    other = Finding(file="shop.py", line=1, what="starts a thread", instead="Do it before the response.")
    assert _once([first, other, again, error]) == [other, error, first]
