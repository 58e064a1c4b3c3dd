import json
import os
import time

from sandbox.runner import leftovers

OLD, CURRENT = "a" * 64, "b" * 64


def image(state, name, context="", engine=""):
    for folder in [state / "images" / name] + ([state / "images" / "contexts" / context] if context else []):
        folder.mkdir(parents=True)
        (folder / "image.json").write_text(json.dumps({"digest": f"sha256:{name}", "engine": engine}))


def test_images_that_nothing_refers_to_are_removed_and_others_kept(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    (tmp_path / "bin" / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    image(tmp_path, OLD, "c" * 64, "docker")
    image(tmp_path, CURRENT, "d" * 64, "docker")
    (tmp_path / "images" / ".new-1").mkdir()
    assert leftovers.remove_images(tmp_path, {f"sha256:{CURRENT}"}) == 1
    left = sorted(path.name for path in (tmp_path / "images").iterdir())
    assert left == [CURRENT, "contexts"]
    assert [path.name for path in (tmp_path / "images" / "contexts").iterdir()] == ["d" * 64]
    assert (tmp_path / "asked").read_text() == f"rmi localhost/dualmode-sandbox:{'c' * 16}\n"


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
