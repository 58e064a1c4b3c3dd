"""A run of the tests leaves no image in the container engine but those that make the next run fast."""

import json

from tests.support.image_leftovers import layers_of, remove

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


def test_what_a_run_built_is_removed_but_for_the_newest_layers_of_the_images_that_stay(tmp_path):
    engine, record = tmp_path / "engine", tmp_path / "cache" / "layers.json"
    engine.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    engine.chmod(0o755)
    (tmp_path / "state" / "images" / "contexts" / "c").mkdir(parents=True)
    built_there = json.dumps({"engine": str(engine), "tag": "sandbox:1", "digest": "sha256:1"})
    (tmp_path / "state" / "images" / "contexts" / "c" / "image.json").write_text(built_there)
    record.parent.mkdir()
    record.write_text(json.dumps({"r:sample": ["common", "old"], "r:httpbin": ["common", "other"]}))
    built = {"r:sample": ["common", "new"], "r:broken": ["common", "new", "first", "second"]}
    remove(str(engine), ["r:sample", "r:broken"], built, record, tmp_path)
    assert (tmp_path / "asked").read_text() == "rmi sandbox:1\nrmi --no-prune r:broken second first old\n"
    assert json.loads(record.read_text()) == {"r:sample": ["common", "new"], "r:httpbin": ["common", "other"]}
