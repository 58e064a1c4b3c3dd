"""What keeps a repository from being laid out or upgraded: one sentence, never a traceback."""


class ScaffoldError(Exception):
    """Carries one sentence that names what is wrong and what to do about it."""
