"""Known vulnerabilities: each one is a sentence unless it is argued, and a service that can't be asked is said."""

import contextlib
import re

import pytest

from audit import vulnerabilities
from audit.__main__ import main
from audit.errors import AuditError
from tests.support.provided import ROOT

ANSWER = [
    {"name": "flask", "version": "3.1.2", "vulns": []},
    {
        "name": "werkzeug",
        "version": "3.0.0",
        "vulns": [
            {"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1", "GHSA-a"], "fix_versions": ["3.0.1"]},
            {"id": "PYSEC-2026-2", "aliases": ["CVE-2026-2"], "fix_versions": []},
        ],
    },
    {"name": "werkzeug", "version": "3.0.0", "vulns": [{"id": "PYSEC-2026-2", "fix_versions": []}]},
    {"name": "private", "skip_reason": "Dependency not found on PyPI"},
]
UNFIXED = (
    "werkzeug 3.0.0 has PYSEC-2026-2, fixed in no version yet: run make locks, or add the id to "
    "audit/vulnerabilities.toml with the reason why it doesn't matter here."
)
SKIPPED = "private was not looked up: Dependency not found on PyPI."


def test_each_vulnerability_is_one_sentence_with_the_version_that_fixes_it():
    assert list(vulnerabilities.findings(ANSWER, {})) == [
        "werkzeug 3.0.0 has PYSEC-2026-1, fixed in 3.0.1: run make locks, or add the id to "
        "audit/vulnerabilities.toml with the reason why it doesn't matter here.",
        UNFIXED,
        SKIPPED,
    ]


def test_a_vulnerability_that_is_argued_by_any_of_its_names_is_not_told():
    assert list(vulnerabilities.findings(ANSWER, {"CVE-2026-1": "that part isn't used"})) == [UNFIXED, SKIPPED]


LOCKS = re.findall(r"-o (\S*requirements\.txt)", (ROOT / "Makefile").read_text())  # those that `make locks` writes


@pytest.fixture
def project(tmp_path):
    """Makes a folder with every lock, and with a pip-audit that runs a script."""

    def project(script):
        for lock in LOCKS:
            (tmp_path / lock).parent.mkdir(exist_ok=True)
            (tmp_path / lock).touch()
        tool = tmp_path / ".venv" / "audit" / "bin" / "python"
        tool.parent.mkdir(parents=True)
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)
        return tmp_path

    return project


def test_a_missing_tool_is_said_with_the_command_that_installs_it(tmp_path):
    with pytest.raises(AuditError) as failed:
        vulnerabilities.check(tmp_path, "dev")
    assert str(failed.value) == ("pip-audit is needed and missing in .venv/audit: run make audit, which installs it.")


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo 'ERROR:pip_audit._cli:no route to host' >&2; exit 1", "ERROR:pip_audit._cli:no route to host"),
        ("exit 3", "exit status 3"),
        # A mirror of the index without its answers knows no package at all.
        (
            """echo '{"dependencies": [{"name": "flask", "skip_reason": "flask was not found"}]}'""",
            "flask was not found",
        ),
    ],
)
def test_a_service_that_can_not_be_asked_is_said_in_one_sentence(project, script, says):
    with pytest.raises(AuditError) as failed:
        vulnerabilities.check(project(script), "dev")
    assert str(failed.value) == (
        "Whether a version has a known vulnerability is not known, because the check couldn't be made (pip-audit says "
        f"{says!r}): run it where the service that it asks can be reached."
    )


def test_every_lock_is_looked_up(project):
    folder = project("""echo "$@" >> asked; echo '{"dependencies": [{"name": "flask", "version": "1"}]}'""")
    with contextlib.chdir(folder):
        assert vulnerabilities.check(folder, "dev") == []
    asked = (folder / "asked").read_text().split()
    assert {word for word in asked if word.endswith(".txt")} == {str(folder / lock) for lock in LOCKS}


def test_a_check_that_can_not_be_made_fails_and_does_not_keep_the_others_from_being_made(monkeypatch, capsys):
    made = []

    def unreachable(project, stack):
        raise AuditError("It couldn't be made.")

    parts = {"vulnerabilities": unreachable, "licences": lambda project, stack: made.append(stack) or []}
    monkeypatch.setattr("audit.__main__.PARTS", parts)
    assert main(["--stack", "prod"]) == 1
    assert made == ["prod"]
    assert capsys.readouterr().out == "== vulnerabilities\n✗ It couldn't be made.\n== licences\n"
    assert main(["licences"]) == 0
