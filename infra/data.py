"""What holds data beside the function: secrets, the session key and the table, each only if it is set."""

from collections.abc import Iterator

from infra.grants import Grant
from infra.secrets import Secrets
from infra.session_key import SessionKey
from infra.settings import Settings
from infra.table import Table


def data_grants(settings: Settings, deployment: str) -> Iterator[Grant]:
    """Makes what is set, and yields what each gives to the function."""
    if settings.secrets.secrets:
        yield Secrets("secrets", settings.secrets).grant
    if settings.session_key.session_key:
        yield SessionKey("session-key", deployment=deployment, protect=settings.table.protect).grant
    if settings.table.table:
        yield Table("table", settings.table, table_name=deployment).grant
