"""The rules of the houses that the import linter can't state."""

import ast
import functools
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = [
    ROOT / "requirements.txt",
    *(ROOT / part / "requirements.txt" for part in ("dualmode", "sandbox", "tests", "benchmarks")),
]
# The audit's tools, each in an environment of its own.
TOOLS = [ROOT / "audit" / "requirements.txt", ROOT / "audit" / "checkov" / "requirements.txt"]


def imported_packages(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("path", sorted((ROOT / "dualmode" / "gateway").rglob("*.py")), ids=lambda path: path.stem)
def test_the_gateway_needs_only_the_standard_library_and_itself(path):
    assert set(imported_packages(path)) <= sys.stdlib_module_names | {"dualmode"}


GROUP_OF = {
    "__main__.py": "program",
    "deployer": "program",
    "audit": "sandbox",
    "infra": "program",
    "dualmode": "runtime",
    "scripts": "runtime",
    "walk": "sandbox",
    "operations": "sandbox",
    "sandbox": "sandbox",
    "check_app": "sandbox",
    "scaffold": "sandbox",
    "benchmarks": "benchmarks",
    "tests": "tests",
}
# Types alone, and what an application's own requirements bring along for local mode.
NOT_OURS = {"_typeshed", "uvicorn"}


def requirements_of(group, groups):
    for entry in groups[group]:
        if isinstance(entry, dict):
            yield from requirements_of(entry["include-group"], groups)
        else:
            yield re.match(r"[A-Za-z0-9_.-]+", entry)[0].lower()


@functools.cache
def every_distribution():
    return packages_distributions()


def distributions_of(package):
    return {name.lower().replace("_", "-") for name in every_distribution().get(package, [])}


@pytest.mark.parametrize(("part", "group"), GROUP_OF.items())
def test_what_a_part_imports_is_declared_in_its_group(part, group):
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    declared = set(requirements_of(group, groups))
    files = [ROOT / part] if part.endswith(".py") else (ROOT / part).rglob("*.py")
    files = [file for file in files if not file.is_relative_to(ROOT / "tests" / "corpus" / "apps")]  # they are users'
    imported = {name for file in files for name in imported_packages(file)} - NOT_OURS - set(GROUP_OF)
    foreign = imported - sys.stdlib_module_names
    assert {name for name in foreign if not distributions_of(name) & declared} == set()


def test_the_program_is_a_table_of_contents():
    assert len((ROOT / "__main__.py").read_text().splitlines()) <= 60


@pytest.mark.parametrize("lock", [*LOCKS, *TOOLS], ids=lambda lock: str(lock.relative_to(ROOT)))
def test_a_lock_pins_each_package_with_hashes_and_names_no_host(lock):
    text = lock.read_text()
    entries = [entry for entry in text.replace("\\\n", "").splitlines() if entry and not entry.startswith("#")]
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==[^ ]+( ; .*?)?( +--hash=sha256:[0-9a-f]{64})+$", entry), entry[:80]
    assert "://" not in text


def test_what_parts_share_is_locked_at_one_version():
    versions = {}
    for lock in LOCKS:
        for name, version in re.findall(r"^([a-z0-9-]+)==([^ ]+) ", lock.read_text(), re.MULTILINE):
            versions.setdefault(name, {}).setdefault(version, set()).add(lock.parent.name)
    # greenlet has a version for Python 3.11 and another one from 3.12 on, by httpbin's own requirements.
    assert {name for name, found in versions.items() if len(found) > 1} <= {"greenlet"}
