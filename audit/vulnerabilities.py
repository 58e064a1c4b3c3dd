"""Known vulnerabilities of every version in the locks, by pip-audit and the service that it asks."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from audit.errors import AuditError
from audit.locks import IMAGE, OWN, TOOLCHAIN, present

ARGUED = Path(__file__).with_name("vulnerabilities.toml")
"""The vulnerabilities that were looked at and don't matter here, by their ids, each with the reason."""


def check(project: Path, stack: str) -> list[str]:
    """Return a sentence for each known vulnerability that isn't argued.

    Raises:
        AuditError: the service can't be reached, so nothing is known.
    """
    locks = present(project, (IMAGE, *TOOLCHAIN, *OWN))
    files = [argument for lock in locks for argument in ("-r", str(lock))]
    # Without pip: every version is in the locks, so nothing is resolved or downloaded.
    options = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    command = [sys.executable, "-m", "pip_audit", *options, *files]
    asked = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    try:
        answer = json.loads(asked.stdout)
    except ValueError:
        last = (asked.stderr.strip().splitlines() or [f"exit status {asked.returncode}"])[-1]
        raise AuditError(
            "Whether a version has a known vulnerability is not known, because the check couldn't be made "
            f"(pip-audit says {last!r}): run it where the service that pip-audit asks can be reached."
        ) from None
    known = tomllib.loads(ARGUED.read_text())["argued"]
    print(f"{len(answer['dependencies'])} versions in {len(locks)} locks were looked up")
    return list(findings(answer, known))


def findings(answer: Mapping[str, Any], argued: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each vulnerability in an answer of pip-audit, and for each package that it skipped."""
    seen = set()
    for package in answer["dependencies"]:
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
