"""The error for dependencies that can't be installed."""


class DependencyError(Exception):
    """One sentence for the application's owner: which file, what is wrong, what to do."""
