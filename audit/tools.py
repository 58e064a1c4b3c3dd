"""The tools of the audit: each in an environment of its own, since they pin other versions than the program does."""

from pathlib import Path
from subprocess import CompletedProcess

from audit.errors import AuditError

ENVIRONMENTS = (Path(".venv/audit"), Path(".venv/checkov"))
MODULES = {"pip-audit": "pip_audit", "cyclonedx-py": "cyclonedx_py", "checkov": "checkov.main"}


def command(project: Path, tool: str) -> list[str]:
    """Return the words that start a tool. It is started by its environment's Python, also after the folder has moved.

    Raises:
        AuditError: it isn't installed.
    """
    environment = ENVIRONMENTS[tool == "checkov"]
    python = project / environment / "bin" / "python"
    if not python.exists():
        raise AuditError(f"{tool} is needed and missing in {environment}: run make audit, which installs it.")
    return [str(python), "-m", MODULES[tool]]


def last_words(ended: CompletedProcess[str]) -> str:
    """Return the last line that a tool wrote to standard error, or its exit status where it wrote none."""
    return (ended.stderr.strip().splitlines() or [f"exit status {ended.returncode}"])[-1]
