"""What keeps a check from being made: one sentence, never a traceback."""


class AuditError(Exception):
    """Carries one sentence that says which check couldn't be made, and why."""
