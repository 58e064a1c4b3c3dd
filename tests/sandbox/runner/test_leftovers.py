import fcntl
import json
import os
import re
import time

import pytest

from sandbox.runner import leftovers
from sandbox.runner.images import ImageStore
from tests.support.program import ROOT

OLD, CURRENT = "a" * 64, "b" * 64


def image(state, name, context="", **built):
    for folder in [state / "images" / name] + ([state / "images" / "contexts" / context] if context else []):
        folder.mkdir(parents=True)
        (folder / "image.json").write_text(json.dumps({"digest": f"sha256:{name}", **built}))


def test_images_that_nothing_refers_to_are_removed_and_others_kept(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    (tmp_path / "bin" / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    image(tmp_path, OLD, "c" * 64, engine="docker", tag="localhost/dualmode-sandbox:old")
    image(tmp_path, CURRENT, "d" * 64, engine="docker", tag="localhost/dualmode-sandbox:current")
    (tmp_path / "images" / ".new-1").mkdir()
    assert leftovers.remove_images(tmp_path, {f"sha256:{CURRENT}"}) == 1
    left = sorted(path.name for path in (tmp_path / "images").iterdir())
    assert left == [CURRENT, "contexts"]
    assert [path.name for path in (tmp_path / "images" / "contexts").iterdir()] == ["d" * 64]
    assert (tmp_path / "asked").read_text() == "rmi localhost/dualmode-sandbox:old\n"


def test_an_image_of_the_same_content_in_another_folder_is_kept(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    told = json.dumps([{"Id": f"sha256:{OLD}", "RootFS": {"Layers": []}}])
    engine = f"#!/bin/sh\necho \"$@\" >> {tmp_path}/asked\n[ $1 = image ] && echo '{told}'\nexit 0\n"
    (tmp_path / "bin" / "docker").write_text(engine)
    (tmp_path / "bin" / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    for state in ("one", "another"):
        ImageStore(tmp_path / state, "docker").build(
            context=ROOT, dockerfile=ROOT / "infra" / "Dockerfile", args={}, platform="linux/amd64"
        )
    one, another = re.findall(r"--tag (\S+)", (tmp_path / "asked").read_text())
    leftovers.remove_images(tmp_path / "one", ())
    assert (tmp_path / "asked").read_text().splitlines()[-1] == f"rmi {one}"
    assert one != another


@pytest.mark.parametrize(
    ("images", "venvs", "removed"),
    [(1, 0, "1 image"), (2, 1, "2 images and 1 environment"), (0, 3, "3 environments")],
)
def test_what_was_removed_is_said_in_whole_words(images, venvs, removed):
    assert leftovers.in_words(images, venvs) == f"Removed what nothing refers to any more: {removed}"


def test_environments_that_nobody_used_for_a_week_are_removed(tmp_path):
    for name, days in (("old", 8), ("new", 6)):
        (tmp_path / "venvs" / name).mkdir(parents=True)
        complete = tmp_path / "venvs" / name / "complete"
        complete.touch()
        os.utime(complete, (time.time() - days * 86_400,) * 2)
    (tmp_path / "link").symlink_to(tmp_path / "venvs")
    assert leftovers.remove_venvs(tmp_path / "link") == 0
    assert leftovers.remove_venvs(tmp_path / "venvs") == 1
    assert [path.name for path in (tmp_path / "venvs").iterdir()] == ["new"]
    assert leftovers.remove_venvs(tmp_path / "nothing") == 0


def test_an_environment_that_another_run_is_about_to_use_stays(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "complete").touch()
    os.utime(tmp_path / "old" / "complete", (0, 0))
    with (tmp_path / "old.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert leftovers.remove_venvs(tmp_path) == 0
    assert (tmp_path / "old" / "complete").exists()
    assert leftovers.remove_venvs(tmp_path) == 1
