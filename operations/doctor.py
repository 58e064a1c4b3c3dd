"""`doctor`: what on this machine and in the AWS account a deployment needs, and what to do where it lacks."""

import argparse
import itertools
import re
from dataclasses import asdict
from pathlib import Path

from operations import account_checks, machine_checks
from operations.output import show, show_json

_MARKS = {"good": "✓", "note": "!", "wrong": "✗", "unknown": "-"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    parser.add_argument(
        "--stack", default="dev", metavar="NAME", help="stack whose region and domain name are checked (dev)"
    )
    parser.add_argument("--region", metavar="REGION", help="AWS region, if it is not the stack's or the environment's")
    parser.add_argument("--domain", default="", metavar="NAME", help="domain name, if it is not the stack's")


def run(options: argparse.Namespace) -> bool:
    """Print what was found; it succeeds if nothing must be fixed."""
    folder = Path.cwd()
    region = options.region or _setting(folder, options.stack, "aws:region")
    domain = options.domain or _setting(folder, options.stack, r"[\w-]+:domainName")
    found = []
    for finding in itertools.chain(machine_checks.check(folder), account_checks.check(region or None, domain)):
        found.append(finding)
        if not options.json:
            show(f"{_MARKS[finding.level]} {finding.subject:16} {finding.found}")
            if finding.remedy:
                show(f"  {'':16} → {finding.remedy}")
    passed = all(finding.level != "wrong" for finding in found)
    if options.json:
        show_json({"passed": passed, "findings": [asdict(finding) for finding in found]})
    return passed


def _setting(folder: Path, stack: str, key: str) -> str:
    """A plain value in the stack's file, or "": without packages there is no YAML."""
    if not re.fullmatch(r"[\w.-]+", stack):
        return ""
    file = folder / f"Pulumi.{stack}.yaml"
    text = file.read_text() if file.is_file() else ""
    found = re.search(rf"^ +[\"']?{key}[\"']?: *[\"']?([\w.-]+)", text, re.MULTILINE)
    return found[1] if found else ""
