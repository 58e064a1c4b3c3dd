"""A run of the tests leaves no image in the container engine but those that make the next run fast."""

import json

import pytest

from tests.support.image_leftovers import building, layers_of, remove

# As podman 4.3 prints it.
BUILD = """[1/2] STEP 1/2: FROM localhost/base:1 AS build
[1/2] STEP 2/2: RUN true
--> Using cache 5ecb2f81d2a0e6b5d04ae2fd0f4d9e1d5d7b0a7e9a4b4e1f0a8f2f36f3c1aa01
--> 5ecb2f81d2a
[2/2] STEP 1/2: FROM localhost/base:1
[2/2] STEP 2/2: COPY --from=build /a /a
[2/2] COMMIT localhost/dualmode-test:sample
--> 0f1e2d3c4b5
Successfully tagged localhost/dualmode-test:sample
"""


def test_the_layers_of_a_build_are_those_that_it_prints():
    assert set(layers_of(BUILD)) == {"5ecb2f81d2a", "0f1e2d3c4b5"}


@pytest.fixture
def engine(tmp_path):
    """A container engine that only writes down what it is asked."""
    command = tmp_path / "engine"
    command.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    command.chmod(0o755)
    return str(command)


@pytest.fixture
def record(tmp_path, monkeypatch):
    """What earlier runs have left; with a lock that no other run knows."""
    monkeypatch.setattr("tests.support.image_leftovers._LOCK", tmp_path / "lock")
    file = tmp_path / "layers.json"
    file.write_text(json.dumps({"r:sample": ["common", "old"], "r:httpbin": ["common", "other"]}))
    return file


BUILT = {"r:sample": ["common", "new"], "r:broken": ["common", "new", "first", "second"]}
STAY = {"r:sample": ["common", "new"], "r:httpbin": ["common", "other"]}


def test_what_a_run_built_is_removed_but_for_the_newest_layers_of_the_images_that_stay(engine, record, tmp_path):
    context = tmp_path / "state" / "images" / "contexts" / "c"
    context.mkdir(parents=True)
    (context / "image.json").write_text(json.dumps({"engine": engine, "tag": "sandbox:1", "digest": "sha256:1"}))
    remove(engine, ["r:sample", "r:broken"], BUILT, record, tmp_path)
    assert (tmp_path / "asked").read_text() == "rmi sandbox:1\nrmi --no-prune r:broken second first old\n"
    assert json.loads(record.read_text()) == STAY


def test_while_another_run_builds_nothing_is_removed_and_the_next_run_does_it(engine, record, tmp_path):
    with building():
        remove(engine, ["r:sample", "r:broken"], BUILT, record, tmp_path)
    assert not (tmp_path / "asked").exists()
    remove(engine, [], {}, record, tmp_path)
    assert (tmp_path / "asked").read_text() == "rmi --no-prune r:broken second first\n"
    assert json.loads(record.read_text()) == STAY
