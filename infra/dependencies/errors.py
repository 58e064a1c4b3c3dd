"""What keeps an application's dependencies from being installed."""


class DependencyError(Exception):
    """One sentence for the application's owner: which file of theirs, what is wrong, what to do."""
