"""The error when a walk can't read the account."""


class UnreadableAccountError(Exception):
    """AWS does not answer a read call, or refuses it; one sentence says which call."""
