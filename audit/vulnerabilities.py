"""Known vulnerabilities of every version in the locks, by pip-audit and the service that it asks."""

import json
import subprocess
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from audit.errors import AuditError
from audit.locks import IMAGE, OWN, TOOLCHAIN, present
from audit.tools import command, last_words

ARGUED = Path(__file__).with_name("vulnerabilities.toml")
"""The vulnerabilities that were looked at and don't matter here, by their ids, each with the reason."""


def check(project: Path, stack: str) -> list[str]:
    """Return a sentence for each known vulnerability that isn't argued.

    Raises:
        AuditError: the service can't be reached, so nothing is known.
    """
    locks = present(project, (IMAGE, *TOOLCHAIN, *OWN))
    pip_audit = command(project, "pip-audit")
    packages = [package for lock in locks for package in looked_up(pip_audit, lock)]
    known = tomllib.loads(ARGUED.read_text())["argued"]
    print(f"{len(packages)} versions in {len(locks)} locks were looked up")
    return list(findings(packages, known))


def looked_up(pip_audit: list[str], lock: Path) -> list[Mapping[str, Any]]:
    """Return what pip-audit answers for the packages of a lock.

    Raises:
        AuditError: the service can't be reached, or it knows none of them.
    """
    # Without pip: every version is in the lock, so nothing is resolved or downloaded.
    options = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json", "-r", str(lock)]
    asked = subprocess.run([*pip_audit, *options], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    try:
        packages: list[Mapping[str, Any]] = json.loads(asked.stdout)["dependencies"]
    except ValueError:
        packages = []
    # A service that knows none of the packages is not the one that was meant, such as a mirror without its answers.
    if all("skip_reason" in package for package in packages):
        last = packages[-1]["skip_reason"] if packages else last_words(asked)
        raise AuditError(
            "Whether a version has a known vulnerability is not known, because the check couldn't be made (pip-audit "
            f"says {last!r}): run it where the service that it asks can be reached."
        )
    return packages


def findings(packages: Sequence[Mapping[str, Any]], argued: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each vulnerability in an answer of pip-audit, and for each package that it skipped."""
    seen = set()
    for package in packages:
        if "skip_reason" in package:
            yield f"{package['name']} was not looked up: {package['skip_reason']}."
        for found in package.get("vulns", []):
            names = {found["id"], *found.get("aliases", [])}
            finding = (package["name"], package["version"], found["id"])
            if names & argued.keys() or finding in seen:
                continue
            seen.add(finding)
            fixed = ", ".join(found.get("fix_versions", [])) or "no version yet"
            yield (
                f"{package['name']} {package['version']} has {found['id']}, fixed in {fixed}: run make locks, or add "
                f"the id to audit/{ARGUED.name} with the reason why it doesn't matter here."
            )
