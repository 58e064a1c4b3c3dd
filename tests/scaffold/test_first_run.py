"""`make new` ends with one request: an answer of the application is a success, whatever page it has at `/`."""

import json

import pytest

from scaffold.first_run import answers

REACHED = {"hop": "image", "id": "sha256:0", "detail": "repository shop, in a process, Python 3.11.7"}
REFUSED = {"hop": "route", "id": "GET /", "detail": "refused: no route takes it"}


@pytest.fixture
def folder(tmp_path):
    """A repository whose sandbox prints a document, after a line of something else."""

    def make(status, hop=REACHED, **more):
        printed = json.dumps({"status": status, "trace": [hop], **more})
        (tmp_path / "document").write_text(f"{printed}\n")
        (tmp_path / "sandbox.sh").write_text(
            '#!/bin/sh\n[ "$*" = "--request GET / --json" ] || exit 2\necho "Installing ..."\ncat document\nexit 1\n'
        )
        (tmp_path / "sandbox.sh").chmod(0o755)
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (200, "GET / was answered with 200 OK: it works."),
        (302, "GET / was answered with 302 Found: it works."),
        (401, "GET / was answered with 401 Unauthorized by the application itself: it works."),
        (
            404,
            "GET / was answered with 404 Not Found by the application itself, which has no page at /: it works, and "
            "its own pages have other paths.",
        ),
    ],
)
def test_any_answer_of_the_application_is_a_success_and_is_said(folder, capsys, status, sentence):
    assert answers(folder(status))
    assert capsys.readouterr().out == f"Installing ...\n{sentence}\n"


def test_an_application_that_fails_is_told_with_its_traceback(folder, capsys):
    assert not answers(folder(500, traceback="Traceback ...\nValueError: no", log="/srv/shop.log"))
    assert capsys.readouterr().out.splitlines() == [
        "Installing ...",
        "Traceback ...",
        "ValueError: no",
        "GET / was answered with 500 Internal Server Error: the application failed; its log is /srv/shop.log.",
    ]


def test_a_request_that_does_not_come_to_the_application_is_a_failure(folder, capsys):
    assert not answers(folder(404, REFUSED))
    assert capsys.readouterr().out == (
        "Installing ...\n"
        "GET / was answered with 404 Not Found, before it came to the application: route GET /: no route takes it.\n"
    )


def test_a_sandbox_that_does_not_start_is_a_failure(folder):
    made = folder(200)
    (made / "document").write_text("")
    assert not answers(made)
