"""The tools of the audit: each in an environment of its own, since they pin other versions than the program does."""

from pathlib import Path

from audit.errors import AuditError

ENVIRONMENTS = (Path(".venv/audit"), Path(".venv/checkov"))
PIP_AUDIT, CYCLONEDX = (ENVIRONMENTS[0] / "bin" / name for name in ("pip-audit", "cyclonedx-py"))
CHECKOV = ENVIRONMENTS[1] / "bin" / "checkov"


def tool(project: Path, path: Path) -> str:
    """Return the path of a tool's command.

    Raises:
        AuditError: it isn't installed.
    """
    if not (project / path).exists():
        raise AuditError(f"{path.name} is needed and missing at {path}: run make audit, which installs it.")
    return str(project / path)
