"""The errors when a walk can't read the account."""


class UnreadableAccountError(Exception):
    """AWS does not answer a read call, or refuses it; one sentence says which call."""


class ReadDeniedError(UnreadableAccountError):
    """The credentials may not make this call: `permission` says what would have to be allowed, for which `hop`."""

    def __init__(self, hop: str, permission: str, said: str) -> None:
        super().__init__(said)
        self.hop = hop
        self.permission = permission
