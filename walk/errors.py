"""What keeps a walk from reading the account."""


class UnreadableAccountError(Exception):
    """AWS does not answer a read, or refuses it; one sentence says which call."""
