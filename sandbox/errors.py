"""The errors that the sandbox shows when it can't go on: one sentence, never a traceback."""


class SandboxError(Exception):
    """Carries one sentence that names what is wrong and what to do about it."""


class SettingsError(SandboxError):
    """Carries one sentence about a setting that the stack's schema refuses: wrong usage, not a failed deployment."""
