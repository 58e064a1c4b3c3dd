"""`make audit`: every check, one after another; a check that can't be made doesn't keep the others from it."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from audit import licences, policies, sbom, vulnerabilities
from audit.errors import AuditError
from sandbox.errors import SandboxError

OK, FAILED = 0, 1

PARTS: Mapping[str, Callable[[Path, str], list[str]]] = {
    "licences": licences.check,
    "sbom": sbom.check,
    "policies": policies.check,
    "vulnerabilities": vulnerabilities.check,
}
"""Each takes the project's folder and the stack, prints what it did, and returns a sentence for each finding."""


def main(arguments: Sequence[str]) -> int:
    """Run the parts that are asked for, all of them by default, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m audit", description=__doc__, allow_abbrev=False)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one or more of {', '.join(PARTS)}")
    parser.add_argument("--stack", default="dev", help="the stack whose application and settings are audited")
    asked = parser.parse_args(arguments)
    unknown = [part for part in asked.parts if part not in PARTS]
    if unknown:
        parser.error(f"PART is {unknown[0]!r}, but the parts are {', '.join(PARTS)}: choose among them.")
    failed = False
    for part in asked.parts or PARTS:
        print(f"== {part}", flush=True)
        try:
            findings = PARTS[part](Path.cwd(), asked.stack)
        except (AuditError, SandboxError) as error:
            findings = [str(error)]
        for finding in findings:
            print(f"✗ {finding}")
        failed = failed or bool(findings)
    return FAILED if failed else OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
