"""Applications that nobody here wrote: deployed by settings alone, they answer as on their own server."""

import os

import pytest

from sandbox.runner.images import ImageStore
from tests.conftest import ROOT
from tests.corpus.applications import APPLICATIONS
from tests.corpus.browser import play
from tests.corpus.places import deployed, on_its_own_server, project_of

NAMES = {application.name: application for application in APPLICATIONS}
QUICK = "js_example"

# An image takes half a minute: one alone, unless DUALMODE_CORPUS says `all`.
FIT = [application.name for application in APPLICATIONS if not application.process_only]
IN_A_CONTAINER = FIT if os.environ.get("DUALMODE_CORPUS") == "all" else ["datasette"]


@pytest.fixture
def store(tmp_path):
    return ImageStore(tmp_path / "state", None, venvs=ROOT / ".sandbox" / "venvs")


@pytest.fixture
def project(request, tmp_path, store):
    (tmp_path / "project").mkdir()
    return project_of(NAMES[request.param], tmp_path / "project", store)


def both(names):
    cases = [pytest.param(name, name, id=name, marks=() if name == QUICK else pytest.mark.slow) for name in names]
    return pytest.mark.parametrize(("name", "project"), cases, indirect=["project"])


def same(found, expected):
    """Compares answer by answer, so that a difference is shown and not the whole of both."""
    for one, other in zip(found, expected, strict=True):
        if not (other.content_type or other.body):  # API Gateway's own, for an answer that says nothing
            other = other._replace(content_type="text/plain; charset=utf-8")
        assert {**one._asdict(), "body": one.body.splitlines()} == {**other._asdict(), "body": other.body.splitlines()}


@both(NAMES)
def test_deployed_in_a_process_it_answers_as_on_its_own_server(name, project, program, store):
    application = NAMES[name]
    with on_its_own_server(application, project, store) as send:
        expected = play(application, send)
    with deployed(application, project, program, store) as send:
        same(play(application, send), expected)


@both(IN_A_CONTAINER)
def test_deployed_in_a_container_it_answers_as_on_its_own_server(name, project, program, store, engine, tmp_path):
    application = NAMES[name]
    with on_its_own_server(application, project, store) as send:
        expected = play(application, send)
    with deployed(application, project, program, ImageStore(tmp_path / "engine", engine)) as send:
        same(play(application, send), expected)


def test_the_corpus_is_of_many_kinds_and_most_of_it_needs_no_edit():
    assert len(APPLICATIONS) >= 12
    assert sum(not application.edit for application in APPLICATIONS) >= 8
