import os

import pytest

from sandbox import state_folder
from sandbox.errors import SandboxError


def mode(folder):
    return oct(folder.stat().st_mode & 0o777)


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def refusal(folder):
    with pytest.raises(SandboxError) as caught:
        state_folder.claim(folder)
    sentence = str(caught.value)
    assert sentence.endswith(
        ", but a sandbox uses only a folder that is new, empty or made by a sandbox: choose another with "
        "--state, or remove this one if an earlier version of the sandbox made it."
    )
    return sentence.partition(", but a sandbox ")[0]


def test_a_new_folder_is_made_for_its_owner_alone_and_known_again(tmp_path):
    folder = tmp_path / "deep" / "state"
    state_folder.claim(folder)
    (folder / "aws").mkdir()
    state_folder.claim(folder)
    assert (mode(folder), names(folder)) == ("0o700", ["aws", "dualmode-sandbox"])


def test_an_empty_folder_is_taken(tmp_path):
    tmp_path.chmod(0o755)
    state_folder.claim(tmp_path)
    assert (mode(tmp_path), names(tmp_path)) == ("0o700", ["dualmode-sandbox"])


def test_what_tests_and_benchmarks_keep_in_a_folder_may_be_there_before_the_sandbox(tmp_path):
    (tmp_path / "cache").mkdir()
    state_folder.claim(tmp_path)
    assert names(tmp_path) == ["cache", "dualmode-sandbox"]


@pytest.mark.parametrize("name", ["notes.txt", "pulumi", ".git"])
def test_a_folder_with_other_content_is_refused_and_stays_as_it_is(tmp_path, name):
    (tmp_path / name).write_text("mine")
    tmp_path.chmod(0o755)
    assert refusal(tmp_path) == f"{tmp_path} has content that is not from a sandbox"
    assert (mode(tmp_path), names(tmp_path), (tmp_path / name).read_text()) == ("0o755", [name], "mine")


def test_a_link_is_refused_wherever_it_leads(tmp_path):
    (tmp_path / "real").mkdir(mode=0o755)
    link = tmp_path / "link"
    for target in ("real", "nowhere"):
        link.symlink_to(tmp_path / target)
        assert refusal(link) == f"{link} is a link"
        link.unlink()
    assert (mode(tmp_path / "real"), names(tmp_path / "real")) == ("0o755", [])


def test_a_mark_that_is_a_link_to_elsewhere_is_none(tmp_path):
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "dualmode-sandbox").symlink_to(tmp_path / "elsewhere")
    assert refusal(tmp_path / "state") == f"{tmp_path / 'state'} has content that is not from a sandbox"
    assert (tmp_path / "elsewhere").read_text() == "mine"


def test_a_file_is_refused_as_a_state_folder(tmp_path):
    (tmp_path / "file").touch()
    assert refusal(tmp_path / "file") == f"{tmp_path / 'file'} is a file"
    assert refusal(tmp_path / "file" / "below") == f"{tmp_path / 'file' / 'below'} can't be used (Not a directory)"


def test_another_user_s_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    assert refusal(tmp_path) == f"{tmp_path} belongs to another user"
    assert names(tmp_path) == []
