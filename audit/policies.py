"""Checkov's policies for AWS over what the program makes: each finding is argued in `checkov.toml`, or fixed."""

import json
import os
import subprocess
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from audit.errors import AuditError
from audit.graphs import graphs
from audit.terraform_plan import plan
from audit.tools import command, last_words

ARGUED = Path(__file__).with_name("checkov.toml")


def check(project: Path, stack: str) -> list[str]:
    """Return a sentence for each finding that isn't argued, and for each argument that nothing needs any more.

    Raises:
        AuditError: Checkov isn't installed, or failed.
    """
    checkov = command(project, "checkov")
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name, resources in graphs(project):
            files.append(Path(folder) / f"{name}.json")
            files[-1].write_text(json.dumps(plan(resources)))
        answer = run(checkov, files)
    reports = answer if isinstance(answer, list) else [answer]
    passed = sum(report["summary"]["passed"] for report in reports)
    argued = tomllib.loads(ARGUED.read_text())
    found = list(findings(reports, argued))
    failed = sum(report["summary"]["failed"] for report in reports)
    print(f"{passed} checks passed and {failed} failed, in {len(files)} deployments; {len(argued)} kinds are argued")
    return found


def run(checkov: list[str], plans: list[Path]) -> Any:
    """Return what Checkov answers for plans of Terraform, as JSON.

    Raises:
        AuditError: it failed.
    """
    files = [argument for file in plans for argument in ("-f", str(file))]
    options = ["--framework", "terraform_plan", "-o", "json", "--compact", "--quiet", "--skip-download", "--soft-fail"]
    variables = {"PATH": os.environ["PATH"], "HOME": str(plans[0].parent), "LOG_LEVEL": "ERROR"}
    made = subprocess.run(
        [*checkov, *options, *files], env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    try:
        return json.loads(made.stdout)
    except ValueError:
        raise AuditError(f"The policies can't be checked: checkov says {last_words(made)!r}.") from None


def findings(reports: Iterable[Mapping[str, Any]], argued: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each failed check that isn't argued, and for each argument whose check doesn't fail.

    An argument is for a check and a type of resource, such as `CKV_AWS_51 aws_ecr_repository`.
    """
    failed: dict[str, tuple[str, set[str]]] = {}
    for report in reports:
        for found in report["results"]["failed_checks"]:
            identity = f"{found['check_id']} {found['resource'].partition('.')[0]}"
            failed.setdefault(identity, (found["check_name"], set()))[1].add(found["resource"])
    for identity, (name, resources) in sorted(failed.items()):
        if identity not in argued:
            places = ", ".join(sorted(resources))
            yield f'"{identity}" ({name}) fails for {places}: fix it, or argue in one line of audit/{ARGUED.name}.'
    for identity in sorted(argued.keys() - failed.keys()):
        yield f'"{identity}" in audit/{ARGUED.name} fails nowhere any more: remove it.'
