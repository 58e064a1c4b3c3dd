"""The errors that a command shows when it can't go on: one sentence, never a traceback."""


class OperationError(Exception):
    """Carries one sentence that names what is wrong and what to do about it."""


class UsageError(OperationError):
    """Carries one sentence about wrong arguments."""
