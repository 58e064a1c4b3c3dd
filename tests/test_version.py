"""The version is in one place, and the changelog's newest heading has it."""

import re
import tomllib

from tests.support.provided import ROOT

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_the_changelogs_newest_heading_has_the_version_and_the_others_are_older():
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    released = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d|unreleased)", heading) for heading in headings]
    versions = [found[1] for found in released]
    assert versions[0] == VERSION
    numbers = [tuple(map(int, version.split("."))) for version in versions]
    assert numbers == sorted(set(numbers), reverse=True)
    assert [found[2] for found in released[1:] if found[2] == "unreleased"] == []
