"""The tables of the README and of docs/ say what the code reads, and their links lead somewhere."""

import re

import pytest
import yaml

from tests.support.page_blocks import PAGES, ROOT


def table(heading, page="README.md"):
    text = (ROOT / page).read_text()
    section = re.split(rf"\n###? {re.escape(heading)}\n", text)[1]
    rows = re.findall(r"^\| (`.+?) \| (.*?) \| (.+?) \|$", re.split(r"\n##+ ", section)[0], re.MULTILINE)
    return {name: (default, text) for names, default, text in rows for name in re.findall(r"`([^`]+)`", names)}


def test_each_setting_is_described_as_pulumi_yaml_has_it():
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    headings = re.findall(r"^## (.+)$", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)
    described = {name: row for heading in headings[:-2] for name, row in table(heading, "docs/settings.md").items()}
    assert set(described) == set(declared)
    for name, declaration in declared.items():
        default = declaration["default"]
        shown = ", ".join(default) if isinstance(default, list) else str(default)
        shown = shown.lower() if isinstance(default, bool) else shown
        assert described[name] == (f"`{shown}`" if default not in ("", {}, []) else "", declaration["description"])


def test_the_readme_names_each_setting_once():
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    section = (ROOT / "README.md").read_text().split("\n### Settings\n")[1].split("\n## ")[0]
    rows = [row for row in section.splitlines() if row.startswith("| ") and "`" in row]
    assert sorted(re.findall(r"`(\w+)`", "".join(rows))) == sorted(declared)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_link_of_a_page_leads_to_a_file_and_a_heading(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}, target


def test_the_readme_is_read_in_five_minutes():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 250


def test_each_variable_of_our_own_is_described_and_read_by_something():
    code = "".join(path.read_text() for part in ("dualmode",) for path in (ROOT / part).rglob("*.py"))
    read = set(re.findall(r"\"((?:DUALMODE|GATEWAY)_[A-Z0-9_]+)\"", code)) - {"GATEWAY_"}
    read = {f"{name}NAME" if name.endswith("_") else name for name in read}  # one for each name that a user chooses
    described = table("Environment variables", "docs/runtime.md") | table("Variables", "docs/gateway.md")
    assert {name for name in described if name.startswith(("DUALMODE_", "GATEWAY_"))} == read
