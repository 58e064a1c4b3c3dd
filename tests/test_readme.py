"""The tables of the README and of docs/gateway.md say what the code reads."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]


def table(heading, page="README.md"):
    text = (ROOT / page).read_text()
    section = re.split(rf"\n###? {re.escape(heading)}\n", text)[1]
    rows = re.findall(r"^\| (`.+?) \| (.*?) \| (.+?) \|$", re.split(r"\n##+ ", section)[0], re.MULTILINE)
    return {name: (default, text) for names, default, text in rows for name in re.findall(r"`([^`]+)`", names)}


def test_each_setting_is_described_as_pulumi_yaml_has_it():
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    described = table("Settings")
    assert list(described) == list(declared)
    for name, declaration in declared.items():
        default = declaration["default"]
        shown = str(default).lower() if isinstance(default, bool) else str(default)
        shown = ", ".join(default) if isinstance(default, list) else shown
        assert described[name] == (f"`{shown}`" if default not in ("", {}, []) else "", declaration["description"])


def test_each_variable_of_our_own_is_described_and_read_by_something():
    code = "".join(path.read_text() for part in ("dualmode",) for path in (ROOT / part).rglob("*.py"))
    read = set(re.findall(r"\"((?:DUALMODE|GATEWAY)_[A-Z0-9_]+)\"", code)) - {"GATEWAY_"}
    read = {f"{name}NAME" if name.endswith("_") else name for name in read}  # one for each name that a user chooses
    described = table("Environment variables") | table("Variables", "docs/gateway.md")
    assert {name for name in described if name.startswith(("DUALMODE_", "GATEWAY_"))} == read
